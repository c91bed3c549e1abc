#include "control/vrrp/notify_calls.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"
#include "control/vrrp/track_files.h"

namespace sluice::control {
namespace {

using vrrp::NotifyEvent;

config::Config config() {
  return config::parse_text(
             "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n"
             "notify_master \"/bin/m a b\"\nnotify_stop /bin/s\nnotify \"/bin/any x\"\n}\n"
             "vrrp_sync_group G {\ngroup {\nV\n}\nnotify /bin/group\nnotify_priority_changes\n}\n",
             "test.conf")
      .config;
}

using Words = std::vector<std::string>;

TEST(NotifyCalls, TheStateSOwnScriptThenTheGeneralOneWithWhatHappened) {
  const auto all = config();
  const auto calls = notify_calls(all, {false, "V", NotifyEvent::master, 120});
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].script->argv, (Words{"/bin/m", "a", "b"}));
  EXPECT_TRUE(calls[0].arguments.empty());
  EXPECT_EQ(calls[1].script->argv, (Words{"/bin/any", "x"}));
  EXPECT_EQ(calls[1].arguments, (Words{"INSTANCE", "V", "MASTER", "120"}));
  const auto stop = notify_calls(all, {false, "V", NotifyEvent::stop, 120});
  ASSERT_EQ(stop.size(), 2u);
  EXPECT_EQ(stop[0].script->argv, (Words{"/bin/s"}));
}

TEST(NotifyCalls, AGroupIsCalledGroupAndHasPriorityZero) {
  const auto all = config();
  const auto calls = notify_calls(all, {true, "G", NotifyEvent::fault, 0});
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].arguments, (Words{"GROUP", "G", "FAULT", "0"}));
}

TEST(NotifyCalls, NobodyKnownNobodyCalled) {
  EXPECT_TRUE(notify_calls(config(), {false, "other", NotifyEvent::master, 1}).empty());
  EXPECT_TRUE(notify_calls(config(), {false, "V", NotifyEvent::master_priority, 1}).empty());
}

TEST(NotifyCalls, FifosHearOfPrioritiesOnlyWhereThatWasAskedFor) {
  const auto all = config();
  EXPECT_EQ(fifo_line(all, {false, "V", NotifyEvent::backup, 100}), "INSTANCE \"V\" BACKUP 100\n");
  EXPECT_EQ(fifo_line(all, {true, "G", NotifyEvent::master, 0}), "GROUP \"G\" MASTER 0\n");
  EXPECT_EQ(fifo_line(all, {false, "V", NotifyEvent::master_rx_lower_priority, 9}),
            "INSTANCE \"V\" MASTER_RX_LOWER_PRI 9\n");
  EXPECT_EQ(fifo_line(all, {false, "V", NotifyEvent::master_priority, 9}), std::nullopt);
  EXPECT_EQ(fifo_line(all, {true, "G", NotifyEvent::backup_priority, 9}), "GROUP \"G\" BACKUP_PRIORITY 9\n");
}

TEST(TrackFile, ANumberAndNothingElse) {
  EXPECT_EQ(number_of_track_file("12\n"), 12);
  EXPECT_EQ(number_of_track_file(" -3 \r\n"), -3);
  EXPECT_EQ(number_of_track_file("+7"), 7);
  for (const char* text : {"", "\n", "x", "1x", "1 2", "--1", "99999999999999999999"}) {
    EXPECT_EQ(number_of_track_file(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sluice::control
