#include "control/backend/engine_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <span>
#include <utility>

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

// --- batches

void EngineBackend::commit() {
  assert(batch_depth_ > 0);
  if (--batch_depth_ == 0) flush();
}

void EngineBackend::touch(ServiceEntry& entry) {
  if (!std::exchange(entry.is_dirty, true)) dirty_services_.push_back(&entry);
}

void EngineBackend::touch(DestinationId id) {
  if (!std::exchange(entry_of(id).is_dirty, true)) dirty_destinations_.push_back(id);
}

// A list never names a real server that the workers don't know, and one that has gone is dropped only when no list
// names it any more.
void EngineBackend::flush() {
  flush_destinations(true);
  flush_services();
  flush_destinations(false);
  for (const DestinationId id : dirty_destinations_) entry_of(id).is_dirty = false;
  dirty_destinations_.clear();
}

void EngineBackend::flush_destinations(bool in_table) {
  std::vector<DestinationId> ids;
  for (const DestinationId id : dirty_destinations_) {
    if (entry_of(id).in_table == in_table) ids.push_back(id);
  }
  for (std::size_t from = 0; from < ids.size(); from += dataplane::SetDestinations::most) {
    const auto part = std::span(ids).subspan(from, std::min(ids.size() - from, dataplane::SetDestinations::most));
    std::vector<dataplane::Destination> compiled;
    compiled.reserve(part.size());
    for (const DestinationId id : part) compiled.push_back(compile(entry_of(id)));
    post_all([&] { return dataplane::SetDestinations{{part.begin(), part.end()}, compiled}; });
  }
}

void EngineBackend::flush_services() {
  for (ServiceEntry* entry : dirty_services_) {
    if (!entry->is_leaving) continue;
    const VirtualServiceKey& key = entry->spec.key;
    if (key.has_mark()) {
      // Can't fail: it takes prefixes away.
      (void)steer_marks();
    } else if (steer_ != nullptr) {
      steer_->remove_service(key.protocol, endpoint_of(key));
    }
    post_all([&] { return dataplane::RemoveService{entry->id, nullptr, nullptr}; });
    free_services_.insert(entry->id);
  }
  for (ServiceEntry* entry : std::exchange(dirty_services_, {})) {
    entry->is_dirty = false;
    if (entry->is_leaving) {
      last_found_ = nullptr;
      services_.erase(services_.find(entry->spec.key));
    } else {
      post_service(*entry);
    }
  }
}

// --- services

Result<> EngineBackend::add_service(const VirtualServiceSpec& spec) {
  const std::string where = spec.key.text();
  const auto known = services_.find(spec.key);
  if (known != services_.end() && !known->second.is_leaving) return fail(where, "the service already exists");
  if (!spec.key.address.is_v4()) return fail(where, "the engine forwards IPv4 only so far");
  const auto scheduler = dataplane::scheduler_from_name(spec.scheduler);
  if (!scheduler) return fail(where, fmt::format("the engine has no scheduler '{}'", spec.scheduler));
  const Batch batch(*this);
  if (known != services_.end()) {
    ServiceEntry& entry = known->second;
    entry.is_leaving = false;
    entry.spec = spec;
    entry.scheduler = *scheduler;
    return {};
  }

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
  // The workers know it before the first packet can come, though still without real servers.
  post_service(entry);
  const ServiceId id = entry.id;
  const auto added = services_.emplace(spec.key, std::move(entry)).first;
  if (auto steered = steer_service(spec.key); !steered) {
    services_.erase(added);
    post_all([&] { return dataplane::RemoveService{id, nullptr, nullptr}; });
    free_services_.insert(id);
    return steered;
  }
  return {};
}

Result<> EngineBackend::change_service(const VirtualServiceSpec& spec) {
  auto entry = find_service(spec.key);
  if (!entry) return std::unexpected(entry.error());
  const auto scheduler = dataplane::scheduler_from_name(spec.scheduler);
  if (!scheduler) return fail(spec.key.text(), fmt::format("the engine has no scheduler '{}'", spec.scheduler));
  const Batch batch(*this);
  (*entry)->spec = spec;
  (*entry)->scheduler = *scheduler;
  touch(**entry);
  return {};
}

Result<> EngineBackend::remove_service(const VirtualServiceKey& key) {
  auto entry = find_service(key);
  if (!entry) return std::unexpected(entry.error());
  const Batch batch(*this);
  for (const DestinationId id : (*entry)->destinations) take_out(id);
  (*entry)->destinations.clear();
  (*entry)->is_leaving = true;
  touch(**entry);
  return {};
}

