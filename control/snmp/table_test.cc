#include "control/snmp/table.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace sluice::control::snmp {
namespace {

struct Row {
  std::int64_t number;
  bool has_second;
};

constexpr std::array columns = {
    Column<Row>{2, [](const Row& row) -> Cell { return integer(row.number); }},
    Column<Row>{5, [](const Row& row) -> Cell { return row.has_second ? Cell(gauge32(7)) : Cell(); }},
};

View small_view() {
  View view;
  view.add<Row>({1, 3, 9}, columns, {{{2}, {20, true}}, {{1}, {10, false}}});
  return view;
}

TEST(SnmpTable, AValueIsFoundByEntryColumnAndIndex) {
  const View view = small_view();
  EXPECT_EQ(view.find({1, 3, 9, 2, 1}), integer(10));
  EXPECT_EQ(view.find({1, 3, 9, 2, 2}), integer(20));
  EXPECT_EQ(view.find({1, 3, 9, 5, 2}), gauge32(7));
  EXPECT_EQ(view.find({1, 3, 9, 5, 1}), std::nullopt) << "this row doesn't have the column";
  EXPECT_EQ(view.find({1, 3, 9, 3, 1}), std::nullopt);
  EXPECT_EQ(view.find({1, 3, 9, 2}), std::nullopt);
  EXPECT_EQ(view.find({1, 3, 9, 2, 1, 0}), std::nullopt);
}

TEST(SnmpTable, AWalkGoesThroughTheColumnsAndSkipsWhatIsMissing) {
  const View view = small_view();
  std::vector<Oid> seen;
  for (auto next = view.next({1}); next; next = view.next(next->first)) seen.push_back(next->first);
  const std::vector<Oid> expected = {{1, 3, 9, 2, 1}, {1, 3, 9, 2, 2}, {1, 3, 9, 5, 2}};
  EXPECT_EQ(seen, expected);
}

TEST(SnmpTable, TheNextOfAnythingIsTheFirstThatComesAfterIt) {
  // Tables whose objects lie between each other's, as emailTable lies among the scalars of mail.
  std::mt19937 random(20260117);
  View view;
  std::map<Oid, Value> model;
  for (const Oid& entry : {Oid{1, 2}, Oid{1, 2, 5, 1}, Oid{1, 2, 5, 3}, Oid{1, 3}}) {
    std::vector<Indexed<Row>> rows;
    for (int i = 0; i < 40; ++i) {
      Oid index;
      for (std::size_t n = 0; n < 1 + random() % 3; ++n) index.push_back(std::uint32_t(random() % 4));
      const Row row{std::int64_t(random() % 1000), random() % 2 == 0};
      const bool is_first = std::ranges::find(rows, index, &Indexed<Row>::index) == rows.end();
      rows.push_back({index, row});
      if (!is_first) continue;
      for (const Column<Row>& column : columns) {
        Oid oid = entry;
        oid.push_back(column.number);
        oid.insert(oid.end(), index.begin(), index.end());
        if (const Cell cell = column.get(row)) model.emplace(oid, *cell);
      }
    }
    view.add<Row>(entry, columns, std::move(rows));
  }
  for (int i = 0; i < 20'000; ++i) {
    Oid oid;
    for (std::size_t n = 0; n < random() % 8; ++n) oid.push_back(std::uint32_t(random() % 6));
    if (!oid.empty()) oid[0] = 1;
    const auto expected = model.upper_bound(oid);
    const auto next = view.next(oid);
    ASSERT_EQ(next.has_value(), expected != model.end());
    if (next) ASSERT_EQ(next->first, expected->first);
    if (next) ASSERT_EQ(next->second, expected->second);
    const auto exact = model.find(oid);
    ASSERT_EQ(view.find(oid), exact == model.end() ? Cell() : Cell(exact->second));
  }
}

TEST(SnmpValue, CountersWrapAndGaugesStop) {
  EXPECT_EQ(counter32((std::uint64_t{1} << 32) + 5).number, 5);
  EXPECT_EQ(gauge32((std::uint64_t{1} << 32) + 5).number, 4294967295);
  EXPECT_EQ(std::uint64_t(counter64(~std::uint64_t{0}).number), ~std::uint64_t{0});
}

TEST(SnmpValue, AnAddressIsItsBytes) {
  EXPECT_EQ(address(net::Ipv4Addr::of(10, 0, 200, 1)).octets, std::string("\x0a\x00\xc8\x01", 4));
  EXPECT_EQ(address(*net::IpAddr::parse("fe80::1")).octets.size(), 16u);
  Oid oid{7};
  append(oid, net::Ipv4Addr::of(10, 0, 200, 1));
  EXPECT_EQ(oid, (Oid{7, 10, 0, 200, 1}));
}

}  // namespace
}  // namespace sluice::control::snmp
