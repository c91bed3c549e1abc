#include "control/vrrp/process_quorum.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

config::TrackProcess watched(const std::string& lines) {
  const auto config = config::parse_text("vrrp_track_process p {\n" + lines + "\n}\n", "test.conf").config;
  return config.track_processes.at(0);
}

/// What keepalived 2.2.7 found when these ran: `sleep 1000.5`, `/bin/sleep 1001.5`, `sleep 1003.5 1004.5` and a program
/// with a long name.
struct MatchRow {
  const char* lines;
  const char* found;  ///< by their numbers
};

class ProcessMatch : public testing::TestWithParam<MatchRow> {};

TEST_P(ProcessMatch, IsKeepaliveds) {
  const std::vector<ProcessView> there = {{"sleep", {"sleep", "1000.5"}},
                                          {"sleep", {"/bin/sleep", "1001.5"}},
                                          {"sleep", {"sleep", "1003.5", "1004.5"}},
                                          {"averyveryverylo", {"./averyveryverylongname", "1002.5"}},
                                          {"kworker/0:1", {}}};
  const auto rule = watched(GetParam().lines);
  std::string found;
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (matches(rule, there[i])) found += std::to_string(i);
  }
  EXPECT_EQ(found, GetParam().found);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, ProcessMatch,
    testing::Values(MatchRow{"process sleep", "012"}, MatchRow{"process /bin/sleep", ""},
                    MatchRow{"process sleep 1000.5", "0"}, MatchRow{"process sleep 1001.5", ""},
                    MatchRow{"process /bin/sleep 1001.5", "1"}, MatchRow{"process sleep\nfull_command", "02"},
                    MatchRow{"process /bin/sleep\nfull_command", "1"}, MatchRow{"process sleep\nparam_match", ""},
                    MatchRow{"process sleep 1000\nparam_match initial", "0"},
                    MatchRow{"process sleep\nparam_match partial", "02"},
                    MatchRow{"process sleep\nparam_match initial", "02"}, MatchRow{"process averyveryverylongname", ""},
                    MatchRow{"process averyveryverylo", "3"}, MatchRow{"process /bin/sleep 1001.5\nfull_command", "1"},
                    MatchRow{"process sleep 1000.5 x\nparam_match initial", ""},
                    MatchRow{"process sleep 10\nparam_match partial", ""},
                    MatchRow{"process sleep 1000.5 10\nparam_match partial", ""},
                    MatchRow{"process sleep 1003.5\nparam_match partial", "2"},
                    MatchRow{"process sleep 1003.5 10\nparam_match initial", "2"},
                    MatchRow{"process sleep 1003.5\nparam_match initial", "2"}, MatchRow{"process sleep 1003.5", ""},
                    MatchRow{"process sleep 1003.5 1004.5", "2"}, MatchRow{"process kworker/0:1", "4"},
                    MatchRow{"process kworker/0:1\nfull_command", ""}));

constexpr ProcessQuorum::Time start{100s};

TEST(ProcessQuorum, CountsBetweenItsBounds) {
  for (const auto& [lines, up] : std::vector<std::pair<std::string, std::string>>{{"", "-++++"},
                                                                                  {"quorum 3", "---++"},
                                                                                  {"quorum_max 1", "-+---"},
                                                                                  {"quorum 2\nquorum_max 3", "--++-"},
                                                                                  {"quorum_max 0", "+----"}}) {
    std::string seen;
    for (unsigned count = 0; count < up.size(); ++count) {
      seen += ProcessQuorum(watched("process p\n" + lines), count).up() ? '+' : '-';
    }
    EXPECT_EQ(seen, up) << lines;
  }
}

TEST(ProcessQuorum, AChangeCountsAtOnceWithoutDelays) {
  ProcessQuorum quorum(watched("process p"), 0);
  EXPECT_TRUE(quorum.count(1, start));
  EXPECT_TRUE(quorum.up());
  EXPECT_FALSE(quorum.count(2, start)) << "it was up";
  EXPECT_TRUE(quorum.count(0, start));
  EXPECT_FALSE(quorum.up());
}

TEST(ProcessQuorum, AChangeCountsWhenItHasLasted) {
  ProcessQuorum quorum(watched("process p\nfork_delay 0.5\nterminate_delay 2"), 1);
  EXPECT_FALSE(quorum.count(0, start));
  EXPECT_EQ(quorum.due(), start + 2s);
  EXPECT_FALSE(quorum.on_time(start + 1999ms));
  EXPECT_TRUE(quorum.on_time(start + 2s));
  EXPECT_FALSE(quorum.up());
  EXPECT_EQ(quorum.due(), std::nullopt);
  EXPECT_FALSE(quorum.count(1, start + 3s));
  EXPECT_EQ(quorum.due(), start + 3500ms);
  EXPECT_FALSE(quorum.count(2, start + 3400ms)) << "the wait goes on";
  EXPECT_EQ(quorum.due(), start + 3500ms);
  EXPECT_TRUE(quorum.on_time(start + 3500ms));
  EXPECT_TRUE(quorum.up());
}

TEST(ProcessQuorum, AChangeThatIsTakenBackNeverWas) {
  ProcessQuorum quorum(watched("process p\ndelay 1"), 1);
  EXPECT_FALSE(quorum.count(0, start));
  EXPECT_FALSE(quorum.count(1, start + 900ms));
  EXPECT_EQ(quorum.due(), std::nullopt);
  EXPECT_FALSE(quorum.on_time(start + 2s));
  EXPECT_TRUE(quorum.up());
}

TEST(ProcessQuorum, WithAMaximumForkDelayIsForTooMany) {
  ProcessQuorum quorum(watched("process p\nquorum_max 1\nfork_delay 1"), 1);
  EXPECT_FALSE(quorum.count(2, start));  // a fork whose parent will end
  EXPECT_EQ(quorum.due(), start + 1s);
  EXPECT_FALSE(quorum.count(1, start + 100ms));
  EXPECT_TRUE(quorum.up());
}

}  // namespace
}  // namespace sluice::control
