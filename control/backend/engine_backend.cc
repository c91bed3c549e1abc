#include "control/backend/engine_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "dataplane/flow/tcp_state.h"

namespace sluice::control {

namespace {

using dataplane::DestinationId;
using dataplane::PortId;
using dataplane::ServiceId;

dataplane::ForwardMethod method_of(ForwardingMethod method) {
  switch (method) {
    case ForwardingMethod::nat: return dataplane::ForwardMethod::nat;
    case ForwardingMethod::direct: return dataplane::ForwardMethod::direct;
    case ForwardingMethod::tunnel: return dataplane::ForwardMethod::tunnel;
  }
  return dataplane::ForwardMethod::nat;
}

void add(TrafficCounters& sum, const TrafficCounters& more) {
  sum.connections += more.connections;
  sum.in_packets += more.in_packets;
  sum.in_bytes += more.in_bytes;
  sum.out_packets += more.out_packets;
  sum.out_bytes += more.out_bytes;
}

void subtract(TrafficCounters& sum, const TrafficCounters& less) {
  sum.connections -= less.connections;
  sum.in_packets -= less.in_packets;
  sum.in_bytes -= less.in_bytes;
  sum.out_packets -= less.out_packets;
  sum.out_bytes -= less.out_bytes;
}

net::Endpoint endpoint_of(const VirtualServiceKey& key) { return {key.address.v4(), key.port}; }
net::Endpoint endpoint_of(const DestinationKey& key) { return {key.address.v4(), key.port}; }

}  // namespace

EngineBackend::EngineBackend(dataplane::Engine& engine, dataplane::Steer* steer,
                             std::vector<EngineInterface> interfaces, EngineBackendHooks hooks)
    : engine_(engine), steer_(steer), interfaces_(std::move(interfaces)), hooks_(std::move(hooks)) {}

template <typename Make>
void EngineBackend::post_all(Make&& make) {
  for (std::size_t worker = 0; worker < engine_.workers(); ++worker) engine_.mailbox(worker).post(make());
}

// --- services

Result<> EngineBackend::add_service(const VirtualServiceSpec& spec) {
  const std::string where = spec.key.text();
  if (services_.contains(spec.key)) return fail(where, "the service already exists");
  if (spec.key.has_mark()) return fail(where, "the engine knows no marks so far");
  if (!spec.key.address.is_v4()) return fail(where, "the engine forwards IPv4 only so far");
  const auto scheduler = dataplane::scheduler_from_name(spec.scheduler);
  if (!scheduler) return fail(where, fmt::format("the engine has no scheduler '{}'", spec.scheduler));

  ServiceEntry entry;
  entry.spec = spec;
  entry.scheduler = *scheduler;
  if (!free_services_.empty()) {
    entry.id = free_services_.extract(free_services_.begin()).value();
  } else if (services_made_ < dataplane::services_max) {
    entry.id = ServiceId{services_made_++};
  } else {
    return fail(where, fmt::format("the engine has no room for more than {} services", dataplane::services_max));
  }
  // The workers know it before the first packet can come.
  post_service(entry);
  if (steer_ != nullptr) {
    if (auto steered = steer_->add_service(spec.key.protocol, endpoint_of(spec.key)); !steered) {
      post_all([&] { return dataplane::RemoveService{entry.id, nullptr, nullptr}; });
      free_services_.insert(entry.id);
      return steered;
    }
  }
  services_.emplace(spec.key, std::move(entry));
  return {};
}

Result<> EngineBackend::change_service(const VirtualServiceSpec& spec) {
  auto entry = find_service(spec.key);
  if (!entry) return std::unexpected(entry.error());
  const auto scheduler = dataplane::scheduler_from_name(spec.scheduler);
  if (!scheduler) return fail(spec.key.text(), fmt::format("the engine has no scheduler '{}'", spec.scheduler));
  (*entry)->spec = spec;
  (*entry)->scheduler = *scheduler;
  post_service(**entry);
  return {};
}

Result<> EngineBackend::remove_service(const VirtualServiceKey& key) {
  auto entry = find_service(key);
  if (!entry) return std::unexpected(entry.error());
  if (steer_ != nullptr) steer_->remove_service(key.protocol, endpoint_of(key));
  for (const DestinationId id : (*entry)->destinations) take_out(id);
  const ServiceId id = (*entry)->id;
  post_all([&] { return dataplane::RemoveService{id, nullptr, nullptr}; });
  free_services_.insert(id);
  services_.erase(key);
  return {};
}

Result<EngineBackend::ServiceEntry*> EngineBackend::find_service(const VirtualServiceKey& key) {
  const auto found = services_.find(key);
  if (found == services_.end()) return fail(key.text(), "no such service");
  return &found->second;
}

void EngineBackend::post_service(const ServiceEntry& entry) {
  post_all([&] {
    auto service = std::make_unique<dataplane::Service>();
    service->id = entry.id;
    service->key = {entry.spec.key.protocol, entry.spec.key.address.v4(), entry.spec.key.port};
    service->scheduler = entry.scheduler;
    service->sh_fallback = entry.spec.sh_fallback;
    service->sh_port = entry.spec.sh_port;
    service->candidates.reserve(entry.destinations.size());
    for (const DestinationId id : entry.destinations) {
      const DestinationSpec& spec = destinations_[dataplane::index(id)]->spec;
      service->candidates.push_back({id, spec.weight});
      service->has_nat = service->has_nat || spec.method == ForwardingMethod::nat;
    }
    auto scheduler = dataplane::make_scheduler(*service);
    return dataplane::SetService{std::move(service), std::move(scheduler)};
  });
}

// --- destinations

Result<> EngineBackend::add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const std::string where = service.text() + " -> " + spec.key.text();
  if (!spec.key.address.is_v4()) return fail(where, "the engine forwards IPv4 only so far");

