// Against digests that Python's hmac made of the layout's description: no keepalived that has this was at hand.
#include "vrrp/hmac_trailer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace sluice::vrrp {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

Bytes hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(std::uint8_t(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

net::IpAddr ip(std::string_view text) { return net::IpAddr::parse(text).value(); }

HmacKey key_of(std::uint8_t id, std::uint8_t first = 0) {
  HmacKey key{id, Bytes(32)};
  std::iota(key.secret.begin(), key.secret.end(), first);
  return key;
}

constexpr HmacStamp stamp{0x6720a000, 0x8000, 3};
const Bytes advert4 = hex("31339601000a43090a620064");
const HmacScope scope4{3, 51, ip("10.98.0.1")};

TEST(HmacTrailer, IsWhatTheLayoutSays) {
  const auto v4 = sign(advert4, scope4, key_of(7), stamp);
  ASSERT_TRUE(v4);
  EXPECT_EQ(Bytes(v4->begin(), v4->end()), hex("010700006720a000800000036fc52e9cbcb4b6281e5429dc5e4f4b84"));
  const Bytes advert6 = hex("31339602000a3c77fe800000000000000000000000000100fd980000000000000000000000000100");
  const auto v6 = sign(advert6, {3, 51, ip("fe80::ff:fe00:101")}, key_of(7), stamp);
  ASSERT_TRUE(v6);
  EXPECT_EQ(Bytes(v6->begin(), v6->end()), hex("010700006720a000800000036d01a682b21c2de3ea14cf39518ed151"));
}

TEST(HmacTrailer, GivesBackTheStampOfWhatAKeyHasSigned) {
  const std::vector<HmacKey> keys = {key_of(1, 9), key_of(7)};
  EXPECT_EQ(verify(advert4, *sign(advert4, scope4, keys[1], stamp), scope4, keys), stamp);
  EXPECT_EQ(verify(advert4, *sign(advert4, scope4, keys[0], stamp), scope4, keys), stamp);
  Bytes other_sum = advert4;
  other_sum[6] ^= 1;
  EXPECT_EQ(verify(other_sum, *sign(advert4, scope4, keys[1], stamp), scope4, keys), stamp)
      << "the checksum has a check of its own";
}

TEST(HmacTrailer, RefusesWhateverWasChanged) {
  const std::vector<HmacKey> keys = {key_of(1, 9), key_of(7)};
  const HmacTrailer good = *sign(advert4, scope4, keys[1], stamp);
  for (std::size_t bit = 0; bit < 8 * hmac_trailer_size; ++bit) {
    HmacTrailer bad = good;
    bad[bit / 8] ^= std::uint8_t(1u << bit % 8);
    EXPECT_FALSE(verify(advert4, bad, scope4, keys)) << bit;
  }
  for (std::size_t at = 0; at < advert4.size(); ++at) {
    if (at == 6 || at == 7) continue;
    Bytes bad = advert4;
    bad[at] ^= 1;
    EXPECT_EQ(verify(bad, good, scope4, keys).error(), HmacError::digest) << at;
  }
  for (const HmacScope& scope :
       {HmacScope{2, 51, scope4.source}, HmacScope{3, 52, scope4.source}, HmacScope{3, 51, ip("10.98.0.2")}}) {
    EXPECT_EQ(verify(advert4, good, scope, keys).error(), HmacError::digest);
  }
  EXPECT_EQ(verify(advert4, good, scope4, {&keys[0], 1}).error(), HmacError::unknown_key);
  HmacTrailer reserved = good;
  reserved[3] = 1;
  EXPECT_EQ(verify(advert4, reserved, scope4, keys).error(), HmacError::malformed);
}

TEST(HmacClock, GrowsWhateverTheHostsClockDoes) {
  HmacClock clock;
  const std::chrono::system_clock::time_point now{1'000s + 500ms};
  EXPECT_EQ(clock.next(now), (HmacStamp{1000, 0x8000, 0}));
  EXPECT_EQ(clock.next(now), (HmacStamp{1000, 0x8000, 1}));
  EXPECT_EQ(clock.next(now - 10s), (HmacStamp{1000, 0x8000, 2}));
  EXPECT_EQ(clock.next(now + 1s), (HmacStamp{1001, 0x8000, 0}));
}

TEST(HmacReplay, TakesEachStampOnceAndOnlyForwards) {
  HmacReplay replay;
  const auto a = ip("10.98.0.1"), b = ip("10.98.0.2");
  EXPECT_TRUE(replay.is_new(a, stamp));
  replay.received(a, stamp, 4);
  EXPECT_FALSE(replay.is_new(a, stamp));
  EXPECT_FALSE(replay.is_new(a, {stamp.seconds, stamp.fraction, 2}));
  EXPECT_TRUE(replay.is_new(a, {stamp.seconds, stamp.fraction, 4}));
  EXPECT_TRUE(replay.is_new(b, stamp)) << "each sender has numbers of its own";
  replay.received(a, {0xffffffff, 0xffff, 0xffff}, 4);
  EXPECT_TRUE(replay.is_new(a, {0, 0, 0})) << "they go around";
}

TEST(HmacStamp, HasToBeNearTheTimeBothWays) {
  const std::chrono::system_clock::time_point now{std::chrono::seconds(stamp.seconds)};
  EXPECT_TRUE(is_in_time(stamp, 5s, now + 5s));
  EXPECT_FALSE(is_in_time(stamp, 5s, now + 6s));
  EXPECT_TRUE(is_in_time(stamp, 5s, now - 5s));
  EXPECT_FALSE(is_in_time(stamp, 5s, now - 6s));
}

TEST(HmacReplay, TheQuietestSenderMakesRoom) {
  HmacReplay replay;
  const auto a = ip("10.98.0.1"), b = ip("10.98.0.2"), c = ip("10.98.0.3");
  replay.received(a, stamp, 2);
  replay.received(b, stamp, 2);
  replay.received(a, {stamp.seconds + 1, 0, 0}, 2);
  replay.received(c, stamp, 2);
  EXPECT_TRUE(replay.is_new(b, stamp)) << "forgotten";
  EXPECT_FALSE(replay.is_new(a, stamp));
  EXPECT_FALSE(replay.is_new(c, stamp));
}

}  // namespace
}  // namespace sluice::vrrp
