#include "control/vrrp/sysctl_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace sluice::control {
namespace {

class SysctlKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(root_ + "ipv4/conf/eth0");
    std::filesystem::create_directories(root_ + "ipv4/conf/eth1");
    for (const char* path : {"ipv4/conf/eth0/a", "ipv4/conf/eth0/b", "ipv4/conf/eth1/a"}) put(path, 0);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void put(const std::string& path, int value) const { std::ofstream(root_ + path) << value << '\n'; }
  int get(const std::string& path) const { return keeper_.read(path).value_or(-1); }

  std::string root_ = ::testing::TempDir() + "sysctls-" + std::to_string(::getpid()) + "/";
  SysctlKeeper keeper_{[](const std::string& text) { ADD_FAILURE() << text; }, root_};
};

TEST_F(SysctlKeeperTest, WhatIsWantedHoldsAndIsSetBack) {
  put("ipv4/conf/eth0/b", 3);
  keeper_.want({{"ipv4/conf/eth0/a", 1}, {"ipv4/conf/eth0/b", 1}});
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 1);
  keeper_.want({{"ipv4/conf/eth0/b", 2}, {"ipv4/conf/eth1/a", 1}});
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 0);
  EXPECT_EQ(get("ipv4/conf/eth0/b"), 2);
  keeper_.restore();
  EXPECT_EQ(get("ipv4/conf/eth0/b"), 3);
  EXPECT_EQ(get("ipv4/conf/eth1/a"), 0);
}

TEST_F(SysctlKeeperTest, WantingAgainRemembersTheFirst) {
  keeper_.want({{"ipv4/conf/eth0/a", 1}});
  keeper_.want({{"ipv4/conf/eth0/a", 1}});
  keeper_.restore();
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 0);
}

TEST_F(SysctlKeeperTest, WhatSomebodyElseChangedIsTheirs) {
  keeper_.want({{"ipv4/conf/eth0/a", 1}});
  put("ipv4/conf/eth0/a", 2);
  keeper_.restore();
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 2);
}

TEST_F(SysctlKeeperTest, AnInterfaceThatWentIsForgotten) {
  keeper_.want({{"ipv4/conf/eth0/a", 1}});
  keeper_.forget_interface("eth0");
  put("ipv4/conf/eth0/a", 1);  // a new one of that name, whose it is that it is so
  keeper_.restore();
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 1);
}

TEST_F(SysctlKeeperTest, WhatADeadRunHasSetIsSetBackToWhatItProbablyWas) {
  put("ipv4/conf/eth0/a", 1);
  put("ipv4/conf/eth0/b", 2);
  keeper_.inherit("ipv4/conf/eth0/a", 0, 1);
  keeper_.inherit("ipv4/conf/eth0/b", 0, 1);  // somebody else's
  keeper_.want({{"ipv4/conf/eth0/a", 1}, {"ipv4/conf/eth0/b", 1}});
  keeper_.restore();
  EXPECT_EQ(get("ipv4/conf/eth0/a"), 0);
  EXPECT_EQ(get("ipv4/conf/eth0/b"), 2);
}

TEST_F(SysctlKeeperTest, WhatIsNotThereIsLeftOut) {
  keeper_.want({{"ipv4/conf/eth9/a", 1}});
  keeper_.restore();
  EXPECT_FALSE(keeper_.read("ipv4/conf/eth9/a"));
}

}  // namespace
}  // namespace sluice::control
