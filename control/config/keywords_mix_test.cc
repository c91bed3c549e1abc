// Random mixtures of the lines in testdata/keywords, good ones and bad ones: whatever the parser makes of them, it
// prints something that reads as the same, and complains about no more than it did before.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "control/config/block.h"
#include "control/config/print.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::count;
using testing::parse;

/// Lines by the path of their block.
std::map<std::string, std::vector<std::string>> lines_by_block() {
  std::map<std::string, std::vector<std::string>> all;
  for (const char* const name : {"globals.txt", "vrrp.txt"}) {
    std::ifstream in(std::filesystem::path(TESTDATA) / "keywords" / name);
    for (std::string line; std::getline(in, line);) {
      const auto first = line.find(" | ");
      const auto last = line.rfind(" | ");
      if (line.starts_with('#') || first == std::string::npos || last == first) continue;
      const std::string path = line.substr(0, line.find_first_of(" +"));
      const std::string text = line.substr(first + 3, last - first - 3);
      // A block without its brace takes keywords for names, which no text says again.
      const std::string word = text.substr(0, text.find(' '));
      if (is_block(word) || word == "group" || word == "interfaces") continue;
      all[path].push_back(text);
    }
  }
  return all;
}

class Mixer {
 public:
  explicit Mixer(unsigned seed) : random_(seed), lines_(lines_by_block()) {}

  std::string text() {
    std::string out;
    const auto block = [&](const std::string& head, const std::string& path, unsigned most) {
      out += head + " {\n" + some(path, most) + "}\n";
    };
    block("global_defs", "global_defs", 30);
    out += some("/", 3);
    out += "track_group g {\ngroup {\nVI_1\n}\n}\n";
    block("static_ipaddress", "static_ipaddress", 4);
    block("static_routes", "static_routes", 8);
    block("static_rules", "static_rules", 8);
    block("garp_group", "garp_group", 3);
    out += "vrrp_script chk {\nscript \"/no/such\"\n" + some("vrrp_script", 4) + "}\n";
    out += "vrrp_script rev {\nscript \"/no/such\"\nweight 10 reverse\n}\n";
    out += "track_file f {\nfile /tmp/x\n" + some("track_file", 2) + "}\n";
    out += "vrrp_track_process p {\nprocess x\n" + some("vrrp_track_process", 4) + "}\n";
    out += "bfd_instance b {\nneighbor_ip 192.0.2.9\n" + some("bfd_instance", 4) + "}\n";
    for (int i = 1; i <= 3; ++i) {
      const std::string n = std::to_string(i);
      out += "vrrp_instance VI_" + n + " {\ninterface eth0\nvirtual_router_id " + n + "\n" + some("vrrp_instance", 12);
      for (const char* const inner : {"virtual_ipaddress", "virtual_ipaddress_excluded", "virtual_routes",
                                      "virtual_rules", "unicast_peer", "authentication", "auth_hmac", "track_interface",
                                      "track_script", "track_file", "track_process", "track_bfd"}) {
        if (random_() % 3 == 0) block(inner, std::string("vrrp_instance/") + inner, 4);
      }
      out += "}\n";
    }
    out += "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\n" + some("vrrp_sync_group", 4) + "}\n";
    return out;
  }

 private:
  std::string some(const std::string& path, unsigned most) {
    const std::vector<std::string>& all = lines_[path];
    if (all.empty()) {
      ADD_FAILURE() << "no lines for " << path;
      return {};
    }
    std::string out;
    for (auto i = random_() % (most + 1); i > 0; --i) out += all[random_() % all.size()] + "\n";
    return out;
  }

  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> lines_;
};

TEST(KeywordsMix, WhatIsPrintedReadsAsTheSame) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Mixer mixer(seed);
  for (int round = 0; round < 150 && !HasFailure(); ++round) {
    const std::string text = mixer.text();
    const ParseOutcome first = parse(text);
    const std::string printed = to_text(first.config);
    const ParseOutcome second = parse(printed);
    EXPECT_TRUE(second.config == first.config) << "read:\n"
                                               << text << "\nprinted:\n"
                                               << printed << "\nprinted again:\n"
                                               << to_text(second.config) << all_complaints(second);
    EXPECT_EQ(count(second, Severity::error), 0u) << printed << all_complaints(second);
    EXPECT_LE(count(second, Severity::warning), count(first, Severity::warning)) << printed << all_complaints(second);
    EXPECT_FALSE(to_json(first.config).empty());
  }
}

}  // namespace
}  // namespace sluice::control::config
