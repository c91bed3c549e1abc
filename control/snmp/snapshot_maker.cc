#include "control/snmp/snapshot_maker.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>

#include <algorithm>
#include <cstring>

namespace sluice::control::snmp {

namespace {

constexpr std::chrono::seconds stats_interval_default{5};  // keepalived's

void add(Traffic& sum, const Traffic& one) {
  sum.counters.connections += one.counters.connections;
  sum.counters.in_packets += one.counters.in_packets;
  sum.counters.out_packets += one.counters.out_packets;
  sum.counters.in_bytes += one.counters.in_bytes;
  sum.counters.out_bytes += one.counters.out_bytes;
  sum.rates.connections += one.rates.connections;
  sum.rates.in_packets += one.rates.in_packets;
  sum.rates.out_packets += one.rates.out_packets;
  sum.rates.in_bytes += one.rates.in_bytes;
  sum.rates.out_bytes += one.rates.out_bytes;
  sum.active += one.active;
  sum.inactive += one.inactive;
}

/// Does the pool belong to the virtual server?
bool is_of(const PoolStatus& pool, const config::VirtualServer& server) {
  switch (server.kind) {
    case config::VirtualServerKind::address: return pool.service == server.key;
    case config::VirtualServerKind::fwmark: return pool.service.mark == server.fwmark && !pool.name.starts_with('[');
    case config::VirtualServerKind::group: return pool.name.starts_with("[" + server.group + "]:");
  }
  return false;
}

std::uint64_t per_second(std::uint64_t before, std::uint64_t now, double seconds) {
  return now <= before || seconds <= 0 ? 0 : std::uint64_t(double(now - before) / seconds);
}

}  // namespace

std::map<std::string, HostInterface> interfaces_here() {
  std::map<std::string, HostInterface> all;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return all;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_PACKET) continue;
    sockaddr_ll link{};
    std::memcpy(&link, each->ifa_addr, sizeof link);
    HostInterface& interface = all[each->ifa_name];
    interface.index = std::uint32_t(link.sll_ifindex);
    if (link.sll_halen == interface.mac.bytes.size()) {
      std::copy_n(link.sll_addr, interface.mac.bytes.size(), interface.mac.bytes.begin());
    }
  }
  ::freeifaddrs(list);
  return all;
}

template <typename Key>
void SnapshotMaker::Readings<Key>::begin(Time now, std::chrono::steady_clock::duration interval) {
  renews_ = read_at_ == Time{} || now - read_at_ >= interval;
  now_ = now;
}

template <typename Key>
Traffic SnapshotMaker::Readings<Key>::take(const Key& key, const TrafficCounters& now) {
  Reading reading{now, {}};
  if (const auto before = kept_.find(key); before != kept_.end()) {
    if (renews_) {
      const double seconds = std::chrono::duration<double>(now_ - read_at_).count();
      const TrafficCounters& old = before->second.counters;
      reading.rates = {.connections = per_second(old.connections, now.connections, seconds),
                       .in_packets = per_second(old.in_packets, now.in_packets, seconds),
                       .out_packets = per_second(old.out_packets, now.out_packets, seconds),
                       .in_bytes = per_second(old.in_bytes, now.in_bytes, seconds),
                       .out_bytes = per_second(old.out_bytes, now.out_bytes, seconds)};
    } else {
      reading = before->second;
    }
  }
  return {.counters = next_.emplace(key, reading).first->second.counters, .rates = reading.rates};
}

template <typename Key>
void SnapshotMaker::Readings<Key>::end() {
  kept_ = std::exchange(next_, {});
  if (renews_) read_at_ = now_;
}

std::shared_ptr<const Snapshot> SnapshotMaker::make(Gathered gathered, std::map<std::string, HostInterface> interfaces,
                                                    Time now) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = std::move(gathered.config);
  snapshot->programs = std::move(gathered.programs);
  snapshot->vrrp = std::move(gathered.vrrp);
  snapshot->tracked = std::move(gathered.tracked);
  snapshot->pools = std::move(gathered.pools);
  snapshot->interfaces = std::move(interfaces);
  snapshot->version = version_;
  snapshot->router_id = snapshot->config->global.router_id.empty() ? host_name_ : snapshot->config->global.router_id;
  snapshot->taken = now;
  snapshot->agent_started = started_;
  join(*snapshot, gathered.services, now);
  return snapshot;
}

void SnapshotMaker::join(Snapshot& snapshot, const std::vector<VirtualServiceStatus>& services, Time now) {
  const config::Monitoring& monitoring = snapshot.config->global.monitoring;
  const auto interval = monitoring.snmp_vs_stats_interval.value_or(stats_interval_default);
  services_.begin(now, interval);
  destinations_.begin(now, monitoring.snmp_rs_stats_interval.value_or(interval));
  std::map<VirtualServiceKey, Traffic> service_traffic;
  std::map<std::pair<VirtualServiceKey, DestinationKey>, Traffic> destination_traffic;
  for (const VirtualServiceStatus& service : services) {
    service_traffic[service.spec.key] = services_.take(service.spec.key, service.counters);
    for (const DestinationStatus& destination : service.destinations) {
      const std::pair key(service.spec.key, destination.spec.key);
      Traffic& traffic = destination_traffic[key] = destinations_.take(key, destination.counters);
      traffic.active = destination.active;
      traffic.inactive = destination.inactive;
    }
  }
  services_.end();
  destinations_.end();

  const auto traffic_to = [&](const PoolStatus& pool, const DestinationKey& server) {
    Traffic sum;
    for (const VirtualServiceKey& key : pool.services) {
      // One without a port has that of the service.
      const DestinationKey there{server.address, server.port == net::L4Port{} ? key.port : server.port};
      for (const DestinationKey& each : {server, there}) {
        const auto found = destination_traffic.find({key, each});
        if (found == destination_traffic.end()) continue;
        add(sum, found->second);
        break;
      }
    }
    return sum;
  };

  // Pools are in the configuration's order; some virtual servers have none.
  auto at = snapshot.pools.cbegin();
  for (const config::VirtualServer& server : snapshot.config->virtual_servers) {
    ShownServer& shown = snapshot.servers.emplace_back();
    shown.config = &server;
    shown.servers.resize(server.real_servers.size(), nullptr);
    shown.servers_traffic.resize(server.real_servers.size());
    const auto pool =
        std::find_if(at, snapshot.pools.cend(), [&](const PoolStatus& each) { return is_of(each, server); });
    if (pool == snapshot.pools.cend()) continue;
    at = pool + 1;
    shown.pool = &*pool;
    for (const VirtualServiceKey& key : pool->services) {
      if (const auto found = service_traffic.find(key); found != service_traffic.end()) {
        add(shown.traffic, found->second);
      }
    }
    if (pool->sorry_server) shown.sorry_traffic = traffic_to(*pool, *pool->sorry_server);
    std::size_t real = 0;
    for (std::size_t i = 0; i < server.real_servers.size() && real < pool->servers.size(); ++i) {
      const DestinationKey key{server.real_servers[i].address, server.real_servers[i].port};
      if (pool->servers[real].destination.key != key) continue;
      shown.servers[i] = &pool->servers[real++];
      shown.servers_traffic[i] = traffic_to(*pool, key);
    }
  }
}

}  // namespace sluice::control::snmp
