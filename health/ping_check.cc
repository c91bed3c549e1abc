#include "health/ping_check.h"

#include <array>

#include "health/datagram.h"
#include "health/icmp_echo.h"

namespace sluice::health {

Task<ProbeResult> PingCheck::probe(EventLoop& loop) {
  const EchoId id{spec_.connect.address.is_v6(), identifier_, ++sequence_};
  Socket socket(loop);
  IcmpSocket opened = open_icmp(socket, spec_.connect);
  if (opened.problem) co_return std::move(*opened.problem);
  if (auto problem = send_datagram(socket, echo_request(id))) co_return std::move(*problem);

  // Of all of it, not of each message: a raw socket sees whatever else the peer sends.
  const auto deadline = std::chrono::steady_clock::now() + spec_.connect.timeout;
  for (;;) {
    std::array<std::uint8_t, 128> buffer{};  // an IP header with all its options, and the echo's
    const Received received = co_await receive_datagram(socket, buffer, deadline);
    if (!received.error.empty()) co_return failure(received.error);
    if (!received.size) co_return failure("no echo within " + to_words(spec_.connect.timeout));
    const std::size_t size = std::min(*received.size, buffer.size());
    if (is_echo_reply(std::span(buffer).first(size), id, opened.raw)) co_return success("echoed");
  }
}

}  // namespace sluice::health
