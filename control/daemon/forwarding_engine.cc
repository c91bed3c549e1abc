#include "control/daemon/forwarding_engine.h"

#include <fmt/format.h>
#include <sched.h>
#include <time.h>

#include <algorithm>

#include "control/daemon/classify_rules.h"
#include "control/daemon/interfaces.h"
#include "control/netlink/route_query.h"
#include "control/pools/served.h"
#include "dataplane/port/af_xdp.h"
#include "dataplane/port/tun.h"

namespace sluice::control {

namespace {

using dataplane::LogLevel;
using dataplane::PortId;

std::uint32_t coarse_s() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::uint32_t(now.tv_sec);
}

// The cores this process may use, the highest first: interrupts and everything else gather on the lowest.
std::vector<unsigned> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (unsigned core = CPU_SETSIZE; core-- > 0;) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

dataplane::AfXdpMode mode_of(config::XdpMode mode) {
  switch (mode) {
    case config::XdpMode::automatic: return dataplane::AfXdpMode::automatic;
    case config::XdpMode::zero_copy: return dataplane::AfXdpMode::zero_copy;
    case config::XdpMode::native_copy: return dataplane::AfXdpMode::native_copy;
    case config::XdpMode::generic: return dataplane::AfXdpMode::generic;
  }
  return dataplane::AfXdpMode::automatic;
}

}  // namespace

Result<std::unique_ptr<ForwardingEngine>> ForwardingEngine::open(const config::Config& config,
                                                                 netlink::Reflector& reflector,
                                                                 const dataplane::Log& log) {
  auto query = netlink::RouteQuery::open();
  if (!query) return std::unexpected(query.error());
  const auto choices =
      choose_interfaces(config, reflector.mirror(), [&](const net::IpAddr& address) { return query->decide(address); });
  if (!choices) return std::unexpected(choices.error());
  for (const std::string& warning : choices->warnings) log(LogLevel::warning, warning);

  auto lock = EngineLock::take();
  if (!lock) return std::unexpected(lock.error());
  std::unique_ptr<ForwardingEngine> engine(new ForwardingEngine(reflector, std::move(*lock)));
  if (auto done = engine->load_steer(config, log); !done) return std::unexpected(done.error());
  if (auto done = engine->load_classify(config, choices->names); !done) return std::unexpected(done.error());
  if (auto done = engine->open_ports(config, choices->names, log); !done) return std::unexpected(done.error());
  if (auto done = engine->follow_network(log); !done) return std::unexpected(done.error());
  engine->engine_->start();
  return engine;
}

// The steering program knows the services before it sees the first packet: the host never answers for them.
Result<> ForwardingEngine::load_steer(const config::Config& config, const dataplane::Log& log) {
  auto steer = dataplane::Steer::load(log);
  if (!steer) return std::unexpected(steer.error());
  steer_ = std::move(*steer);
  for (const config::VirtualServer& server : config.virtual_servers) {
    for (const VirtualServiceKey& key : served_services(config, server).keys) {
      if (key.has_mark()) continue;
      if (auto added = steer_->add_service(key.protocol, {key.address.v4(), key.port}); !added) return added;
    }
  }
  for (const netlink::InterfaceAddress& address : reflector_.mirror().addresses()) {
    if (!address.address.is_v4()) continue;
    if (auto added = steer_->add_local_address(address.address.v4()); !added) return added;
  }
  return {};
}

Result<> ForwardingEngine::load_classify(const config::Config& config, const std::vector<std::string>& interfaces) {
  std::set<std::uint32_t> marks;
  for (const config::VirtualServer& server : config.virtual_servers) {
    for (const VirtualServiceKey& key : served_services(config, server).keys) marks.insert(key.mark);
  }
  // Ports get their numbers later; steering asks for interfaces.
  std::vector<EngineInterface> known;
  for (const std::string& name : interfaces) {
    if (const netlink::Link* link = reflector_.mirror().link(name)) known.push_back({name, link->ifindex});
  }
  auto rules = classify_rules(config.dataplane.classify, known, reflector_.mirror()).rules;
  std::erase_if(rules, [&](const dataplane::ClassifyRule& rule) { return !marks.contains(rule.mark); });
  return steer_->set_classify(rules);
}

