// Made-up virtual servers for the tests of diff and reload: few addresses, so that lists made at random have much in
// common, and every field that can differ sometimes does.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "control/pools/pool_spec.h"

namespace sluice::control {

class RandomPools {
 public:
  RandomPools() : seed_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {
    fmt::print("seed {}\n", seed_);
  }
  [[nodiscard]] std::string seed() const { return fmt::format("seed {}", seed_); }
  std::mt19937_64& engine() { return engine_; }
  unsigned below(unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(engine_); }
  bool one_in(unsigned n) { return below(n) == 0; }

  /// No identity, and no service, twice.
  std::vector<PoolSpec> pools() {
    std::vector<PoolSpec> list;
    const auto takes = shuffled(8);
    for (unsigned n = below(6); n > 0; --n) list.push_back(pool(takes[n]));
    return list;
  }
  /// As `pools`, with some of it changed.
  std::vector<PoolSpec> changed(std::vector<PoolSpec> pools) {
    const std::vector<PoolSpec> others = this->pools();
    for (const PoolSpec& other : others) {
      const auto same =
          std::find_if(pools.begin(), pools.end(), [&](const PoolSpec& pool) { return is_same(pool, other); });
      if (same == pools.end()) {
        if (one_in(2)) pools.push_back(other);
      } else if (one_in(2)) {
        *same = other;
      } else if (one_in(2)) {
        pools.erase(same);
      }
    }
    for (PoolSpec& pool : pools) {
      if (one_in(2)) change(pool);
    }
    if (one_in(2)) std::shuffle(pools.begin(), pools.end(), engine_);
    return pools;
  }

  PoolSpec pool(unsigned which) {
    PoolSpec spec;
    if (which < 6) {
      spec.services = {
          service({net::Protocol::tcp, net::Ipv4Addr::of(10, 0, 0, std::uint8_t(which)), net::L4Port::of(80)})};
    } else {
      spec.group = fmt::format("[group{}]:0", which);
      const auto entries = shuffled(4);
      for (unsigned n = below(3) + 1; n > 0; --n) {
        const auto address = net::Ipv4Addr::of(10, 0, std::uint8_t(which), std::uint8_t(entries[n]));
        spec.services.push_back(service({net::Protocol::tcp, address, net::L4Port::of(80)}));
        if (n > 1) spec.services.back().scheduler = spec.services.front().scheduler;
      }
    }
    const auto servers = shuffled(6);
    for (unsigned n = below(6); n > 0; --n) spec.servers.push_back(server(servers[n]));
    change(spec);
    return spec;
  }

  RealServerSpec server(unsigned which) {
    RealServerSpec spec;
    spec.destination = {.key = {net::Ipv4Addr::of(10, 0, 2, std::uint8_t(which)), net::L4Port::of(80)},
                        .method = one_in(4) ? ForwardingMethod::direct : ForwardingMethod::nat,
                        .weight = below(3) + 1,
                        .upper_threshold = one_in(4) ? 10u : 0u};
    spec.inhibit_on_failure = one_in(4);
    if (one_in(4)) spec.notify_up = ScriptSpec{.argv = {"up"}};
    for (unsigned n = below(3); n > 0; --n) {
      health::CheckerSpec checker{.what =
                                      health::TcpCheckSpec{{.address = spec.destination.key.address,
                                                            .port = net::L4Port::of(std::uint16_t(80 + below(2)))}}};
      checker.starts_up = !one_in(4);
      spec.checkers.push_back({checker, one_in(4)});
    }
    return spec;
  }

 private:
  static bool is_same(const PoolSpec& a, const PoolSpec& b) {
    return a.group == b.group && (!a.group.empty() || a.services.front().key == b.services.front().key);
  }

  void change(PoolSpec& spec) {
    if (one_in(3)) {
      if (one_in(3)) {
        spec.sorry_server.reset();
      } else {
        const auto address = net::Ipv4Addr::of(127, 0, 0, std::uint8_t(below(2) + 1));
        spec.sorry_server = DestinationSpec{.key = {address, net::L4Port::of(80)}};
      }
      spec.sorry_server_inhibit = one_in(2);
    }
    if (one_in(4)) spec.quorum = below(5) + 1;
    if (one_in(4)) spec.hysteresis = below(spec.quorum);
    if (one_in(4)) spec.quorum_up = ScriptSpec{.argv = {"quorum_up"}};
    if (one_in(8)) spec.notify_down_at_stop = !spec.notify_down_at_stop;
    if (one_in(8)) spec.mails_quorum = !spec.mails_quorum;
    if (one_in(8)) spec.ha_suspend = !spec.ha_suspend;
    if (one_in(4)) std::shuffle(spec.servers.begin(), spec.servers.end(), engine_);
    for (RealServerSpec& server : spec.servers) {
      if (one_in(5)) server.destination.weight = below(3) + 1;
      if (one_in(8)) server.mails = ServerMails(below(3));
    }
    if (one_in(5)) {
      for (VirtualServiceSpec& service : spec.services) service.scheduler = "wrr";
    }
  }
  VirtualServiceSpec service(VirtualServiceKey key) { return {.key = key, .scheduler = one_in(3) ? "sh" : "rr"}; }

  std::vector<unsigned> shuffled(unsigned n) {
    std::vector<unsigned> list(n);
    for (unsigned i = 0; i < n; ++i) list[i] = i;
    std::shuffle(list.begin(), list.end(), engine_);
    return list;
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_{seed_};
};

}  // namespace sluice::control