Result<EngineBackend::ServiceEntry*> EngineBackend::find_service(const VirtualServiceKey& key) {
  if (last_found_ == nullptr || last_found_->spec.key != key) {
    const auto found = services_.find(key);
    if (found == services_.end()) return fail(key.text(), "no such service");
    last_found_ = &found->second;
  }
  if (last_found_->is_leaving) return fail(key.text(), "no such service");
  return last_found_;
}

void EngineBackend::post_service(const ServiceEntry& entry) {
  post_all([&] {
    auto service = std::make_unique<dataplane::Service>();
    service->id = entry.id;
    service->key = {entry.spec.key.protocol, entry.spec.key.address.v4(), entry.spec.key.port, entry.spec.key.mark};
    service->scheduler = entry.scheduler;
    service->sh_fallback = entry.spec.sh_fallback;
    service->sh_port = entry.spec.sh_port;
    service->candidates.reserve(entry.destinations.size());
    for (const DestinationId id : entry.destinations) {
      const DestinationSpec& spec = entry_of(id).spec;
      service->candidates.push_back({id, spec.weight});
      service->has_nat = service->has_nat || spec.method == ForwardingMethod::nat;
    }
    auto scheduler = dataplane::make_scheduler(*service);
    return dataplane::SetService{std::move(service), std::move(scheduler)};
  });
}

// --- marks

bool EngineBackend::is_taken(std::uint32_t mark) const {
  const auto found = services_.find(VirtualServiceKey::of_mark(mark));
  return found != services_.end() && !found->second.is_leaving;
}

Result<> EngineBackend::set_classify(std::vector<dataplane::ClassifyRule> rules) {
  if (rules.size() > dataplane::Classifier::rules_max) {
    return fail("classify", fmt::format("{} rules are too many: the engine takes {}", rules.size(),
                                        dataplane::Classifier::rules_max));
  }
  const bool is_new = mark_rules_.set(
      std::move(rules), [this](std::uint32_t mark) { return is_taken(mark); }, hooks_.now_s());
  if (!is_new && has_classify_) return {};
  has_classify_ = true;
  // The workers know the rules before packets come because of them.
  post_classifier();
  return steer_marks();
}

void EngineBackend::post_classifier() {
  const std::vector<dataplane::ClassifyRule> rules = mark_rules_.for_workers();
  post_all([&] {
    return dataplane::SetClassifier{rules.empty() ? nullptr : std::make_unique<const dataplane::Classifier>(rules)};
  });
}

Result<> EngineBackend::steer_marks() {
  if (steer_ == nullptr || !has_classify_) return {};
  return steer_->set_classify(mark_rules_.for_steering([this](std::uint32_t mark) { return is_taken(mark); }));
}

Result<> EngineBackend::steer_service(const VirtualServiceKey& key) {
  if (key.has_mark()) return steer_marks();
  return steer_ != nullptr ? steer_->add_service(key.protocol, endpoint_of(key)) : Result<>{};
}

// --- destinations

// A service with a mark takes any protocol that the engine forwards.
Result<> EngineBackend::steer_replies(const VirtualServiceKey& service, const DestinationKey& destination) {
  if (steer_ == nullptr) return {};
  const net::Endpoint endpoint = endpoint_of(destination);
  if (!service.has_mark()) return steer_->add_nat_destination(service.protocol, endpoint);
  if (auto tcp = steer_->add_nat_destination(net::Protocol::tcp, endpoint); !tcp) return tcp;
  auto udp = steer_->add_nat_destination(net::Protocol::udp, endpoint);
  if (!udp) steer_->remove_nat_destination(net::Protocol::tcp, endpoint);
  return udp;
}

void EngineBackend::stop_steering_replies(const VirtualServiceKey& service, const DestinationKey& destination) {
  if (steer_ == nullptr) return;
  const net::Endpoint endpoint = endpoint_of(destination);
  if (!service.has_mark()) return steer_->remove_nat_destination(service.protocol, endpoint);
  steer_->remove_nat_destination(net::Protocol::tcp, endpoint);
  steer_->remove_nat_destination(net::Protocol::udp, endpoint);
}

