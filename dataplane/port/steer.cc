#include "dataplane/port/steer.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "bpf/steer_maps.h"
#include "dataplane/port/bpf_log.h"
#include "dataplane/port/link.h"
#include "steer_object.h"

namespace sluice::dataplane {

static_assert(sizeof(steer_endpoint) == 8);
static_assert(Steer::queues_max == STEER_QUEUES_MAX);

namespace {

constexpr std::string_view program_name = "sluice_steer";
constexpr std::uint8_t present = 1;

steer_endpoint key_of(net::Protocol protocol, net::Endpoint endpoint) {
  return {.address = endpoint.address.value.raw(),
          .port = endpoint.port.value.raw(),
          .protocol = static_cast<std::uint8_t>(protocol),
          .zero = 0};
}

steer_mac key_of(net::MacAddr mac) {
  steer_mac key{};
  std::copy(mac.bytes.begin(), mac.bytes.end(), key.bytes);
  return key;
}

steer_prefix key_of(const Ipv4Prefix& prefix) {
  return {.length = prefix.length, .address = net::Be32(prefix.first()).raw()};
}

steer_rule compile(const ClassifyRule& rule) {
  return {.source = net::Be32(rule.source.first()).raw(),
          .source_mask = net::Be32(rule.source.mask()).raw(),
          .ifindex = rule.ingress ? static_cast<std::uint32_t>(rule.ingress->ifindex) : 0,
          .vlan = rule.ingress ? rule.ingress->vlan : std::uint16_t{0},
          .port_first = rule.port_first,
          .port_last = rule.port_last,
          .protocol = rule.protocol ? static_cast<std::uint8_t>(*rule.protocol) : std::uint8_t{0},
          .zero = 0};
}

steer_rules compile(std::span<const ClassifyRule> rules) {
  steer_rules compiled{};
  if (rules.size() <= STEER_RULES_OF_PREFIX) {
    for (const ClassifyRule& rule : rules) compiled.rules[compiled.count++] = compile(rule);
  } else {
    compiled.rules[0] = compile(ClassifyRule{});
    compiled.count = 1;
  }
  return compiled;
}

/// For each prefix the rules whose prefix covers it: the trie finds the longest only.
std::map<Ipv4Prefix, std::vector<ClassifyRule>> by_prefix(std::span<const ClassifyRule> rules) {
  std::map<Ipv4Prefix, std::vector<ClassifyRule>> result;
  for (const ClassifyRule& rule : rules) {
    result[{net::Ipv4Addr::from_host(rule.destination.first()), rule.destination.length}] = {};
  }
  for (auto& [prefix, covering] : result) {
    for (const ClassifyRule& rule : rules) {
      if (rule.destination.contains(prefix)) covering.push_back(rule);
    }
  }
  return result;
}

std::string reason(int error) { return std::strerror(error < 0 ? -error : error); }

std::uint32_t attach_flags(XdpMode mode) { return mode == XdpMode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE; }

std::string to_string(XdpMode mode) { return mode == XdpMode::native ? "native" : "generic"; }

Result<> insert(int map, const void* key, std::string where, const char* table) {
  const int error = bpf_map_update_elem(map, key, &present, BPF_ANY);
  if (error == 0) return {};
  if (error == -E2BIG) return fail(std::move(where), fmt::format("the steering table of {} is full", table));
  return fail(std::move(where), fmt::format("can't be added to the steering table of {}: {}", table, reason(error)));
}

std::string where_of(net::Protocol protocol, net::Endpoint endpoint) {
  return net::to_string(protocol) + " " + endpoint.text();
}

Error load_error(int error, const BpfLogCapture& log) {
  switch (-error) {
    case EPERM:
    case EACCES:
      return {"XDP",
              "no permission to load the steering program: run as root, or with CAP_NET_ADMIN, CAP_BPF and "
              "CAP_NET_RAW (systemd: AmbientCapabilities=)"};
    case ENOSYS: return {"XDP", "this kernel has no BPF: it needs CONFIG_BPF_SYSCALL (Debian's kernels have it)"};
    case ENOMEM: return {"XDP", "not enough memory for the steering tables: about 10 MB of kernel memory are needed"};
    default:
      return {"XDP", fmt::format("the kernel refused the steering program ({}), Linux 5.10 or later is needed: {}",
                                 reason(error), log.text())};
  }
}

Error attach_error(const std::string& interface, XdpMode mode, int error, const BpfLogCapture& log) {
  const auto said = log.kernel_message();
  const auto detail = said.empty() ? reason(error) : fmt::format("{} ({})", said, reason(error));
  switch (-error) {
    case EPERM:
    case EACCES:
      return {interface,
              "no permission to attach XDP: run as root, or with CAP_NET_ADMIN (systemd: "
              "AmbientCapabilities=)"};
    case EOPNOTSUPP: return {interface, fmt::format("the driver has no {} XDP: {}", to_string(mode), detail)};
    case ENODEV: return {interface, "the interface has gone"};
    case EEXIST:
    case EBUSY:
      return {interface, fmt::format("another XDP program is attached: {}; remove it with: ip link set dev {} xdp off",
                                     detail, interface)};
    default:
      return {interface,
              fmt::format("{} XDP can't be attached: {}; a smaller MTU, or fewer queues (ethtool -L), may help",
                          to_string(mode), detail)};
  }
}

/// What is attached to an interface now.
struct Present {
  std::uint32_t id = 0;  ///< 0: nothing
  XdpMode mode = XdpMode::native;
  int fd = -1;
  std::string name;

