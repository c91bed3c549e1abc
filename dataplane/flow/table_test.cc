#include "dataplane/flow/table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sluice::dataplane {
namespace {

FlowTable make_table(std::size_t capacity, std::uint32_t now_s = 0) {
  return std::move(*FlowTable::create(capacity, 0xfeed, now_s, Mapping::Kind::private_memory));
}

FlowRecord record(std::uint32_t client, std::uint16_t port, std::uint16_t virtual_port = 80) {
  FlowRecord r{};
  r.client_address = net::Ipv4Addr::from_host(client);
  r.client_port = net::L4Port::of(port);
  r.virtual_address = net::Ipv4Addr::of(10, 0, 0, 1);
  r.virtual_port = net::L4Port::of(virtual_port);
  r.destination_address = net::Ipv4Addr::of(10, 0, 2, 11);
  r.destination_port = net::L4Port::of(8080);
  r.protocol = net::Protocol::tcp;
  r.method = ForwardMethod::nat;
  r.timeout_s = 60;
  return r;
}

net::FiveTuple in_tuple(const FlowRecord& r) { return {r.client(), r.virtual_endpoint(), r.protocol}; }
net::FiveTuple out_tuple(const FlowRecord& r) { return {r.destination_endpoint(), r.client(), r.protocol}; }

FlowIndex find_in(const FlowTable& table, const FlowRecord& r) {
  const FlowHash h = table.hash(r.client(), r.protocol);
  return table.find_in(in_tuple(r), h, table.candidate(h));
}

TEST(FlowTable, FindsBothDirectionsOfNatThroughOneEntry) {
  FlowTable table = make_table(1024);
  const FlowRecord r = record(0x0a000101, 4000);
  const FlowHash h = table.hash(r.client(), r.protocol);
  const FlowIndex flow = *table.insert(h, r);
  EXPECT_EQ(table.candidate(h), flow);
  EXPECT_EQ(table.find_in(in_tuple(r), h, flow), flow);
  EXPECT_EQ(table.find_out(out_tuple(r), h, flow), flow);
  // The virtual endpoint isn't what NAT's replies come from.
  EXPECT_EQ(table.find_out({r.virtual_endpoint(), r.client(), r.protocol}, h, flow), no_flow);
}

TEST(FlowTable, TellsConnectionsOfOneClientPortApart) {
  FlowTable table = make_table(1024);
  const FlowRecord a = record(1, 4000, 80), b = record(1, 4000, 443);
  const FlowIndex first = *table.insert(table.hash(a.client(), a.protocol), a);
  const FlowIndex second = *table.insert(table.hash(b.client(), b.protocol), b);
  EXPECT_EQ(find_in(table, a), first);
  EXPECT_EQ(find_in(table, b), second);
  table.erase(first);
  EXPECT_EQ(find_in(table, a), no_flow);
  EXPECT_EQ(find_in(table, b), second);
}

TEST(FlowTable, IsFullAtItsCapacityAndNotBefore) {
  FlowTable table = make_table(1024);
  for (std::uint32_t i = 0; i < 1024; ++i) {
    const FlowRecord r = record(i * 977, 1);
    ASSERT_TRUE(table.insert(table.hash(r.client(), r.protocol), r)) << i;
  }
  const FlowRecord r = record(7, 7);
  EXPECT_EQ(table.insert(table.hash(r.client(), r.protocol), r).error(), InsertFailure::table_full);
  EXPECT_EQ(table.check(), std::nullopt);
  table.erase(find_in(table, record(977, 1)));
  EXPECT_TRUE(table.insert(table.hash(r.client(), r.protocol), r));
  EXPECT_EQ(table.check(), std::nullopt);
}

TEST(FlowTable, CutsOffAChainOfOneClientEndpoint) {
  FlowTable table = make_table(1024);
  std::uint16_t port = 1;
  for (;; ++port) {
    const FlowRecord r = record(1, 4000, port);
    const auto flow = table.insert(table.hash(r.client(), r.protocol), r);
    if (!flow) {
      EXPECT_EQ(flow.error(), InsertFailure::bucket_full);
      break;
    }
  }
  EXPECT_EQ(port, 161);
  EXPECT_EQ(table.check(), std::nullopt);
  const FlowRecord other = record(2, 4000);
  EXPECT_TRUE(table.insert(table.hash(other.client(), other.protocol), other));
}

TEST(FlowTable, RefusesSizesOutOfRangeAndBeyondMemory) {
  EXPECT_FALSE(FlowTable::create(1023, 1, 0, Mapping::Kind::private_memory));
  EXPECT_FALSE(FlowTable::create(FlowTable::capacity_max + 1, 1, 0, Mapping::Kind::private_memory));
  if (available_memory() < FlowTable::capacity_max * sizeof(FlowRecord)) {
    const auto table = FlowTable::create(FlowTable::capacity_max, 1, 0, Mapping::Kind::shared_memory);
    ASSERT_FALSE(table);
    EXPECT_NE(table.error().what.find("make it smaller"), std::string::npos) << table.error().text();
  }
}

TEST(FlowTable, EndsAConnectionWhenItsTimeIsUpAndNotBefore) {
  FlowTable table = make_table(1024, 100);
  FlowRecord r = record(1, 1);
  r.last_seen_s = 100;
  r.timeout_s = 60;
  const FlowIndex flow = *table.insert(table.hash(r.client(), r.protocol), r);
  int ended = 0;
  const auto count = [&](const FlowRecord&) { ++ended; };
  table.expire(159, 100, count);
  EXPECT_EQ(ended, 0);
  table[flow].last_seen_s = 159;  // a packet came: stamped, no timer moved
  table.expire(218, 100, count);
  EXPECT_EQ(ended, 0);
  table.expire(219, 100, count);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, AShorterTimeoutTakesEffectAtOnceALongerOneLazily) {
  FlowTable table = make_table(1024);
  FlowRecord r = record(1, 1);
  r.timeout_s = 900;
  const FlowIndex flow = *table.insert(table.hash(r.client(), r.protocol), r);
  int ended = 0;
  const auto count = [&](const FlowRecord&) { ++ended; };
  table.set_timeout(flow, 10);
  table.expire(9, 100, count);
  EXPECT_EQ(ended, 0);
  table.set_timeout(flow, 5000);  // beyond the wheel's horizon
  table.expire(4999, 100000, count);
  EXPECT_EQ(ended, 0);
  table.expire(5000, 100000, count);
  EXPECT_EQ(ended, 1);
}

TEST(FlowTable, WorksOffASecondOfManyEndsInPieces) {
  FlowTable table = make_table(4096);
  for (std::uint32_t i = 0; i < 3000; ++i) {
    const FlowRecord r = record(i, 1);
    ASSERT_TRUE(table.insert(table.hash(r.client(), r.protocol), r));
  }
  int ended = 0;
  for (int turn = 1; turn <= 30; ++turn) {
    table.expire(60, 100, [&](const FlowRecord&) { ++ended; });
    EXPECT_EQ(ended, 100 * turn);
  }
  EXPECT_EQ(table.check(), std::nullopt);
}

// Against a std::map that forgets what it should, a million random operations.
TEST(FlowTableProperty, EqualsASlowModel) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uint32_t now_s = 50;
  FlowTable table = make_table(2048, now_s);
  struct Entry {
    FlowIndex flow;
    std::uint32_t deadline_s;
  };
  std::map<std::tuple<std::uint32_t, std::uint16_t, std::uint16_t>, Entry> model;
  const auto key_of = [](const FlowRecord& r) {
    return std::tuple(r.client_address.host(), r.client_port.host(), r.virtual_port.host());
  };
  for (int step = 0; step < 1000000; ++step) {
    // Few distinct endpoints, so that chains grow; now and then the table is full.
    FlowRecord r = record(random() % 300, std::uint16_t(random() % 4), std::uint16_t(random() % 12));
    const auto known = model.find(key_of(r));
    const FlowIndex found = find_in(table, r);
    ASSERT_EQ(found, known == model.end() ? no_flow : known->second.flow) << "step " << step;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (found != no_flow) break;
        r.last_seen_s = now_s;
        r.timeout_s = 1 + random() % 2000;
        if (const auto flow = table.insert(table.hash(r.client(), r.protocol), r)) {
          model[key_of(r)] = {*flow, now_s + r.timeout_s};
        } else {
          ASSERT_EQ(flow.error() == InsertFailure::table_full, model.size() == 2048u) << "step " << step;
        }
        break;
      case 4:
        if (found == no_flow) break;
        table.erase(found);
        model.erase(known);
        break;
      case 5:
        if (found == no_flow) break;
        table[found].last_seen_s = now_s;
        known->second.deadline_s = now_s + table[found].timeout_s;
        break;
      case 6: {
        if (found == no_flow) break;
        const std::uint32_t timeout_s = 1 + random() % 2000;
        table[found].last_seen_s = now_s;
        table.set_timeout(found, timeout_s);
        known->second.deadline_s = now_s + timeout_s;
        break;
      }
      case 7:
        if (random() % 100 != 0) break;
        now_s += random() % 30;
        table.expire(now_s, 1u << 20, [&](const FlowRecord& ended) {
          const auto entry = model.find(key_of(ended));
          ASSERT_NE(entry, model.end()) << "step " << step;
          ASSERT_LE(entry->second.deadline_s, now_s) << "step " << step;
          model.erase(entry);
        });
        for (const auto& [key, entry] : model) ASSERT_GT(entry.deadline_s, now_s) << "step " << step;
        break;
    }
    ASSERT_EQ(table.size(), model.size());
    if (step % 50000 == 0) ASSERT_EQ(table.check(), std::nullopt) << "step " << step;
  }
  EXPECT_EQ(table.check(), std::nullopt);
}

}  // namespace
}  // namespace sluice::dataplane
