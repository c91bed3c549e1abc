#include "control/backend/chained_index.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace sluice::control {
namespace {

struct Entry {
  std::uint32_t key = 0;
  std::uint32_t next = 0;
};

struct Entries {
  std::vector<Entry> list;
  [[nodiscard]] std::size_t hash_of(std::uint32_t n) const { return hash(list[n].key); }
  std::uint32_t& next_of(std::uint32_t n) { return list[n].next; }
  // Bad on purpose: chains get long.
  static std::size_t hash(std::uint32_t key) { return key % 37 * 101; }
};

TEST(ChainedIndexProperty, FindsWhatIsInAndNothingElse) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Entries entries;
  entries.list.resize(1000);
  ChainedIndex index;
  std::set<std::uint32_t> in;
  const auto find = [&](std::uint32_t key) {
    return index.find(Entries::hash(key), entries, [&](std::uint32_t n) { return entries.list[n].key == key; });
  };
  EXPECT_EQ(find(1), ChainedIndex::none);
  for (int step = 0; step < 20000; ++step) {
    const std::uint32_t n = random() % 1000;
    if (in.contains(n)) {
      index.erase(n, entries);
      in.erase(n);
    } else {
      entries.list[n].key = n + 5000;
      index.insert(n, entries);
      in.insert(n);
    }
    const std::uint32_t asked = random() % 1000;
    ASSERT_EQ(find(asked + 5000), in.contains(asked) ? asked : ChainedIndex::none) << "step " << step;
  }
}

}  // namespace
}  // namespace sluice::control
