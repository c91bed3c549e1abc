// What is printed can be read again and means the same: over the corpus, and over damaged copies of it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "control/config/print.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::count;
using testing::parse;

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void expect_round_trip(const std::string& text) {
  const ParseOutcome first = parse(text);
  const std::string printed = to_text(first.config);
  const ParseOutcome second = parse(printed);
  EXPECT_TRUE(second.config == first.config)
      << "read:\n" << text << "\nprinted:\n" << printed << "\nprinted again:\n" << to_text(second.config)
      << all_complaints(second);
  EXPECT_EQ(count(second, Severity::error), 0u) << printed << all_complaints(second);
  EXPECT_EQ(to_text(second.config), printed);
}

TEST(RoundTrip, TheCorpus) {
  for (const auto& entry : std::filesystem::directory_iterator(TESTDATA)) {
    if (!entry.is_regular_file()) continue;
    SCOPED_TRACE(entry.path());
    expect_round_trip(read(entry.path()));
  }
}

TEST(RoundTrip, FilesWithMistakes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(TESTDATA)) {
    if (!entry.is_regular_file()) continue;
    std::istringstream in(read(entry.path()));
    for (std::string line; std::getline(in, line);) {
      if (line.find('$') == std::string::npos) lines.push_back(line);
    }
  }
  // Lines of all files in an order that makes little sense.
  for (int round = 0; round < 200 && !HasFailure(); ++round) {
    std::string text;
    std::size_t at = random() % lines.size();
    for (int i = 0; i < 60; ++i) {
      if (random() % 8 == 0) at = random() % lines.size();
      text += lines[at++ % lines.size()] + "\n";
    }
    expect_round_trip(text);
  }
}

TEST(RoundTrip, JsonIsJson) {
  for (const auto& entry : std::filesystem::directory_iterator(TESTDATA)) {
    if (!entry.is_regular_file()) continue;
    const auto json = nlohmann::json::parse(to_json(parse(read(entry.path())).config), nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << entry.path();
  }
}

}  // namespace
}  // namespace sluice::control::config
