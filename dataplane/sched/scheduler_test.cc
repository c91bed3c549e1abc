// The table of schedulers: names and kinds belong together.
#include "dataplane/sched/scheduler.h"

#include <gtest/gtest.h>

namespace sluice::dataplane {
namespace {

TEST(SchedulerTable, EveryKindHasTheNameThatConfigurationUses) {
  for (const char* name : {"rr", "wrr", "lc", "wlc", "sh", "dh", "lblc"}) {
    const auto kind = scheduler_from_name(name);
    ASSERT_TRUE(kind.has_value()) << name;
    EXPECT_EQ(to_string(*kind), name);
    EXPECT_NE(make_scheduler(Service{.scheduler = *kind}), nullptr);
  }
}

TEST(SchedulerTable, RefusesOtherNames) {
  for (const char* name : {"", "RR", "rr ", "none", "wlcx"})
    EXPECT_FALSE(scheduler_from_name(name).has_value()) << name;
}

}  // namespace
}  // namespace sluice::dataplane
