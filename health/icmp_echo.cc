#include "health/icmp_echo.h"

#include <algorithm>
#include <string_view>

#include "net/checksum.h"

namespace sluice::health {

namespace {

constexpr std::size_t header_bytes = 8;
constexpr std::size_t ip_header_bytes_min = 20;
constexpr std::string_view payload = "sluice health check";

void put(std::vector<std::uint8_t>& bytes, std::size_t at, std::uint16_t number) {
  bytes[at] = static_cast<std::uint8_t>(number >> 8);
  bytes[at + 1] = static_cast<std::uint8_t>(number);
}

std::uint16_t get(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

}  // namespace

std::vector<std::uint8_t> echo_request(const EchoId& id) {
  std::vector<std::uint8_t> bytes(header_bytes + payload.size());
  std::copy(payload.begin(), payload.end(), bytes.begin() + header_bytes);
  bytes[0] = id.v6 ? 128 : 8;
  put(bytes, 4, id.identifier);
  put(bytes, 6, id.sequence);
  if (!id.v6) put(bytes, 2, net::checksum(bytes.data(), bytes.size()).host());
  return bytes;
}

bool is_echo_reply(std::span<const std::uint8_t> message, const EchoId& id, bool raw) {
  if (raw && !id.v6) {
    if (message.size() < ip_header_bytes_min) return false;
    const std::size_t ip_header = (message[0] & 0xfu) * 4;
    if (ip_header < ip_header_bytes_min || message.size() < ip_header) return false;
    message = message.subspan(ip_header);
  }
  if (message.size() < header_bytes) return false;
  const bool is_reply = message[0] == (id.v6 ? 129 : 0) && message[1] == 0;
  return is_reply && get(message, 6) == id.sequence && (!raw || get(message, 4) == id.identifier);
}

}  // namespace sluice::health
