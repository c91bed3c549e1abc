#include "health/udp_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "health/datagram.h"

namespace sluice::health {

namespace {

/// What is sent where the configuration says nothing: 32 bytes, as keepalived's.
constexpr std::string_view default_payload = "health check; no answer needed\r\n";
static_assert(default_payload.size() == 32);

std::span<const std::uint8_t> payload_of(const UdpCheckSpec& spec) {
  if (!spec.payload.empty()) return spec.payload;
  return {reinterpret_cast<const std::uint8_t*>(default_payload.data()), default_payload.size()};
}

ProbeResult judge(const UdpCheckSpec& spec, std::span<const std::uint8_t> buffer, std::size_t size) {
  // As keepalived does: without a pattern any reply is good, whatever its length.
  if (spec.require_reply && spec.reply) {
    if (size < spec.min_reply_length || size > spec.max_reply_length) {
      return failure(
          fmt::format("a reply of {} bytes, expected {} to {}", size, spec.min_reply_length, spec.max_reply_length));
    }
    if (!matches(*spec.reply, buffer.first(std::min(size, buffer.size())))) {
      return failure(fmt::format("a reply of {} bytes that is not as required", size));
    }
  }
  return success(fmt::format("a reply of {} bytes", size));
}

}  // namespace

Task<ProbeResult> UdpCheck::probe(EventLoop& loop) {
  Socket socket(loop);
  if (auto problem = open_udp(socket, spec_.connect)) co_return std::move(*problem);
  if (auto problem = send_datagram(socket, payload_of(spec_))) co_return std::move(*problem);

  // Room for what is compared; the length of the rest is known without it.
  std::vector<std::uint8_t> buffer(spec_.reply ? spec_.reply->bytes.size() : 1);
  const auto deadline = std::chrono::steady_clock::now() + spec_.connect.timeout;
  const Received received = co_await receive_datagram(socket, buffer, deadline);
  if (received.size) co_return judge(spec_, buffer, *received.size);
  if (!received.error.empty()) co_return failure(received.error);
  if (spec_.require_reply) co_return failure("no reply within " + to_words(spec_.connect.timeout));
  co_return success("no error within " + to_words(spec_.connect.timeout));
}

}  // namespace sluice::health
