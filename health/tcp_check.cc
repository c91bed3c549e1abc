#include "health/tcp_check.h"

namespace sluice::health {

Task<ProbeResult> TcpCheck::probe(EventLoop& loop) {
  Socket socket(loop);
  co_return co_await connect(socket, spec_.connect);
}

}  // namespace sluice::health
