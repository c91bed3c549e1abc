#include "vrrp/bfd/demultiplex.h"

#include <algorithm>

namespace sluice::vrrp::bfd {

std::expected<std::size_t, Misfit> find_session(std::span<const SessionKey> sessions, const ControlPacket& packet,
                                                const Arrival& arrival) {
  const bool by_number = packet.your_discriminator != 0;
  if (!by_number && packet.state != State::down && packet.state != State::admin_down) {
    return std::unexpected(Misfit{ReceiveError::your_discriminator_zero, std::nullopt});
  }
  const auto is_from = [&](const SessionKey& key) {
    return key.neighbor == arrival.source && key.multihop == arrival.multihop;
  };
  const auto found = std::ranges::find_if(sessions, [&](const SessionKey& key) {
    return by_number ? key.discriminator == packet.your_discriminator : is_from(key);
  });
  if (found == sessions.end()) {
    return std::unexpected(
        Misfit{by_number ? ReceiveError::unknown_discriminator : ReceiveError::unknown_neighbor, std::nullopt});
  }
  const auto index = std::size_t(found - sessions.begin());
  // The RFC selects by the number alone; but the neighbor is configured here, and a number can be guessed.
  if (!is_from(*found)) return std::unexpected(Misfit{ReceiveError::source_address, index});
  if (arrival.ttl < found->ttl_min) return std::unexpected(Misfit{ReceiveError::ttl, index});
  return index;
}

}  // namespace sluice::vrrp::bfd
