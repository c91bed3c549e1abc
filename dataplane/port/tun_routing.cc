#include "dataplane/port/tun_routing.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <netlink/route/rule.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace sluice::dataplane {

namespace {

/// libnl's objects are freed by functions of their own.
template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Socket = std::unique_ptr<nl_sock, Freer<nl_socket_free>>;
using Address = std::unique_ptr<nl_addr, Freer<nl_addr_put>>;
using DeviceAddress = std::unique_ptr<rtnl_addr, Freer<rtnl_addr_put>>;
using Rule = std::unique_ptr<rtnl_rule, Freer<rtnl_rule_put>>;
using Route = std::unique_ptr<rtnl_route, Freer<rtnl_route_put>>;

Result<Socket> open_netlink() {
  Socket socket(nl_socket_alloc());
  if (socket == nullptr) return fail("netlink", "no memory for a socket");
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) {
    return fail("netlink", std::string("no connection to the kernel's routing: ") + nl_geterror(error));
  }
  return socket;
}

Address parse_ipv4(const char* text) {
  nl_addr* address = nullptr;
  nl_addr_parse(text, AF_INET, &address);
  return Address(address);
}

/// 192.0.0.8/32, the IPv4 dummy address (RFC 7600): never on a wire, never a source.
DeviceAddress make_address(int ifindex) {
  DeviceAddress address(rtnl_addr_alloc());
  rtnl_addr_set_ifindex(address.get(), ifindex);
  rtnl_addr_set_local(address.get(), parse_ipv4("192.0.0.8/32").get());
  rtnl_addr_set_scope(address.get(), RT_SCOPE_LINK);
  return address;
}

/// from 127.0.0.0/8 lookup 1089
Rule make_rule() {
  Rule rule(rtnl_rule_alloc());
  rtnl_rule_set_family(rule.get(), AF_INET);
  rtnl_rule_set_src(rule.get(), parse_ipv4("127.0.0.0/8").get());
  rtnl_rule_set_action(rule.get(), FR_ACT_TO_TBL);
  rtnl_rule_set_table(rule.get(), TunRouting::table);
  rtnl_rule_set_prio(rule.get(), TunRouting::table);
  return rule;
}

/// default dev DEVICE table 1089
Route make_route(int ifindex) {
  Route route(rtnl_route_alloc());
  rtnl_route_set_family(route.get(), AF_INET);
  rtnl_route_set_table(route.get(), TunRouting::table);
  rtnl_route_set_scope(route.get(), RT_SCOPE_LINK);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_dst(route.get(), parse_ipv4("0.0.0.0/0").get());
  rtnl_nexthop* hop = rtnl_route_nh_alloc();
  rtnl_route_nh_set_ifindex(hop, ifindex);
  rtnl_route_add_nexthop(route.get(), hop);
  return route;
}

Result<> write_setting(const std::string& path, std::string_view value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written = fd >= 0 && write(fd, value.data(), value.size()) == ssize_t(value.size());
  const int error = errno;
  if (fd >= 0) close(fd);
  if (written) return {};
  return fail(path, fmt::format("can't be set to {}: {}; real servers on this host need it (in a container: mount "
                                "/proc/sys writable)",
                                value, std::strerror(error)));
}

Result<> bring_up(const std::string& device) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, device.c_str(), device.size() + 1);
  bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  up = up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (up) return {};
  return fail(device, fmt::format("can't be set up: {}", std::strerror(error)));
}

}  // namespace

Result<std::unique_ptr<TunRouting>> TunRouting::set_up(const std::string& device) {
  const std::string settings = "/proc/sys/net/ipv4/conf/" + device;
  // No router solicitations and the like: only what we asked for is to come out of the device. Best effort, as a
  // kernel without IPv6 has no such file.
  (void)write_setting("/proc/sys/net/ipv6/conf/" + device + "/disable_ipv6", "1");
  // Clients' addresses are reached over other interfaces: strict filtering would drop them here.
  if (auto set = write_setting(settings + "/rp_filter", "2"); !set) return std::unexpected(set.error());
  if (auto set = write_setting(settings + "/route_localnet", "1"); !set) return std::unexpected(set.error());
  if (auto up = bring_up(device); !up) return std::unexpected(up.error());

  const auto socket = open_netlink();
  if (!socket) return std::unexpected(socket.error());
  const int ifindex = static_cast<int>(if_nametoindex(device.c_str()));
  // A device without an address counts as strictly filtered, whatever rp_filter says: packets to the virtual address
  // (segments of no connection, which the host is to reset) would be dropped.
  if (const int error = rtnl_addr_add(socket->get(), make_address(ifindex).get(), 0); error < 0) {
    return fail(device, fmt::format("no address: {}", nl_geterror(error)));
  }
  if (const int error = rtnl_route_add(socket->get(), make_route(ifindex).get(), NLM_F_REPLACE); error < 0) {
    return fail(device, fmt::format("no default route in table {}: {}", table, nl_geterror(error)));
  }
  const int error = rtnl_rule_add(socket->get(), make_rule().get(), NLM_F_EXCL);
  if (error < 0 && error != -NLE_EXIST) {
    return fail(device, fmt::format("no rule for answers from 127.0.0.0/8: {}", nl_geterror(error)));
  }
  return std::unique_ptr<TunRouting>(new TunRouting());
}

TunRouting::~TunRouting() {
  if (const auto socket = open_netlink()) rtnl_rule_delete(socket->get(), make_rule().get(), 0);
}

}  // namespace sluice::dataplane
