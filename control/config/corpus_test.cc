// Whole files as they lie in the field: all of them load, -t answers what keepalived 2.2.7 answers, and how a file is
// laid out doesn't change what it means.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::parse;

struct File {
  const char* name;
  std::size_t virtual_servers;
  std::size_t vrrp_instances;
  int status;  ///< of keepalived -t 2.2.7 on it, with eth0 and eth1 there and no script present
};

constexpr File files[] = {
    {"dr-web-and-dns.conf", 2, 0, 0},
    {"empty.conf", 0, 0, 0},
    {"fwmark-and-groups.conf", 3, 0, 0},
    {"ipv6.conf", 1, 1, 0},
    {"lower-case-method.conf", 1, 0, 5},
    {"misspelled.conf", 1, 0, 5},
    {"one-liners.conf", 1, 0, 0},
    {"sluice-dataplane.conf", 1, 0, 0},  // keepalived doesn't know the block
    {"statics-and-extras.conf", 0, 1, 0},
    {"templates.conf", 1, 0, 0},
    {"two-tier-nat.conf", 2, 1, 5},
    {"unbalanced.conf", 2, 0, 5},
    {"vrrp-only-haproxy.conf", 0, 1, 5},
    {"vrrp-only-minimal.conf", 0, 1, 0},
    {"vrrp-only-unicast-dirty.conf", 0, 1, 5},
    {"vrrp-sync-group.conf", 0, 2, 0},
    {"windows-editor.conf", 1, 0, 5},
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Corpus, EveryFileLoadsWithKeepalivedsVerdict) {
  const std::filesystem::path folder = TESTDATA;
  for (const File& file : files) {
    const auto outcome = parse_file((folder / file.name).string());
    ASSERT_TRUE(outcome) << file.name << ": " << outcome.error().text();
    EXPECT_EQ(outcome->config.virtual_servers.size(), file.virtual_servers) << all_complaints(*outcome);
    EXPECT_EQ(outcome->config.vrrp_instances.size(), file.vrrp_instances) << all_complaints(*outcome);
    EXPECT_EQ(outcome->config.has_vrrp(), file.vrrp_instances > 0) << file.name;
    EXPECT_EQ(test_exit_status(*outcome), file.status) << all_complaints(*outcome);
  }
  std::size_t on_disk = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) on_disk += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(on_disk, std::size(files)) << "a file of testdata is missing in the table";
}

/// Another layout of the same configuration.
std::string laid_out_anew(const std::string& text, std::mt19937& random) {
  const auto coin = [&] { return random() % 3 == 0; };
  const bool crlf = random() % 2 == 0;
  std::string out;
  std::istringstream lines(text);
  std::string line;
  bool continued = false;
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    const bool in_definition = continued || line.find('$') != std::string::npos;
    continued = line.ends_with('\\');
    if (!in_definition && !continued && line.find_first_of("#!\"@") == std::string::npos) {
      if (coin()) line = " \t" + line;
      if (coin() && line.ends_with('{')) line.insert(line.size() - 1, crlf ? "\r\n" : "\n");
      if (coin() && line.ends_with('{')) line += " ";
      if (coin()) line += "\t! { comment } \xc3\xa4\xff";
      if (coin()) line += "\n# another }";
      if (coin()) line = "\n\n" + line;
    }
    out += line + (crlf ? "\r\n" : "\n");
  }
  if (random() % 2 == 0 && !out.empty()) out.resize(out.find_last_not_of("\r\n") + 1);
  return out;
}

TEST(Corpus, LayoutDoesNotChangeTheMeaning) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const File& file : files) {
    const std::string text = read(std::filesystem::path(TESTDATA) / file.name);
    const auto expected = parse(text);
    for (int round = 0; round < 20; ++round) {
      const std::string other = laid_out_anew(text, random);
      const auto outcome = parse(other);
      ASSERT_EQ(outcome.config, expected.config) << file.name << "\n" << other << "\n" << all_complaints(outcome);
      ASSERT_EQ(test_exit_status(outcome), test_exit_status(expected)) << file.name << "\n" << other;
    }
  }
}

TEST(Corpus, CutAnywhereItStillLoads) {
  const std::string text = read(std::filesystem::path(TESTDATA) / "dr-web-and-dns.conf");
  for (std::size_t length = 0; length < text.size(); length += 7) {
    const auto outcome = parse(std::string_view(text).substr(0, length));
    EXPECT_LE(outcome.config.virtual_servers.size(), 2u);
  }
}

TEST(Corpus, DamagedAnywhereItStillLoads) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string text = read(std::filesystem::path(TESTDATA) / "two-tier-nat.conf");
  static constexpr std::string_view bytes("{}\"'\\#!$@~\n\r\0 a1.:\xff", 20);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = text;
    for (int i = 0; i < 8; ++i) damaged[random() % damaged.size()] = bytes[random() % bytes.size()];
    const auto outcome = parse(damaged);
    for (const VirtualServer& vs : outcome.config.virtual_servers) EXPECT_FALSE(vs.real_servers.empty());
  }
}

}  // namespace
}  // namespace sluice::control::config
