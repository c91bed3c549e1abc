// libcrypto is known in this file only.
#include "vrrp/ah.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <vector>

#include "net/headers.h"

namespace sluice::vrrp {

std::optional<AhDigest> ah_digest(std::span<const std::uint8_t> packet, const AuthKey& key, bool unicast) {
  assert(packet.size() >= sizeof(net::Ipv4Header) + sizeof(AhHeader));
  std::vector<std::uint8_t> immutable(packet.begin(), packet.end());
  auto ip = net::load<net::Ipv4Header>(immutable.data());
  ip.tos = 0;
  ip.fragment = net::Be16(0);
  ip.checksum = net::Be16(0);
  if (unicast) ip.ttl = 0;
  net::store(immutable.data(), ip);
  std::fill_n(immutable.begin() + sizeof ip + offsetof(AhHeader, digest), sizeof(AhDigest), std::uint8_t{0});

  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac;
  std::size_t length = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "MD5", nullptr, key.data(), key.size(), immutable.data(), immutable.size(),
                mac.data(), mac.size(), &length) == nullptr ||
      length < sizeof(AhDigest)) {
    return std::nullopt;
  }
  AhDigest digest;
  std::copy_n(mac.begin(), digest.size(), digest.begin());
  return digest;
}

std::uint32_t AhSequence::next() {
  if (sent_ < last) {
    ++sent_;
  } else {
    exhausted_ = true;
  }
  return sent_;
}

void AhSequence::received(std::uint32_t sequence) {
  received_ = sequence;
  sent_ = std::max(sent_, sequence);
}

void AhSequence::on_become_master() {
  if (!exhausted_ && sent_ < last) return;
  sent_ = 0;
  received_ = 0;
  exhausted_ = false;
}

}  // namespace sluice::vrrp
