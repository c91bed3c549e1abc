#include "health/tcp_check.h"

#include <boost/asio/this_coro.hpp>

namespace sluice::health {

boost::asio::awaitable<ProbeResult> TcpCheck::probe() {
  boost::asio::ip::tcp::socket socket(co_await boost::asio::this_coro::executor);
  co_return co_await connect(socket, spec_.connect);
}

}  // namespace sluice::health
