// libcrypto is known in this file and in ah.cc only.
#include "vrrp/hmac_trailer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "net/byte_order.h"

namespace sluice::vrrp {

namespace {

constexpr std::uint8_t trailer_type = 1;
constexpr std::size_t signed_head = 12;  // of the trailer; the digest follows
constexpr std::size_t digest_size = hmac_trailer_size - signed_head;
constexpr std::size_t pseudo_size = 20;
constexpr std::size_t checksum_at = 6;

struct Head {
  std::uint8_t type;
  std::uint8_t key_id;
  net::Be16 reserved;
  net::Be32 seconds;
  net::Be16 fraction;
  net::Be16 counter;
};
static_assert(sizeof(Head) == signed_head && std::is_trivial_v<Head>);

using Digest = std::array<std::uint8_t, digest_size>;

std::optional<Digest> digest_of(std::span<const std::uint8_t> advertisement, const HmacScope& scope, const HmacKey& key,
                                const Head& head) {
  assert(advertisement.size() >= checksum_at + 2);
  std::vector<std::uint8_t> input(pseudo_size, 0);
  input[0] = scope.source.is_v6() ? 6 : 4;
  input[1] = scope.version;
  input[2] = scope.vrid;
  if (scope.source.is_v6()) {
    std::ranges::copy(scope.source.v6().bytes, input.begin() + 4);
  } else {
    const auto v4 = std::bit_cast<std::array<std::uint8_t, 4>>(scope.source.v4());
    std::ranges::copy(v4, input.begin() + 4);
  }
  input.insert(input.end(), advertisement.begin(), advertisement.end());
  std::fill_n(input.begin() + pseudo_size + checksum_at, 2, std::uint8_t{0});
  const auto bytes = std::bit_cast<std::array<std::uint8_t, signed_head>>(head);
  input.insert(input.end(), bytes.begin(), bytes.end());
  input.resize(input.size() + digest_size, 0);

  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac;
  std::size_t length = 0;
  if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.secret.data(), key.secret.size(), input.data(),
                input.size(), mac.data(), mac.size(), &length) == nullptr ||
      length < digest_size) {
    return std::nullopt;
  }
  Digest digest;
  std::copy_n(mac.begin(), digest.size(), digest.begin());
  return digest;
}

}  // namespace

const HmacKey* HmacAuthentication::signing_key() const {
  const auto key = std::ranges::find(keys, active_key, &HmacKey::id);
  return key == keys.end() ? nullptr : &*key;
}

std::optional<HmacTrailer> sign(std::span<const std::uint8_t> advertisement, const HmacScope& scope, const HmacKey& key,
                                const HmacStamp& stamp) {
  const Head head{trailer_type,
                  key.id,
                  net::Be16(0),
                  net::Be32(stamp.seconds),
                  net::Be16(stamp.fraction),
                  net::Be16(stamp.counter)};
  const auto digest = digest_of(advertisement, scope, key, head);
  if (!digest) return std::nullopt;
  HmacTrailer trailer;
  std::memcpy(trailer.data(), &head, sizeof head);
  std::ranges::copy(*digest, trailer.begin() + signed_head);
  return trailer;
}

std::expected<HmacStamp, HmacError> verify(std::span<const std::uint8_t> advertisement,
                                           std::span<const std::uint8_t, hmac_trailer_size> trailer,
                                           const HmacScope& scope, std::span<const HmacKey> keys) {
  Head head;
  std::memcpy(&head, trailer.data(), sizeof head);
  if (head.type != trailer_type || head.reserved.raw() != 0) return std::unexpected(HmacError::malformed);
  const auto key = std::ranges::find(keys, head.key_id, &HmacKey::id);
  if (key == keys.end()) return std::unexpected(HmacError::unknown_key);
  const auto digest = digest_of(advertisement, scope, *key, head);
  if (!digest || CRYPTO_memcmp(digest->data(), trailer.data() + signed_head, digest_size) != 0) {
    return std::unexpected(HmacError::digest);
  }
  return HmacStamp{head.seconds.host(), head.fraction.host(), head.counter.host()};
}

HmacStamp HmacClock::next(std::chrono::system_clock::time_point now) {
  const auto since = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(since - seconds).count();
  const HmacStamp clock{std::uint32_t(seconds.count()), std::uint16_t(rest * 65536 / 1'000'000), 0};
  last_ = std::max(clock.value(), last_ + 1);
  return {std::uint32_t(last_ >> 32u), std::uint16_t(last_ >> 16u), std::uint16_t(last_)};
}

bool is_in_time(const HmacStamp& stamp, std::chrono::seconds window, std::chrono::system_clock::time_point now) {
  const auto clock = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto apart = std::int32_t(stamp.seconds - std::uint32_t(clock));
  return apart <= window.count() && apart >= -window.count();
}

bool HmacReplay::is_new(const net::IpAddr& sender, const HmacStamp& stamp) const {
  const auto mark = marks_.find(sender);
  return mark == marks_.end() || std::int64_t(stamp.value() - mark->second.highest) > 0;
}

void HmacReplay::received(const net::IpAddr& sender, const HmacStamp& stamp, std::size_t senders_max) {
  if (!marks_.contains(sender) && marks_.size() >= senders_max && !marks_.empty()) {
    marks_.erase(std::ranges::min_element(marks_, {}, [](const auto& each) { return each.second.used; }));
  }
  marks_[sender] = {stamp.value(), ++uses_};
}

}  // namespace sluice::vrrp
