#include "net/checksum.h"

#include <cstring>

namespace sluice::net {

std::uint16_t checksum_sum(const std::uint8_t* bytes, std::size_t length, std::uint32_t initial) {
  std::uint64_t sum = initial;
  while (length >= 4) {
    std::uint32_t word;
    std::memcpy(&word, bytes, 4);
    sum += word;
    bytes += 4;
    length -= 4;
  }
  if (length > 0) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, length);
    sum += word;
  }
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffffffffu) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return std::uint16_t(sum);
}

Be16 l4_checksum(Ipv4Addr source, Ipv4Addr destination, Protocol protocol, const std::uint8_t* segment,
                 std::size_t length) {
  std::uint32_t pseudo = 0;
  if (protocol != Protocol::icmp) {
    struct {
      Ipv4Addr source, destination;
      std::uint8_t zero;
      Protocol protocol;
      Be16 length;
    } header{source, destination, 0, protocol, Be16(std::uint16_t(length))};
    static_assert(sizeof header == 12);
    pseudo = checksum_sum(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  }
  return Be16::from_raw(std::uint16_t(~checksum_sum(segment, length, pseudo)));
}

}  // namespace sluice::net