std::size_t EngineBackend::hash_of(const VirtualServiceKey& service, const DestinationKey& destination) {
  const auto mix = [](std::size_t sum, std::size_t more) { return (sum ^ more) * 0x9e3779b97f4a7c15ull; };
  std::size_t sum = mix(service.address.hash(), destination.address.hash() << 1);
  sum = mix(sum, (std::size_t{service.mark} << 32) | (std::size_t{service.port.value.raw()} << 16) |
                     destination.port.value.raw());
  sum = mix(sum, std::size_t(service.protocol));
  return sum ^ (sum >> 32);
}

std::size_t EngineBackend::ByIdentity::hash_of(std::uint32_t id) const {
  const DestinationEntry& entry = backend.destinations_[id];
  return EngineBackend::hash_of(entry.service, entry.spec.key);
}

std::optional<DestinationId> EngineBackend::find(const VirtualServiceKey& service, const DestinationKey& key) {
  const std::uint32_t found = identities_.find(hash_of(service, key), ByIdentity{*this}, [&](std::uint32_t id) {
    return destinations_[id].spec.key == key && destinations_[id].service == service;
  });
  if (found == ChainedIndex::none) return std::nullopt;
  return DestinationId{found};
}

EngineBackend::Way* EngineBackend::find_way(const net::IpAddr& address) {
  const std::uint32_t found = addresses_.find(address.hash(), ByAddress{*this},
                                              [&](std::uint32_t way) { return ways_[way].address == address; });
  return found == ChainedIndex::none ? nullptr : &ways_[found];
}

Result<> EngineBackend::add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const auto where = [&] { return service.text() + " -> " + spec.key.text(); };
  if (!spec.key.address.is_v4()) return fail(where(), "the engine forwards IPv4 only so far");
  const Batch batch(*this);

  std::optional<DestinationId> id = find(service, spec.key);
  if (id) {
    if (entry_of(*id).in_table) return fail(where(), "the destination already exists");
    if (auto revived = revive(*id, **entry, spec); !revived) return revived;
  } else {
    const bool is_used_id = !free_destinations_.empty();
    id = take_destination_id();
    if (!id) {
      return fail(where(),
                  fmt::format("the engine has no room for more than {} destinations", dataplane::destinations_max));
    }
    if (spec.method == ForwardingMethod::nat) {
      if (auto steered = steer_replies(service, spec.key); !steered) {
        free_destinations_.push_back(*id);
        return steered;
      }
    }
    DestinationEntry fresh;
    fresh.service = service;
    fresh.spec = spec;
    fresh.service_id = (*entry)->id;
    fresh.is_used = true;
    fresh.in_table = true;
    entry_of(*id) = fresh;
    if (is_used_id) bases_[*id] = count(*id);
    identities_.insert(std::uint32_t(*id), ByIdentity{*this});
    put_on_way(*id);
  }
  (*entry)->destinations.insert((*entry)->destinations.begin(), *id);
  touch(*id);
  touch(**entry);
  return {};
}

// Back from the trash: its connections go on, its counters count on (IPVS).
Result<> EngineBackend::revive(DestinationId id, const ServiceEntry& service, const DestinationSpec& spec) {
  DestinationEntry& entry = entry_of(id);
  // NAT replies are steered as long as the entry lives, if its method wants it.
  if (auto steered = change_steering(entry, spec.method); !steered) return steered;
  trash_.erase(id);
  entry.spec = spec;
  entry.service_id = service.id;
  entry.in_table = true;
  return {};
}

Result<> EngineBackend::change_steering(const DestinationEntry& entry, ForwardingMethod method) {
  if (entry.spec.method == method) return {};
  if (method == ForwardingMethod::nat) return steer_replies(entry.service, entry.spec.key);
  if (entry.spec.method == ForwardingMethod::nat) stop_steering_replies(entry.service, entry.spec.key);
  return {};
}

Result<> EngineBackend::change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const auto id = find(service, spec.key);
  if (!id || !entry_of(*id).in_table) return fail(service.text() + " -> " + spec.key.text(), "no such destination");
  const Batch batch(*this);
  DestinationEntry& destination = entry_of(*id);
  if (auto steered = change_steering(destination, spec.method); !steered) return steered;
  DestinationSpec other_weight = destination.spec;
  other_weight.weight = spec.weight;
  destination.spec = spec;
  if (other_weight != spec) touch(*id);
  touch(**entry);
  return {};
}

