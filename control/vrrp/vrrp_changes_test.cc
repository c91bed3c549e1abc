#include "control/vrrp/vrrp_changes.h"

#include <gtest/gtest.h>

#include "control/config/parse.h"

namespace sluice::control {
namespace {

using Lines = std::vector<std::string>;

config::Config config_of(const std::string& text) { return config::parse_text(text, "test.conf").config; }

std::string instance(const std::string& name, int id, const std::string& lines) {
  return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " + std::to_string(id) + "\n" + lines +
         "\nvirtual_ipaddress {\n192.0.2.1/24\n}\n}\n";
}

TEST(VrrpChanges, SayWhatComesGoesAndIsAnother) {
  const auto before = config_of(instance("A", 1, "priority 100") + instance("B", 2, ""));
  const auto after = config_of(instance("A", 1, "priority 150\nnopreempt") + instance("C", 3, ""));
  EXPECT_EQ(vrrp_changes(before, after),
            (Lines{"- vrrp_instance B", "~ vrrp_instance A: priority 100 -> 150, + nopreempt", "+ vrrp_instance C"}));
}

TEST(VrrpChanges, TheSameElsewhereInTheFileIsNone) {
  const std::string text = instance("A", 1, "priority 100");
  EXPECT_EQ(vrrp_changes(config_of(text), config_of("\n\n" + text)), Lines{});
}

TEST(VrrpChanges, AddressesAreLines) {
  const auto before = config_of(instance("A", 1, ""));
  const auto after = config_of(instance("A", 1, "virtual_ipaddress_excluded {\n192.0.3.1/32\n}"));
  const auto lines = vrrp_changes(before, after);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("+ 192.0.3.1"), std::string::npos) << lines[0];
}

}  // namespace
}  // namespace sluice::control