Result<> ForwardingEngine::open_ports(const config::Config& config, const std::vector<std::string>& interfaces,
                                      const dataplane::Log& log) {
  const std::vector<unsigned> cores = config.dataplane.cores.empty() ? usable_cores() : config.dataplane.cores;
  dataplane::AfXdpConfig ports;
  for (const std::string& name : interfaces) ports.interfaces.push_back({name, config.dataplane.queues});
  ports.workers = unsigned(config.dataplane.cores.size());
  ports.cores = std::max(1u, unsigned(cores.size()));
  ports.mode = mode_of(config.dataplane.xdp_mode);
  auto opened = dataplane::open_af_xdp(ports, *steer_, log);
  if (!opened) return std::unexpected(opened.error());
  for (const auto& choice : opened->interfaces) interfaces_.push_back({choice.name, choice.ifindex});

  dataplane::EngineConfig engine;
  engine.connections = config.dataplane.connections;
  engine.poll = config.dataplane.poll == config::PollPolicy::always ? dataplane::PollPolicy::always
                                                                    : dataplane::PollPolicy::adaptive;
  engine.cores = cores;
  engine.log = log;
  std::vector<dataplane::FramePool*> pools;
  for (const auto& worker : opened->workers) pools.push_back(worker.pool.get());
  const PortId host_port{std::uint8_t(interfaces_.size())};
  if (auto tun = dataplane::open_tun(host_port, pools); tun) {
    engine.host_port = host_port;
    for (std::size_t w = 0; w < pools.size(); ++w) opened->workers[w].ports.push_back(std::move((*tun)[w]));
  } else {
    log(LogLevel::warning, fmt::format("{}: real servers on this host can't be reached, and packets of unknown "
                                       "connections are dropped instead of reset",
                                       tun.error().text()));
  }
  auto made = dataplane::Engine::create(std::move(engine), std::move(opened->workers));
  if (!made) return std::unexpected(made.error());
  engine_ = std::move(*made);
  log(LogLevel::info,
      fmt::format("engine: {} worker{}, room for {} connections", engine_->workers(),
                  engine_->workers() == 1 ? "" : "s", engine_->connections_per_worker() * engine_->workers()));
  return {};
}

Result<> ForwardingEngine::follow_network(const dataplane::Log& log) {
  EngineBackendHooks hooks;
  hooks.watch = [this](const net::IpAddr& address) { resolver_->watch(address); };
  hooks.unwatch = [this](const net::IpAddr& address) { resolver_->unwatch(address); };
  hooks.now_s = coarse_s;
  backend_ = std::make_unique<EngineBackend>(*engine_, steer_.get(), interfaces_, std::move(hooks));
  auto resolver = netlink::NextHopResolver::start(
      reflector_, [this, log](const net::IpAddr& address, const netlink::NextHop& next_hop) {
        take_next_hop(address, next_hop, log);
      });
  if (!resolver) return std::unexpected(resolver.error());
  resolver_ = std::move(*resolver);

  const auto take_link = [this, log](const netlink::Link& link) {
    if (!link.ethernet) return;
    if (auto looked = look_at_mac(link); !looked) log(LogLevel::warning, looked.error().text());
    backend_->port_changed({link.name, link.ifindex}, link.mac, link.mtu);
    if (auto applied = apply_classify(); !applied) log(LogLevel::warning, applied.error().text());
  };
  for (const netlink::Link& link : reflector_.mirror().links()) take_link(link);
  netlink::Listener listener;
  listener.link_changed = take_link;
  listener.link_removed = [this](const netlink::Link& link) { (void)look_at_mac(link); };
  listener.address_added = [this, log](const netlink::InterfaceAddress& address) {
    if (const netlink::Link* link = reflector_.link(address.ifindex); link != nullptr) {
      if (auto looked = look_at_mac(*link); !looked) log(LogLevel::warning, looked.error().text());
    }
    if (!address.address.is_v4()) return;
    if (auto added = steer_->add_local_address(address.address.v4()); !added) {
      log(LogLevel::warning, added.error().text());
    }
  };
  listener.address_removed = [this](const netlink::InterfaceAddress& address) {
    if (const netlink::Link* link = reflector_.link(address.ifindex); link != nullptr) (void)look_at_mac(*link);
    if (!address.address.is_v4() || reflector_.is_local(address.address)) return;
    steer_->remove_local_address(address.address.v4());
  };
  subscription_ = reflector_.subscribe(std::move(listener));
  return {};
}