  const DestinationIdentity identity{service, spec.key};
  DestinationId id{};
  if (const auto known = identities_.find(identity); known != identities_.end()) {
    id = known->second;
    DestinationEntry& old = *destinations_[dataplane::index(id)];
    if (old.in_table) return fail(where, "the destination already exists");
    trash_.erase(id);  // revived: its connections go on, its counters count on (IPVS)
    // NAT replies are steered as long as the entry lives, if its method wants it.
    if (steer_ != nullptr && old.spec.method == ForwardingMethod::nat && spec.method != ForwardingMethod::nat) {
      steer_->remove_nat_destination(service.protocol, endpoint_of(spec.key));
    } else if (steer_ != nullptr && old.spec.method != ForwardingMethod::nat && spec.method == ForwardingMethod::nat) {
      if (auto steered = steer_->add_nat_destination(service.protocol, endpoint_of(spec.key)); !steered) return steered;
    }
    old.spec = spec;
    old.service_id = (*entry)->id;
    old.in_table = true;
  } else {
    const auto free = take_destination_id();
    if (!free) {
      return fail(where,
                  fmt::format("the engine has no room for more than {} destinations", dataplane::destinations_max));
    }
    id = *free;
    if (steer_ != nullptr && spec.method == ForwardingMethod::nat) {
      if (auto steered = steer_->add_nat_destination(service.protocol, endpoint_of(spec.key)); !steered) {
        free_destinations_.push_back(id);
        return steered;
      }
    }
    DestinationEntry fresh;
    fresh.service = service;
    fresh.spec = spec;
    fresh.service_id = (*entry)->id;
    fresh.in_table = true;
    fresh.next_hop.reason = "not resolved yet";
    destinations_[dataplane::index(id)] = fresh;
    const TrafficCounters before = count(id);
    destinations_[dataplane::index(id)]->base = before;
    identities_.emplace(identity, id);
    by_address_[spec.key.address].insert(id);
    hooks_.watch(spec.key.address);
  }
  (*entry)->destinations.insert((*entry)->destinations.begin(), id);
  post_destination(id);
  post_service(**entry);
  return {};
}

Result<> EngineBackend::change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const auto known = identities_.find({service, spec.key});
  if (known == identities_.end() || !destinations_[dataplane::index(known->second)]->in_table) {
    return fail(service.text() + " -> " + spec.key.text(), "no such destination");
  }
  DestinationEntry& destination = *destinations_[dataplane::index(known->second)];
  if (steer_ != nullptr && destination.spec.method != spec.method) {
    if (spec.method == ForwardingMethod::nat) {
      if (auto steered = steer_->add_nat_destination(service.protocol, endpoint_of(spec.key)); !steered) return steered;
    } else if (destination.spec.method == ForwardingMethod::nat) {
      steer_->remove_nat_destination(service.protocol, endpoint_of(spec.key));
    }
  }
  destination.spec = spec;
  post_destination(known->second);
  post_service(**entry);
  return {};
}

Result<> EngineBackend::remove_destination(const VirtualServiceKey& service, const DestinationKey& key) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const auto known = identities_.find({service, key});
  if (known == identities_.end() || !destinations_[dataplane::index(known->second)]->in_table) {
    return fail(service.text() + " -> " + key.text(), "no such destination");
  }
  const DestinationId id = known->second;
  std::erase((*entry)->destinations, id);
  post_service(**entry);
  take_out(id);
  return {};
}

