// When bursts and frames go out, and that the frames are keepalived's, byte for byte.
#include "vrrp/garp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "vrrp/announcement.h"
#include "vrrp/testing.h"

namespace sluice::vrrp {
namespace {

using namespace testing;

constexpr std::int64_t s = 1'000'000;

const GarpTarget a{1, 2, ip("10.0.0.100")}, b{1, 2, ip("10.0.0.101")}, other{7, 2, ip("10.0.0.200")},
    six{1, 2, ip("fd98::100")};

/// What goes out from `from` to `to`, with the loop in time: when, in milliseconds, and how many each.
std::string timeline(GarpSchedule& schedule, std::int64_t to) {
  std::string text;
  for (auto next = schedule.next(); next && *next <= at(to); next = schedule.next()) {
    std::uint32_t count = 0;
    for (const GarpBurst& burst : schedule.on_timer(*next)) count += burst.repeat;
    text += fmt::format("{}:{} ", (*next - at(0)).count() / 1000, count);
  }
  return text;
}

TEST(GarpSchedule, BurstsAtOnceAndOnceMoreAfterTheDelay) {
  GarpSchedule schedule({});
  EXPECT_EQ(schedule.on_garp(at(0), GarpCause::became_master), (GarpBursts{{GarpCause::became_master, 1}}));
  EXPECT_EQ(timeline(schedule, 9 * s), "1:1 4:1 16:1 64:1 5000:1 5001:1 5004:1 5016:1 5064:1 ") << "five each";
  EXPECT_FALSE(schedule.next());
}

TEST(GarpSchedule, AllRepeatsGoOutHoweverMany) {
  GarpSchedule schedule({.master_delay = Microseconds(0), .master_repeat = 8});
  schedule.on_garp(at(0), GarpCause::became_master);
  EXPECT_EQ(timeline(schedule, s), "1:1 4:1 16:1 64:1 128:1 192:1 256:1 ");
  EXPECT_FALSE(schedule.next());
}

TEST(GarpSchedule, ALateLoopMakesUpForItsRepeats) {
  GarpSchedule schedule({.master_delay = Microseconds(0)});
  schedule.on_garp(at(0), GarpCause::became_master);
  EXPECT_EQ(schedule.on_timer(at(20'000)), (GarpBursts{{GarpCause::became_master, 3}}));
  EXPECT_EQ(timeline(schedule, s), "64:1 ");
}

TEST(GarpSchedule, EndsWithTheMastership) {
  GarpSchedule schedule({.master_refresh = Microseconds(s)});
  schedule.on_garp(at(0), GarpCause::became_master);
  schedule.stop();
  EXPECT_FALSE(schedule.next());
}

TEST(GarpSchedule, RefreshesWhileMaster) {
  GarpSchedule schedule({.master_repeat = 1, .master_refresh = Microseconds(10 * s), .master_refresh_repeat = 2});
  schedule.on_garp(at(0), GarpCause::became_master);
  EXPECT_EQ(timeline(schedule, 26 * s), "5000:1 15000:1 15001:1 25000:1 25001:1 ") << "delay and refresh";
  EXPECT_EQ(schedule.on_timer(at(57 * s)).size(), 1u) << "missed ones are not made up for";
  EXPECT_EQ(timeline(schedule, 58 * s), "57001:1 ");
  EXPECT_EQ(schedule.next(), at(67 * s));
}

TEST(GarpSchedule, WithoutDelayThereIsNoSecondBurst) {
  GarpSchedule schedule({.master_delay = Microseconds(0), .master_repeat = 1});
  EXPECT_EQ(schedule.on_garp(at(0), GarpCause::became_master).size(), 1u);
  EXPECT_FALSE(schedule.next());
}

TEST(GarpSchedule, ALowerPriorityHasSettingsOfItsOwn) {
  GarpSchedule schedule({.lower_prio_delay = Microseconds(s), .lower_prio_repeat = 3});
  schedule.on_garp(at(0), GarpCause::became_master);
  timeline(schedule, 2 * s);
  EXPECT_EQ(schedule.on_garp(at(2 * s), GarpCause::lower_priority), (GarpBursts{{GarpCause::lower_priority, 1}}));
  EXPECT_EQ(timeline(schedule, 4 * s), "2001:1 2004:1 3000:1 3001:1 3004:1 ");
  EXPECT_EQ(schedule.next(), at(5 * s)) << "the master's second burst is still to come";
  GarpSchedule off({.lower_prio_repeat = 0});
  EXPECT_TRUE(off.on_garp(at(0), GarpCause::lower_priority).empty());
  EXPECT_FALSE(off.next());
}

TEST(GarpSchedule, TheSourceAddressHasNoSecondBurst) {
  GarpSchedule schedule({});
  EXPECT_EQ(schedule.on_garp(at(0), GarpCause::source_address).size(), 1u);
  EXPECT_EQ(timeline(schedule, 9 * s), "1:1 4:1 16:1 64:1 ");
}

TEST(GarpSchedule, AReloadStartsAndEndsRefreshing) {
  GarpSchedule schedule({});
  schedule.reload(at(s), {.master_refresh = Microseconds(s)}, true);
  EXPECT_EQ(schedule.next(), at(2 * s));
  schedule.reload(at(s), {}, true);
  EXPECT_FALSE(schedule.next());
  schedule.reload(at(s), {.master_refresh = Microseconds(s)}, false);
  EXPECT_FALSE(schedule.next());
}

TEST(GarpSchedule, OtherInterfacesAreRemindedWhileItIsMaster) {
  GarpSchedule schedule(
      {.master_delay = Microseconds(0), .master_repeat = 1, .extra_interval = Microseconds(10 * s)});
  EXPECT_EQ(schedule.on_garp(at(0), GarpCause::became_master).size(), 1u);
  EXPECT_EQ(schedule.next(), at(10 * s));
  EXPECT_TRUE(schedule.on_timer(at(9 * s)).empty());
  EXPECT_EQ(schedule.on_timer(at(10 * s)), (GarpBursts{{GarpCause::extra_interfaces, 1}}));
  EXPECT_EQ(schedule.next(), at(20 * s));
  schedule.reload(at(12 * s), {.master_delay = Microseconds(0), .extra_interval = Microseconds(s)}, true);
  EXPECT_EQ(schedule.next(), at(13 * s));
  schedule.stop();
  EXPECT_FALSE(schedule.next());
}

TEST(GarpPacer, WithoutIntervalEverythingGoesAtOnceInTurns) {
  GarpPacer pacer(Microseconds(0), Microseconds(0));
  pacer.enqueue(std::vector{a, b, six}, 2);
  EXPECT_EQ(pacer.take(at(0)), (std::vector{a, b, a, b, six, six}));
  EXPECT_FALSE(pacer.next());
}

TEST(GarpPacer, KeepsItsIntervalsApartByKind) {
  GarpPacer pacer(Microseconds(1000), Microseconds(400));
  pacer.enqueue(std::vector{a, b, six}, 2);
  EXPECT_EQ(pacer.take(at(0)), (std::vector{a, six}));
  EXPECT_EQ(pacer.next(), at(400));
  EXPECT_TRUE(pacer.take(at(399)).empty());
  EXPECT_EQ(pacer.take(at(500)), std::vector{six});
  EXPECT_EQ(pacer.take(at(1000)), std::vector{b});
  EXPECT_EQ(pacer.take(at(9000)), std::vector{a}) << "late: no two at once";
  EXPECT_EQ(pacer.take(at(10000)), std::vector{b});
  EXPECT_FALSE(pacer.next());
}

TEST(GarpPacer, AnAddressThatWaitsIsNotQueuedTwice) {
  GarpPacer pacer(Microseconds(1000), Microseconds(0));
  pacer.enqueue(std::vector{a}, 3);
  pacer.enqueue(std::vector{a}, 3);
  int frames = 0;
  while (pacer.next()) frames += int(pacer.take(*pacer.next()).size());
  EXPECT_EQ(frames, 3);
}

TEST(GarpPacer, ForgetsWhoIsNoLongerMaster) {
  GarpPacer pacer(Microseconds(1000), Microseconds(0));
  pacer.enqueue(std::vector{a, other}, 3);
  pacer.forget(1);
  EXPECT_EQ(pacer.take(at(0)), std::vector{other});
}

template <std::size_t N>
std::string hex(const std::array<std::uint8_t, N>& bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

TEST(Announcement, IsKeepalivedsGratuitousArp) {
  const auto mac = net::MacAddr::parse("02:00:00:00:01:01").value();
  EXPECT_EQ(hex(gratuitous_arp(mac, ip("10.98.0.100").v4())),
            "ffffffffffff0200000001010806000108000604000102000000010"
            "10a620064ffffffffffff0a620064");
}

TEST(Announcement, IsKeepalivedsNeighbourAdvertisement) {
  const auto mac = net::MacAddr::parse("02:00:00:00:01:01").value();
  const std::string expected =
      "33330000000102000000010186dd6000000000203afffe800000000000000000000000000100ff020000000000000000000000000001"
      "8800549d20000000fe8000000000000000000000000001000201020000000101";
  EXPECT_EQ(hex(neighbour_advertisement(mac, ip("fe80::100").v6(), false)), expected);
  const auto vmac = virtual_router_mac(51, true);
  const std::string of_vmac = hex(neighbour_advertisement(vmac, ip("fe80::100").v6(), false));
  EXPECT_EQ(of_vmac.substr(12, 12), "00005e000233");
  EXPECT_EQ(of_vmac.substr(112, 4), "f76a");
  EXPECT_EQ(hex(neighbour_advertisement(mac, ip("fe80::100").v6(), true)).substr(116, 8), "a0000000");
}

}  // namespace
}  // namespace sluice::vrrp