Result<> EngineBackend::remove_destination(const VirtualServiceKey& service, const DestinationKey& key) {
  auto entry = find_service(service);
  if (!entry) return std::unexpected(entry.error());
  const auto id = find(service, key);
  if (!id || !entry_of(*id).in_table) return fail(service.text() + " -> " + key.text(), "no such destination");
  const Batch batch(*this);
  std::erase((*entry)->destinations, *id);
  touch(**entry);
  take_out(*id);
  return {};
}

// Out of the table, into the trash: connections that refer to it are dropped from now on, until they end.
void EngineBackend::take_out(DestinationId id) {
  DestinationEntry& entry = entry_of(id);
  entry.in_table = false;
  entry.idle_since_s = hooks_.now_s();
  trash_.insert(id);
  touch(id);
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

void EngineBackend::put_on_way(DestinationId id) {
  DestinationEntry& entry = entry_of(id);
  const net::IpAddr& address = entry.spec.key.address;
  Way* way = find_way(address);
  if (way != nullptr) {
    entry.way = entry_of(DestinationId{way->first}).way;
  } else {
    if (free_ways_.empty()) {
      entry.way = std::uint32_t(ways_.size());
      ways_.emplace_back();
    } else {
      entry.way = free_ways_.back();
      free_ways_.pop_back();
    }
    way = &ways_[entry.way];
    *way = {};
    way->address = address;
    way->next_hop.reason = "not resolved yet";
    addresses_.insert(entry.way, ByAddress{*this});
    hooks_.watch(address);
  }
  entry.next_on_way = std::exchange(way->first, std::uint32_t(id));
}

void EngineBackend::take_off_way(DestinationId id) {
  const DestinationEntry& entry = entry_of(id);
  Way& way = ways_[entry.way];
  std::uint32_t* link = &way.first;
  while (*link != std::uint32_t(id)) link = &destinations_[*link].next_on_way;
  *link = entry.next_on_way;
  if (way.first != ChainedIndex::none) return;
  hooks_.unwatch(way.address);
  addresses_.erase(entry.way, ByAddress{*this});
  free_ways_.push_back(entry.way);
}

// An id is used again only when no connection refers to it any more.
void EngineBackend::let_go_of_idle() {
  const std::uint32_t now_s = hooks_.now_s();
  if (std::exchange(trash_seen_s_, now_s) == now_s) return;
  for (auto next = trash_.begin(); next != trash_.end();) {
    const DestinationId id = *next++;
    DestinationEntry& entry = entry_of(id);
    const dataplane::Load bound = load(id);
    if (bound.active + bound.inactive > 0) {
      entry.idle_since_s = now_s;
      continue;
    }
    if (now_s - entry.idle_since_s < trash_idle_s) continue;
    if (const auto service = services_.find(entry.service); service != services_.end()) {
      add(service->second.gone, count(id));
    }
    if (entry.spec.method == ForwardingMethod::nat) stop_steering_replies(entry.service, entry.spec.key);
    identities_.erase(std::uint32_t(id), ByIdentity{*this});
    take_off_way(id);
    trash_.erase(id);
    bases_.erase(id);
    entry = {};
    free_destinations_.push_back(id);
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
  const netlink::NextHop& hop = ways_[entry.way].next_hop;
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

std::string EngineBackend::next_hop_text(const DestinationEntry& entry) const {
  const netlink::NextHop& hop = ways_[entry.way].next_hop;
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
  Way* way = find_way(address);
  if (way == nullptr) return;
  const Batch batch(*this);
  way->next_hop = next_hop;
  for (std::uint32_t id = way->first; id != ChainedIndex::none; id = destinations_[id].next_on_way) {
    touch(DestinationId{id});
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
  if (const auto base = bases_.find(id); base != bases_.end()) subtract(sum, base->second);
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
  std::map<VirtualServiceKey, TrafficCounters> in_trash;
  for (const DestinationId id : trash_) add(in_trash[entry_of(id).service], count(id));
  std::vector<VirtualServiceStatus> list;
  list.reserve(services_.size());
  for (const auto& [key, service] : services_) {
    if (service.is_leaving) continue;
    VirtualServiceStatus status;
    status.spec = service.spec;
    status.counters = service.gone;
    if (const auto removed = in_trash.find(key); removed != in_trash.end()) add(status.counters, removed->second);
    status.destinations.reserve(service.destinations.size());
    for (const DestinationId id : service.destinations) {
      const DestinationEntry& entry = entry_of(id);
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
  if (mark_rules_.forget(hooks_.now_s())) {
    (void)steer_marks();  // can't fail: it takes prefixes away
    post_classifier();
  }
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