// Out of the table, into the trash: connections that refer to it are dropped from now on, until they end.
void EngineBackend::take_out(DestinationId id) {
  DestinationEntry& entry = *destinations_[dataplane::index(id)];
  entry.in_table = false;
  entry.idle_since_s = hooks_.now_s();
  trash_.insert(id);
  post_destination(id);
}

std::optional<DestinationId> EngineBackend::take_destination_id() {
  if (!free_destinations_.empty()) {
    const DestinationId id = free_destinations_.back();
    free_destinations_.pop_back();
    return id;
  }
  if (destinations_.size() == dataplane::destinations_max) return std::nullopt;
  destinations_.emplace_back();
  return DestinationId{std::uint32_t(destinations_.size() - 1)};
}

// An id is used again only when no connection refers to it any more.
void EngineBackend::let_go_of_idle() {
  const std::uint32_t now_s = hooks_.now_s();
  for (auto next = trash_.begin(); next != trash_.end();) {
    const DestinationId id = *next++;
    DestinationEntry& entry = *destinations_[dataplane::index(id)];
    const dataplane::Load bound = load(id);
    if (bound.active + bound.inactive > 0) {
      entry.idle_since_s = now_s;
      continue;
    }
    if (now_s - entry.idle_since_s < trash_idle_s) continue;
    if (const auto service = services_.find(entry.service); service != services_.end()) {
      add(service->second.gone, count(id));
    }
    if (steer_ != nullptr && entry.spec.method == ForwardingMethod::nat) {
      steer_->remove_nat_destination(entry.service.protocol, endpoint_of(entry.spec.key));
    }
    hooks_.unwatch(entry.spec.key.address);
    const auto same_address = by_address_.find(entry.spec.key.address);
    same_address->second.erase(id);
    if (same_address->second.empty()) by_address_.erase(same_address);
    identities_.erase({entry.service, entry.spec.key});
    destinations_[dataplane::index(id)].reset();
    free_destinations_.push_back(id);
    trash_.erase(id);
  }
}

dataplane::Destination EngineBackend::compile(const DestinationEntry& entry) const {
  dataplane::Destination destination;
  destination.available = entry.in_table;
  destination.method = method_of(entry.spec.method);
  destination.service = entry.service_id;
  destination.address = entry.spec.key.address.v4();
  destination.port = entry.spec.key.port;
  destination.upper_threshold = entry.spec.upper_threshold;
  destination.lower_threshold = entry.spec.lower_threshold;
  const netlink::NextHop& hop = entry.next_hop;
  destination.is_local = hop.state == netlink::NextHop::State::local;
  if (destination.is_local && destination.method == dataplane::ForwardMethod::nat &&
      !destination.address.is_loopback()) {
    // Replies from 127/8 come back to us by a rule of their own; from another address of this host they would leave
    // untranslated. A server that listens on all addresses is reached all the same.
    destination.address = net::Ipv4Addr::of(127, 0, 0, 1);
  }
  if (hop.state != netlink::NextHop::State::resolved) return destination;
  for (std::size_t port = 0; port < interfaces_.size(); ++port) {
    if (interfaces_[port].ifindex != hop.ifindex) continue;
    destination.next_hop = {PortId(port), hop.vlan, hop.destination_mac, hop.source_mac};
  }
  destination.tunnel_source = hop.source_address;
  destination.mtu = std::uint16_t(std::min<std::uint32_t>(hop.mtu, 65535));
  return destination;
}

void EngineBackend::post_destination(DestinationId id) {
  const dataplane::Destination destination = compile(*destinations_[dataplane::index(id)]);
  post_all([&] { return dataplane::SetDestination{id, destination}; });
}

std::string EngineBackend::next_hop_text(const DestinationEntry& entry) const {
  const netlink::NextHop& hop = entry.next_hop;
  if (hop.state == netlink::NextHop::State::local) return "local";
  if (hop.state == netlink::NextHop::State::unresolved) return "unresolved: " + hop.reason;
  for (const EngineInterface& interface : interfaces_) {
    if (interface.ifindex != hop.ifindex) continue;
    const std::string vlan = hop.vlan != 0 ? fmt::format(".{}", hop.vlan) : "";
    return fmt::format("{}{} {}", interface.name, vlan, hop.destination_mac.text());
  }
  return "unresolved: its interface isn't one of the engine's (dataplane { interfaces ... })";
}

