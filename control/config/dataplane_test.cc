// The dataplane block: values, range ends, bad values.
#include <gtest/gtest.h>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::parse;

Dataplane with(const std::string& lines, std::size_t complaints = 0) {
  const auto outcome = parse("dataplane {\n" + lines + "\n}\n");
  EXPECT_EQ(outcome.complaints.size(), complaints) << lines << "\n" << all_complaints(outcome);
  EXPECT_EQ(test_exit_status(outcome) != 0, complaints != 0) << lines;
  return outcome.config.dataplane;
}

TEST(DataplaneBlock, DefaultsNeedNoBlock) {
  EXPECT_EQ(parse("").config.dataplane, Dataplane{});
  EXPECT_EQ(with(""), Dataplane{});
  EXPECT_EQ(Dataplane{}.connections, 1048576u);
}

TEST(DataplaneBlock, Values) {
  EXPECT_EQ(with("driver af_xdp").driver, Driver::af_xdp);
  EXPECT_EQ(with("interfaces eth0 eth1 eth0").interfaces, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(with("interfaces {\neth0 eth1\neth2\n}").interfaces, (std::vector<std::string>{"eth0", "eth1", "eth2"}));
  EXPECT_EQ(with("interface eth0\ninterface eth1").interfaces, (std::vector<std::string>{"eth0", "eth1"}));
  EXPECT_EQ(with("queues 4").queues, 4u);
  EXPECT_EQ(with("queues all").queues, 0u);
  EXPECT_EQ(with("queues 4096").queues, 4096u);
  EXPECT_EQ(with("cores 1 3-5 3").cores, (std::vector<unsigned>{1, 3, 4, 5}));
  EXPECT_EQ(with("connections 1024").connections, 1024u);
  EXPECT_EQ(with("connections 268435456").connections, 268435456u);
  EXPECT_EQ(with("poll always").poll, PollPolicy::always);
  EXPECT_EQ(with("poll adaptive").poll, PollPolicy::adaptive);
  EXPECT_EQ(with("xdp_mode zero_copy").xdp_mode, XdpMode::zero_copy);
  EXPECT_EQ(with("xdp_mode native_copy").xdp_mode, XdpMode::native_copy);
  EXPECT_EQ(with("xdp_mode generic").xdp_mode, XdpMode::generic);
  EXPECT_EQ(with("xdp_mode auto").xdp_mode, XdpMode::automatic);
}

TEST(DataplaneBlock, BadValuesLeaveTheDefault) {
  for (const char* line :
       {"driver netmap", "driver", "driver dpdk", "queues -1", "queues 4097", "cores x", "cores 5-3", "cores 4096",
        "connections 1023", "connections 268435457", "connections many", "poll never", "xdp_mode fast",
        "interfaces averyveryverylongname", "interfaces a/b", "interfaces", "cores", "wurst 3"}) {
    EXPECT_EQ(with(line, 1), Dataplane{}) << line;
  }
  EXPECT_TRUE(complains(parse("dataplane {\ndriver dpdk\n}\n"), "2:8: error: driver 'dpdk' ignored, expected af_xdp"));
}

}  // namespace
}  // namespace sluice::control::config
