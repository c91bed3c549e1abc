#include "vrrp/bfd/codec.h"

#include "net/byte_order.h"

namespace sluice::vrrp::bfd {

namespace {

struct Wire {
  std::uint8_t version_diagnostic;
  std::uint8_t state_flags;
  std::uint8_t detect_mult;
  std::uint8_t length;
  net::Be32 my_discriminator;
  net::Be32 your_discriminator;
  net::Be32 desired_min_tx;
  net::Be32 required_min_rx;
  net::Be32 required_min_echo_rx;
};
static_assert(sizeof(Wire) == packet_size && std::is_trivial_v<Wire>);

constexpr unsigned version = 1;
constexpr std::uint8_t flag_poll = 0x20, flag_final = 0x10, flag_independent = 0x08, flag_authentication = 0x04,
                       flag_demand = 0x02, flag_multipoint = 0x01;
constexpr unsigned authentication_size_min = 2;

net::Be32 micros(Microseconds interval) { return net::Be32(std::uint32_t(interval.count())); }

}  // namespace

PacketBytes encode(const ControlPacket& packet) {
  unsigned flags = 0;
  if (packet.poll) flags |= flag_poll;
  if (packet.final) flags |= flag_final;
  if (packet.control_plane_independent) flags |= flag_independent;
  if (packet.demand) flags |= flag_demand;
  Wire wire{};
  wire.version_diagnostic = std::uint8_t((version << 5) | static_cast<unsigned>(packet.diagnostic));
  wire.state_flags = std::uint8_t((static_cast<unsigned>(packet.state) << 6) | flags);
  wire.detect_mult = packet.detect_mult;
  wire.length = packet_size;
  wire.my_discriminator = net::Be32(packet.my_discriminator);
  wire.your_discriminator = net::Be32(packet.your_discriminator);
  wire.desired_min_tx = micros(packet.desired_min_tx);
  wire.required_min_rx = micros(packet.required_min_rx);
  wire.required_min_echo_rx = micros(packet.required_min_echo_rx);
  PacketBytes bytes;
  net::store(bytes.data(), wire);
  return bytes;
}

std::expected<ControlPacket, ReceiveError> decode(std::span<const std::uint8_t> payload) {
  const auto reject = [](ReceiveError error) { return std::unexpected(error); };
  if (payload.size() < packet_size) return reject(ReceiveError::too_short);
  const auto wire = net::load<Wire>(payload.data());
  const auto flag = [&](std::uint8_t bit) { return (wire.state_flags & bit) != 0; };
  if (wire.version_diagnostic >> 5 != version) return reject(ReceiveError::version);
  const std::size_t least = packet_size + (flag(flag_authentication) ? authentication_size_min : 0);
  if (wire.length < least) return reject(ReceiveError::length_small);
  if (wire.length > payload.size()) return reject(ReceiveError::length_large);
  if (wire.detect_mult == 0) return reject(ReceiveError::detect_mult);
  if (flag(flag_multipoint)) return reject(ReceiveError::multipoint);
  if (wire.my_discriminator.host() == 0) return reject(ReceiveError::my_discriminator);
  // 4.1 forbids it, 6.8.6 doesn't name it; keepalived discards such a packet.
  if (flag(flag_poll) && flag(flag_final)) return reject(ReceiveError::poll_and_final);
  if (flag(flag_authentication)) return reject(ReceiveError::authentication);
  return ControlPacket{.diagnostic = static_cast<Diagnostic>(wire.version_diagnostic & 0x1f),
                       .state = static_cast<State>(wire.state_flags >> 6),
                       .poll = flag(flag_poll),
                       .final = flag(flag_final),
                       .control_plane_independent = flag(flag_independent),
                       .demand = flag(flag_demand),
                       .detect_mult = wire.detect_mult,
                       .my_discriminator = wire.my_discriminator.host(),
                       .your_discriminator = wire.your_discriminator.host(),
                       .desired_min_tx = Microseconds(wire.desired_min_tx.host()),
                       .required_min_rx = Microseconds(wire.required_min_rx.host()),
                       .required_min_echo_rx = Microseconds(wire.required_min_echo_rx.host())};
}

}  // namespace sluice::vrrp::bfd