void EngineBackend::next_hop_changed(const net::IpAddr& address, const netlink::NextHop& next_hop) {
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  for (const DestinationId id : found->second) {
    destinations_[dataplane::index(id)]->next_hop = next_hop;
    post_destination(id);
  }
}

void EngineBackend::port_changed(const EngineInterface& interface, net::MacAddr mac, std::uint32_t mtu) {
  for (std::size_t port = 0; port < interfaces_.size(); ++port) {
    if (interfaces_[port].ifindex != interface.ifindex) continue;
    post_all([&] { return dataplane::SetPort{PortId(port), mac, std::uint16_t(std::min<std::uint32_t>(mtu, 65535))}; });
  }
}

// --- what it looks like

TrafficCounters EngineBackend::count(DestinationId id) const {
  TrafficCounters sum;
  for (std::size_t worker = 0; worker < engine_.workers(); ++worker) {
    const auto& counters = engine_.view(worker).destination_counters[dataplane::index(id)];
    add(sum, {counters.connections.read(), counters.in_packets.read(), counters.in_bytes.read(),
              counters.out_packets.read(), counters.out_bytes.read()});
  }
  if (destinations_[dataplane::index(id)]) subtract(sum, destinations_[dataplane::index(id)]->base);
  return sum;
}

dataplane::Load EngineBackend::load(DestinationId id) const {
  dataplane::Load sum;
  for (std::size_t worker = 0; worker < engine_.workers(); ++worker) {
    const dataplane::Load load = dataplane::read_load(engine_.view(worker).loads[dataplane::index(id)]);
    sum.active += load.active;
    sum.inactive += load.inactive;
  }
  return sum;
}

std::vector<VirtualServiceStatus> EngineBackend::services() const {
  std::vector<VirtualServiceStatus> list;
  list.reserve(services_.size());
  for (const auto& [key, service] : services_) {
    VirtualServiceStatus status;
    status.spec = service.spec;
    status.counters = service.gone;
    for (const DestinationId id : trash_) {
      if (destinations_[dataplane::index(id)]->service == key) add(status.counters, count(id));
    }
    for (const DestinationId id : service.destinations) {
      const DestinationEntry& entry = *destinations_[dataplane::index(id)];
      const dataplane::Load bound = load(id);
      const TrafficCounters counters = count(id);
      add(status.counters, counters);
      status.destinations.push_back({entry.spec, bound.active, bound.inactive, counters, next_hop_text(entry)});
    }
    list.push_back(std::move(status));
  }
  return list;
}

void EngineBackend::connections(std::size_t limit, std::function<void(ConnectionList)> done) {
  auto dump = std::make_unique<Dump>();
  dump->limit = limit;
  dump->waiting = engine_.workers();
  dump->done = std::move(done);
  dumps_.push_back(std::move(dump));
  if (dumps_.size() == 1) start_dump();
}

// Each worker might hold them all.
void EngineBackend::start_dump() {
  const std::size_t limit = dumps_.front()->limit;
  post_all([&] {
    dataplane::DumpFlows request;
    request.room = limit;
    request.flows.reserve(limit);
    return request;
  });
}

void EngineBackend::finish(std::size_t worker, dataplane::DumpFlows dump) {
  assert(!dumps_.empty());
  Dump& current = *dumps_.front();
  current.list.total += engine_.view(worker).counters->flows.read();
  for (const dataplane::FlowRecord& flow : dump.flows) {
    if (current.list.connections.size() == current.limit) break;
    const std::uint32_t end_s = flow.last_seen_s + flow.timeout_s;
    current.list.connections.push_back({flow.protocol, std::string(dataplane::state_name(flow.protocol, flow.state)),
                                        end_s > dump.now_s ? end_s - dump.now_s : 0, flow.client(),
                                        flow.virtual_endpoint(), flow.destination_endpoint(), worker});
  }
  if (--current.waiting > 0) return;
  const auto finished = std::move(dumps_.front());
  dumps_.erase(dumps_.begin());
  if (!dumps_.empty()) start_dump();
  finished->done(std::move(finished->list));
}

bool EngineBackend::collect() {
  bool under_way = false;
  for (std::size_t worker = 0; worker < engine_.workers(); ++worker) {
    for (auto& update : engine_.mailbox(worker).collect()) {
      if (auto* dump = std::get_if<dataplane::DumpFlows>(update.get())) finish(worker, std::move(*dump));
    }
    under_way |= engine_.mailbox(worker).outstanding() > 0;
  }
  let_go_of_idle();
  return under_way;
}

}  // namespace sluice::control