// Frames are ours by any MAC of this host: macvlans (VRRP's virtual MAC) lie above the engine's interfaces. A MAC that
// was replaced stays known: frames to it may still be under way. But a macvlan's MAC may be one that directors share:
// it is ours while there are addresses with it. Otherwise two directors would forward what a switch floods.
Result<> ForwardingEngine::look_at_mac(const netlink::Link& link) {
  if (!link.ethernet) return {};
  const netlink::Mirror& mirror = reflector_.mirror();
  const auto links = mirror.links();
  const bool is_ours = std::ranges::any_of(links, [&](const netlink::Link& other) {
    return other.mac == link.mac && (other.kind != "macvlan" || !mirror.addresses_of(other.ifindex).empty());
  });
  if (is_ours) return steer_->add_mac(link.mac);
  if (link.kind == "macvlan") steer_->remove_mac(link.mac);
  return {};
}

void ForwardingEngine::take_next_hop(const net::IpAddr& address, const netlink::NextHop& next_hop,
                                     const dataplane::Log& log) {
  using State = netlink::NextHop::State;
  if (next_hop.state == State::unresolved) {
    log(LogLevel::warning, fmt::format("next hop of {}: {}", address.text(), next_hop.reason));
  } else if (next_hop.state == State::resolved && !has_interface(next_hop.ifindex) &&
             told_of_.insert(next_hop.ifindex).second) {
    const netlink::Link* link = reflector_.link(next_hop.ifindex);
    log(LogLevel::warning,
        fmt::format("{} is reached over {}, which isn't one of the engine's interfaces: restart sluiced to have it "
                    "served",
                    address.text(), link != nullptr ? link->name : fmt::format("interface {}", next_hop.ifindex)));
  }
  backend_->next_hop_changed(address, next_hop);
}

Result<> ForwardingEngine::set_classify(std::vector<config::Classify> rules) {
  classify_ = std::move(rules);
  return apply_classify();
}

// What comes out as before changes nothing.
Result<> ForwardingEngine::apply_classify() {
  if (!classify_) return {};
  return backend_->set_classify(classify_rules(*classify_, interfaces_, reflector_.mirror()).rules);
}

std::vector<Error> ForwardingEngine::classify_complaints(std::span<const config::Classify> rules) const {
  return classify_rules(rules, interfaces_, reflector_.mirror()).complaints;
}

bool ForwardingEngine::has_interface(int ifindex) const {
  return std::any_of(interfaces_.begin(), interfaces_.end(),
                     [&](const EngineInterface& interface) { return interface.ifindex == ifindex; });
}

std::vector<std::string> ForwardingEngine::interfaces_missing(std::span<const PoolSpec> pools) const {
  std::set<std::string> names;
  for (const PoolSpec& pool : pools) {
    for (const VirtualServiceSpec& service : pool.services) {
      if (service.key.has_mark()) continue;
      const netlink::Link* carrier = reflector_.mirror().link_with(service.key.address);
      if (carrier == nullptr || carrier->loopback) continue;
      const netlink::Link* link = lowest_link(carrier, reflector_.mirror());
      if (link != nullptr && link->ethernet && !has_interface(link->ifindex)) names.insert(link->name);
    }
  }
  return {names.begin(), names.end()};
}

ForwardingEngine::~ForwardingEngine() {
  if (engine_ != nullptr) engine_->stop();
}

}  // namespace sluice::control