  ~Present() {
    if (fd >= 0) close(fd);
  }
};

int find_present(int ifindex, Present& found) {
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  if (const int error = bpf_xdp_query(ifindex, 0, &query); error != 0) return error;
  found.id = query.drv_prog_id != 0 ? query.drv_prog_id : query.skb_prog_id;
  found.mode = query.drv_prog_id != 0 ? XdpMode::native : XdpMode::generic;
  if (found.id == 0) found.id = query.prog_id;
  if (found.id == 0) return 0;

  found.fd = bpf_prog_get_fd_by_id(found.id);
  bpf_prog_info info{};
  std::uint32_t length = sizeof info;
  if (found.fd >= 0 && bpf_obj_get_info_by_fd(found.fd, &info, &length) == 0) found.name = info.name;
  return 0;
}

/// Only takes away `program`: if someone put another in its place, that one stays.
int detach_program(int ifindex, XdpMode mode, int program) {
  bpf_xdp_attach_opts expected{};
  expected.sz = sizeof expected;
  expected.old_prog_fd = program;
  return bpf_xdp_detach(ifindex, attach_flags(mode), &expected);
}

}  // namespace

Result<std::unique_ptr<Steer>> Steer::load(Log log) {
  const int probe = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (probe < 0 && errno == EPERM) return std::unexpected(load_error(-EPERM, {}));
  if (probe < 0) {
    return fail("AF_XDP", fmt::format("this kernel has no AF_XDP sockets ({}): it needs CONFIG_XDP_SOCKETS "
                                      "(Debian's kernels have it)",
                                      reason(errno)));
  }
  close(probe);

  std::unique_ptr<Steer> steer(new Steer(std::move(log)));
  if (auto loaded = steer->load_object(); !loaded) return std::unexpected(loaded.error());
  return steer;
}

Result<> Steer::load_object() {
  const BpfLogCapture log;
  bpf_object_open_opts options{};
  options.sz = sizeof options;
  options.object_name = "sluice";
  object_ = bpf_object__open_mem(bpf::steer_object, sizeof bpf::steer_object, &options);
  if (object_ == nullptr) return std::unexpected(load_error(-errno, log));
  // Before Linux 5.11 maps count against RLIMIT_MEMLOCK; libbpf 1.x lifts that by itself where it is needed.
  if (const int error = bpf_object__load(object_); error != 0) return std::unexpected(load_error(error, log));

  const bpf_program* program = bpf_object__find_program_by_name(object_, program_name.data());
  program_fd_ = bpf_program__fd(program);
  xsks_fd_ = map_fd("xsks");
  interfaces_fd_ = map_fd("interfaces");
  services_fd_ = map_fd("services");
  vips_fd_ = map_fd("vips");
  nat_destinations_fd_ = map_fd("nat_destinations");
  classified_fd_ = map_fd("classified");
  features_fd_ = map_fd("features");
  local_addresses_fd_ = map_fd("local_addresses");
  macs_fd_ = map_fd("macs");
  counters_fd_ = map_fd("counters");
  return {};
}

int Steer::map_fd(const char* name) const { return bpf_object__find_map_fd_by_name(object_, name); }

Steer::~Steer() {
  for (const auto& [interface, attachment] : attachments_) detach(attachment);
  bpf_object__close(object_);
}

Result<> Steer::add_service(net::Protocol protocol, net::Endpoint endpoint) {
  const auto key = key_of(protocol, endpoint);
  const int error = bpf_map_update_elem(services_fd_, &key, &present, BPF_NOEXIST);
  if (error == -EEXIST) return {};
  if (error != 0) return insert(services_fd_, &key, where_of(protocol, endpoint), "services");

  auto [vip, is_new] = services_of_vip_.try_emplace(endpoint.address, 0);
  if (is_new) {
    const auto address = endpoint.address.value.raw();
    if (auto added = insert(vips_fd_, &address, endpoint.address.text(), "virtual addresses"); !added) {
      services_of_vip_.erase(vip);
      bpf_map_delete_elem(services_fd_, &key);
      return added;
    }
  }
  ++vip->second;
  return {};
}

void Steer::remove_service(net::Protocol protocol, net::Endpoint endpoint) {
  const auto key = key_of(protocol, endpoint);
  if (bpf_map_delete_elem(services_fd_, &key) != 0) return;
  const auto vip = services_of_vip_.find(endpoint.address);
  if (vip == services_of_vip_.end() || --vip->second > 0) return;
  services_of_vip_.erase(vip);
  const auto address = endpoint.address.value.raw();
  bpf_map_delete_elem(vips_fd_, &address);
}

// What comes or changes first, then what goes: a packet that is wanted before and after is wanted in between.
Result<> Steer::set_classify(std::span<const ClassifyRule> rules) {
  const auto wanted = by_prefix(rules);
  for (const auto& [prefix, covering] : wanted) {
    const auto known = classified_.find(prefix);
    if (known != classified_.end() && known->second == covering) continue;
    const auto key = key_of(prefix);
    const auto value = compile(covering);
    if (const int error = bpf_map_update_elem(classified_fd_, &key, &value, BPF_ANY); error != 0) {
      return fail(fmt::format("classify {}/{}", prefix.address.text(), prefix.length),
                  error == -ENOSPC ? "the steering table of prefixes is full"
                                   : "can't be added to the steering table of prefixes: " + reason(error));
    }
    classified_[prefix] = covering;
    set_features();
  }
  for (auto known = classified_.begin(); known != classified_.end();) {
    const auto key = key_of(known->first);
    if (wanted.contains(known->first)) {
      ++known;
    } else {
      bpf_map_delete_elem(classified_fd_, &key);
      known = classified_.erase(known);
    }
  }
  set_features();
  return {};
}

void Steer::set_features() const {
  const std::uint32_t key = 0;
  const std::uint32_t used =
      (classified_.empty() ? 0 : STEER_CLASSIFY) | (nat_destinations_without_port_ == 0 ? 0 : STEER_NAT_WITHOUT_PORT);
  bpf_map_update_elem(features_fd_, &key, &used, BPF_ANY);
}

Result<> Steer::add_local_address(net::Ipv4Addr address) {
  const auto key = address.value.raw();
  return insert(local_addresses_fd_, &key, address.text(), "local addresses");
}

void Steer::remove_local_address(net::Ipv4Addr address) {
  const auto key = address.value.raw();
  bpf_map_delete_elem(local_addresses_fd_, &key);
}

Result<> Steer::add_mac(net::MacAddr mac) {
  const steer_mac key = key_of(mac);
  return insert(macs_fd_, &key, mac.text(), "MAC addresses");
}

void Steer::remove_mac(net::MacAddr mac) {
  const steer_mac key = key_of(mac);
  bpf_map_delete_elem(macs_fd_, &key);
}

Result<> Steer::add_nat_destination(net::Protocol protocol, net::Endpoint endpoint) {
  auto [users, is_new] = nat_destination_users_.try_emplace({endpoint, protocol}, 0);
  if (is_new) {
    const auto key = key_of(protocol, endpoint);
    if (auto added = insert(nat_destinations_fd_, &key, where_of(protocol, endpoint), "NAT real servers"); !added) {
      nat_destination_users_.erase(users);
      return added;
    }
    if (endpoint.port.is_zero() && nat_destinations_without_port_++ == 0) set_features();
  }
  ++users->second;
  return {};
}

void Steer::remove_nat_destination(net::Protocol protocol, net::Endpoint endpoint) {
  const auto users = nat_destination_users_.find({endpoint, protocol});
  if (users == nat_destination_users_.end() || --users->second > 0) return;
  nat_destination_users_.erase(users);
  const auto key = key_of(protocol, endpoint);
  bpf_map_delete_elem(nat_destinations_fd_, &key);
  if (endpoint.port.is_zero() && --nat_destinations_without_port_ == 0) set_features();
}

Result<> Steer::attach(const std::string& interface, XdpMode mode) {
  const int ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (ifindex == 0) return fail(interface, "there is no such interface: check its name with: ip -br link");
  if (const auto known = attachments_.find(interface); known != attachments_.end()) {
    if (known->second.ifindex == ifindex && known->second.mode == mode) return {};
    detach(interface);
  }
  const auto link = link_info(interface);
  if (!link) return std::unexpected(link.error());
  if (auto added = add_mac(link->mac); !added) return added;
  // The slot first: the program must know the interface when its first packet comes.
  auto slot = take_slot(interface, ifindex);
  if (!slot) return std::unexpected(slot.error());
  if (auto attached = replace_or_attach(interface, ifindex, mode); !attached) {
    bpf_map_delete_elem(interfaces_fd_, &ifindex);
    return attached;
  }
  attachments_[interface] = {.ifindex = ifindex, .slot = *slot, .mode = mode};
  return {};
}

Result<> Steer::replace_or_attach(const std::string& interface, int ifindex, XdpMode mode) {
  const BpfLogCapture log;
  Present there;
  if (const int error = find_present(ifindex, there); error != 0) {
    return std::unexpected(attach_error(interface, mode, error, log));
  }
  if (there.id != 0 && there.name != program_name) {
    return fail(interface,
                fmt::format("another XDP program is attached ('{}', id {}); remove it with: ip link set dev {} xdp off",
                            there.name, there.id, interface));
  }
  if (there.id != 0 && log_) {
    log_(LogLevel::info, fmt::format("{}: replacing the steering program (id {}) that a previous run left behind",
                                     interface, there.id));
  }
  bpf_xdp_attach_opts expected{};
  expected.sz = sizeof expected;
  std::uint32_t flags = attach_flags(mode);
  if (there.id != 0 && there.mode == mode) {
    expected.old_prog_fd = there.fd;
    flags |= XDP_FLAGS_REPLACE;
  } else {
    // The kernel doesn't allow both modes at once, so a change of mode leaves a gap.
    if (there.id != 0) detach_program(ifindex, there.mode, there.fd);
    flags |= XDP_FLAGS_UPDATE_IF_NOEXIST;
  }
  if (const int error = bpf_xdp_attach(ifindex, program_fd_, flags, &expected); error != 0) {
    return std::unexpected(attach_error(interface, mode, error, log));
  }
  return {};
}

Result<std::uint32_t> Steer::take_slot(const std::string& interface, int ifindex) {
  std::set<std::uint32_t> taken;
  for (const auto& [name, attachment] : attachments_) taken.insert(attachment.slot);
  std::uint32_t slot = 0;
  while (taken.contains(slot)) ++slot;
  if (slot >= STEER_INTERFACES_MAX) {
    return fail(interface, fmt::format("too many interfaces: an engine takes up to {}", STEER_INTERFACES_MAX));
  }
  if (const int error = bpf_map_update_elem(interfaces_fd_, &ifindex, &slot, BPF_ANY); error != 0) {
    return fail(interface, "can't be added to the steering table of interfaces: " + reason(error));
  }
  return slot;
}

void Steer::detach(const std::string& interface) {
  const auto found = attachments_.find(interface);
  if (found == attachments_.end()) return;
  detach(found->second);
  attachments_.erase(found);
}

void Steer::detach(const Attachment& attachment) {
  const BpfLogCapture log;  // an interface that has gone is no news here
  detach_program(attachment.ifindex, attachment.mode, program_fd_);
  bpf_map_delete_elem(interfaces_fd_, &attachment.ifindex);
  // Its slot may be given to another interface, whose packets must not reach these sockets.
  for (std::uint32_t queue = 0; queue < STEER_QUEUES_MAX; ++queue) {
    const std::uint32_t key = attachment.slot * STEER_QUEUES_MAX + queue;
    bpf_map_delete_elem(xsks_fd_, &key);
  }
}

Result<> Steer::register_socket(const std::string& interface, unsigned queue, int fd) {
  const auto found = attachments_.find(interface);
  if (found == attachments_.end()) return fail(interface, "not attached");
  if (queue >= queues_max) {
    return fail(interface, fmt::format("queue {} is beyond the {} that can be steered: reduce them with: ethtool -L {} "
                                       "combined {}",
                                       queue, queues_max, interface, queues_max));
  }
  const std::uint32_t key = found->second.slot * STEER_QUEUES_MAX + queue;
  if (const int error = bpf_map_update_elem(xsks_fd_, &key, &fd, BPF_ANY); error != 0) {
    return fail(interface, fmt::format("the socket of queue {} can't be registered: {}", queue, reason(error)));
  }
  return {};
}

SteerCounters Steer::counters() const {
  const int cpus = libbpf_num_possible_cpus();
  std::vector<std::uint64_t> per_cpu(cpus > 0 ? static_cast<std::size_t>(cpus) : 1);
  const auto sum = [&](std::uint32_t which) {
    std::uint64_t total = 0;
    if (bpf_map_lookup_elem(counters_fd_, &which, per_cpu.data()) != 0) return total;
    for (const auto value : per_cpu) total += value;
    return total;
  };
  return {
      .steered = sum(STEER_STEERED), .passed = sum(STEER_PASSED), .dropped_no_engine = sum(STEER_DROPPED_NO_ENGINE)};
}

}  // namespace sluice::dataplane
