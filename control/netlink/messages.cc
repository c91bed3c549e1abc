#include "control/netlink/messages.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

#include "net/byte_order.h"

namespace sluice::control::netlink {

namespace {

// nlmsg_parse and its kin take non-const pointers but don't write.
nlmsghdr* mutable_of(const nlmsghdr& message) { return const_cast<nlmsghdr*>(&message); }

/// The attributes that follow a fixed header, by type; absent ones are null.
class Attributes {
 public:
  static std::optional<Attributes> of(const nlmsghdr& message, int header_bytes, int attribute_max) {
    Attributes attributes;
    if (nlmsg_parse(mutable_of(message), header_bytes, attributes.table_.data(), attribute_max, nullptr) < 0) {
      return std::nullopt;
    }
    return attributes;
  }
  static std::optional<Attributes> nested(const nlattr* outer, int attribute_max) {
    Attributes attributes;
    if (outer == nullptr) return std::nullopt;
    if (nla_parse_nested(attributes.table_.data(), attribute_max, const_cast<nlattr*>(outer), nullptr) < 0) {
      return std::nullopt;
    }
    return attributes;
  }

  [[nodiscard]] const nlattr* operator[](int type) const { return table_[std::size_t(type)]; }

  template <typename T>
  [[nodiscard]] std::optional<T> value(int type) const {
    const nlattr* attribute = table_[std::size_t(type)];
    if (attribute == nullptr || nla_len(attribute) < int(sizeof(T))) return std::nullopt;
    return net::load<T>(static_cast<const std::uint8_t*>(nla_data(attribute)));
  }

  [[nodiscard]] std::string text(int type) const {
    const nlattr* attribute = table_[std::size_t(type)];
    if (attribute == nullptr) return {};
    const char* bytes = static_cast<const char*>(nla_data(attribute));
    return {bytes, strnlen(bytes, std::size_t(nla_len(attribute)))};
  }

  [[nodiscard]] std::optional<net::IpAddr> address(int type, int family) const {
    if (family == AF_INET) {
      if (auto v4 = value<net::Ipv4Addr>(type)) return net::IpAddr(*v4);
    } else if (family == AF_INET6) {
      if (auto v6 = value<net::Ipv6Addr>(type)) return net::IpAddr(*v6);
    }
    return std::nullopt;
  }

 private:
  // Room for the longest list of types.
  static_assert(IFLA_MAX < 128 && RTA_MAX < 128 && NDA_MAX < 128 && IFA_MAX < 128);
  std::array<nlattr*, 128> table_{};
};

template <typename Header>
std::optional<Header> header_of(const nlmsghdr& message) {
  if (message.nlmsg_len < NLMSG_LENGTH(sizeof(Header))) return std::nullopt;
  return net::load<Header>(static_cast<const std::uint8_t*>(NLMSG_DATA(&message)));
}

bool is_ip(int family) { return family == AF_INET || family == AF_INET6; }

void parse_kind(Link& link, const nlattr* link_info) {
  const auto info = Attributes::nested(link_info, IFLA_INFO_MAX);
  if (!info) return;
  link.kind = info->text(IFLA_INFO_KIND);
  if (link.kind == "macvlan") {
    const auto macvlan = Attributes::nested((*info)[IFLA_INFO_DATA], IFLA_MACVLAN_MAX);
    link.private_mode = macvlan && macvlan->value<std::uint32_t>(IFLA_MACVLAN_MODE) == MACVLAN_MODE_PRIVATE;
  }
  if (link.kind != "vlan") return;
  const auto data = Attributes::nested((*info)[IFLA_INFO_DATA], IFLA_VLAN_MAX);
  if (!data) return;
  link.vlan = data->value<std::uint16_t>(IFLA_VLAN_ID).value_or(0);
  const auto tag = data->value<net::Be16>(IFLA_VLAN_PROTOCOL).value_or(net::Be16(ETH_P_8021Q));
  link.vlan_8021q = tag == net::Be16(ETH_P_8021Q);
}

std::optional<Event> parse_link(const nlmsghdr& message) {
  const auto header = header_of<ifinfomsg>(message);
  // AF_BRIDGE tells of a bridge's port: its RTM_DELLINK doesn't mean that the link went away.
  if (!header || header->ifi_family != AF_UNSPEC || header->ifi_index <= 0) return std::nullopt;
  if (message.nlmsg_type == RTM_DELLINK) return LinkRemoved{.link = {.ifindex = header->ifi_index}};

  const auto attributes = Attributes::of(message, sizeof(ifinfomsg), IFLA_MAX);
  // Wireless events come as links without a name; they say nothing that is mirrored.
  if (!attributes || (*attributes)[IFLA_IFNAME] == nullptr) return std::nullopt;
  Link link;
  link.ifindex = header->ifi_index;
  link.name = attributes->text(IFLA_IFNAME);
  link.mtu = attributes->value<std::uint32_t>(IFLA_MTU).value_or(0);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.running = link.up && (header->ifi_flags & IFF_RUNNING) != 0;
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  link.no_arp = (header->ifi_flags & IFF_NOARP) != 0;
  link.ethernet = header->ifi_type == ARPHRD_ETHER;
  const nlattr* mac = (*attributes)[IFLA_ADDRESS];
  if (mac != nullptr && nla_len(mac) == sizeof(net::MacAddr)) {
    link.mac = attributes->value<net::MacAddr>(IFLA_ADDRESS).value_or(net::MacAddr{});
  }
  if ((*attributes)[IFLA_LINK_NETNSID] == nullptr) {
    const int parent = attributes->value<int>(IFLA_LINK).value_or(0);
    if (parent != link.ifindex) link.parent_ifindex = parent;
  }
  link.master_ifindex = attributes->value<int>(IFLA_MASTER).value_or(0);
  link.rx_queues = attributes->value<std::uint32_t>(IFLA_NUM_RX_QUEUES).value_or(0);
  parse_kind(link, (*attributes)[IFLA_LINKINFO]);
  return LinkSet{std::move(link)};
}

std::optional<Event> parse_address(const nlmsghdr& message) {
  const auto header = header_of<ifaddrmsg>(message);
  if (!header || !is_ip(header->ifa_family)) return std::nullopt;
  // Nobody may use it yet; the kernel says so again when it may.
  if (message.nlmsg_type == RTM_NEWADDR && (header->ifa_flags & IFA_F_TENTATIVE) != 0) return std::nullopt;
  const auto attributes = Attributes::of(message, sizeof(ifaddrmsg), IFA_MAX);
  if (!attributes) return std::nullopt;
  // On a point-to-point link IFA_ADDRESS is the peer's, IFA_LOCAL ours.
  auto address = attributes->address(IFA_LOCAL, header->ifa_family);
  if (!address) address = attributes->address(IFA_ADDRESS, header->ifa_family);
  if (!address) return std::nullopt;
  InterfaceAddress value{int(header->ifa_index), *address, header->ifa_prefixlen};
  if (message.nlmsg_type == RTM_DELADDR) return AddressRemoved{value};
  return AddressSet{value};
}

std::optional<Event> parse_neighbour(const nlmsghdr& message) {
  const auto header = header_of<ndmsg>(message);
  if (!header || !is_ip(header->ndm_family) || (header->ndm_flags & NTF_PROXY) != 0) return std::nullopt;
  const auto attributes = Attributes::of(message, sizeof(ndmsg), NDA_MAX);
  if (!attributes) return std::nullopt;
  const auto address = attributes->address(NDA_DST, header->ndm_family);
  if (!address) return std::nullopt;
  Neighbour neighbour{.key = {header->ndm_ifindex, *address}};
  if (message.nlmsg_type == RTM_NEWNEIGH) {
    neighbour.state = header->ndm_state;
    const nlattr* mac = (*attributes)[NDA_LLADDR];
    if (mac != nullptr && nla_len(mac) == sizeof(net::MacAddr)) {
      neighbour.mac = attributes->value<net::MacAddr>(NDA_LLADDR).value_or(net::MacAddr{});
    }
  }
  return NeighbourSet{neighbour};
}

std::optional<Event> parse_route(const nlmsghdr& message) {
  const auto header = header_of<rtmsg>(message);
  // Cloned entries are the kernel's cache of decisions already made.
  if (!header || !is_ip(header->rtm_family) || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  const auto attributes = Attributes::of(message, sizeof(rtmsg), RTA_MAX);
  if (!attributes) return std::nullopt;
  const net::IpAddr any = header->rtm_family == AF_INET ? net::IpAddr(net::Ipv4Addr{}) : net::IpAddr(net::Ipv6Addr{});
  return RouteChanged{{attributes->address(RTA_DST, header->rtm_family).value_or(any), header->rtm_dst_len}};
}

std::optional<net::IpAddr> parse_gateway(const Attributes& attributes, int family) {
  if (auto gateway = attributes.address(RTA_GATEWAY, family)) return gateway;
  const nlattr* via = attributes[RTA_VIA];  // a gateway of the other family (RFC 5549)
  if (via == nullptr || nla_len(via) < int(sizeof(rtvia))) return std::nullopt;
  const auto* bytes = static_cast<const std::uint8_t*>(nla_data(via));
  const auto via_family = net::load<rtvia>(bytes).rtvia_family;
  const std::size_t length = std::size_t(nla_len(via)) - sizeof(rtvia);
  if (via_family == AF_INET6 && length >= sizeof(net::Ipv6Addr)) {
    return net::IpAddr(net::load<net::Ipv6Addr>(bytes + sizeof(rtvia)));
  }
  if (via_family == AF_INET && length >= sizeof(net::Ipv4Addr)) {
    return net::IpAddr(net::load<net::Ipv4Addr>(bytes + sizeof(rtvia)));
  }
  return std::nullopt;
}

std::string refusal_text(int error) {
  switch (error) {
    case ENETUNREACH: return "no route";
    case EHOSTUNREACH: return "the route says unreachable";
    case EACCES: return "the route says prohibit";
    case EINVAL: return "the route says blackhole";
    default: return std::string("no route: ") + std::strerror(error);
  }
}

std::string unusable_type_text(int type) {
  switch (type) {
    case RTN_BROADCAST: return "is a broadcast address";
    case RTN_MULTICAST: return "is a multicast address";
    case RTN_BLACKHOLE: return "the route says blackhole";
    case RTN_UNREACHABLE: return "the route says unreachable";
    case RTN_PROHIBIT: return "the route says prohibit";
    default: return "the route's type " + std::to_string(type) + " leads nowhere";
  }
}

using NlMessage = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;

template <typename Header>
Bytes build(std::uint16_t type, int flags, std::uint32_t sequence, Header header, int attribute,
            const net::IpAddr* address) {
  const NlMessage message(nlmsg_alloc(), &nlmsg_free);
  if (message == nullptr) throw std::bad_alloc();
  nlmsg_put(message.get(), NL_AUTO_PORT, sequence, type, 0, NLM_F_REQUEST | flags);
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  if (address != nullptr) {
    if (address->is_v4()) {
      const auto v4 = address->v4();
      nla_put(message.get(), attribute, sizeof v4, &v4);
    } else {
      const auto v6 = address->v6();
      nla_put(message.get(), attribute, sizeof v6, &v6);
    }
  }
  const nlmsghdr* wire = nlmsg_hdr(message.get());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(wire);
  return {bytes, bytes + wire->nlmsg_len};
}

std::uint8_t family_of(const net::IpAddr& address) { return address.is_v4() ? AF_INET : AF_INET6; }

}  // namespace

std::optional<Event> parse_event(const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return parse_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR: return parse_address(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH: return parse_neighbour(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: return parse_route(message);
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP: return PolicyChanged{};
    default: return std::nullopt;
  }
}

std::optional<int> parse_error(const nlmsghdr& message) {
  if (message.nlmsg_type != NLMSG_ERROR) return std::nullopt;
  const auto header = header_of<nlmsgerr>(message);
  return header ? -header->error : EBADMSG;
}

std::optional<RouteDecision> parse_route_answer(const nlmsghdr& message) {
  if (const auto error = parse_error(message)) {
    return RouteDecision{.kind = RouteDecision::Kind::refused, .reason = refusal_text(*error)};
  }
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto header = header_of<rtmsg>(message);
  if (!header || !is_ip(header->rtm_family)) return std::nullopt;
  const auto attributes = Attributes::of(message, sizeof(rtmsg), RTA_MAX);
  if (!attributes) return std::nullopt;

  RouteDecision decision;
  decision.ifindex = attributes->value<int>(RTA_OIF).value_or(0);
  decision.source_address = attributes->value<net::Ipv4Addr>(RTA_PREFSRC).value_or(net::Ipv4Addr{});
  if (header->rtm_family != AF_INET) decision.source_address = {};
  switch (header->rtm_type) {
    case RTN_LOCAL:
    case RTN_ANYCAST: decision.kind = RouteDecision::Kind::local; break;
    case RTN_UNICAST: decision.kind = RouteDecision::Kind::unicast; break;
    default:
      decision.kind = RouteDecision::Kind::refused;
      decision.reason = unusable_type_text(header->rtm_type);
      return decision;
  }
  decision.gateway = parse_gateway(*attributes, header->rtm_family);
  if (const auto metrics = Attributes::nested((*attributes)[RTA_METRICS], RTAX_MAX)) {
    decision.mtu = metrics->value<std::uint32_t>(RTAX_MTU).value_or(0);
  }
  return decision;
}

Bytes dump_request(std::uint16_t type, std::uint32_t sequence) {
  // Each of the three headers begins with its family, AF_UNSPEC, and a kernel that checks strictly wants the right
  // size.
  switch (type) {
    case RTM_GETADDR: return build(type, NLM_F_DUMP, sequence, ifaddrmsg{}, 0, nullptr);
    case RTM_GETNEIGH: return build(type, NLM_F_DUMP, sequence, ndmsg{}, 0, nullptr);
    default: return build(type, NLM_F_DUMP, sequence, ifinfomsg{}, 0, nullptr);
  }
}

Bytes route_request(const net::IpAddr& address, std::uint32_t sequence) {
  rtmsg header{};
  header.rtm_family = family_of(address);
  header.rtm_dst_len = address.is_v4() ? 32 : 128;
  return build(RTM_GETROUTE, 0, sequence, header, RTA_DST, &address);
}

Bytes neighbour_use_request(const NeighbourKey& key, std::uint32_t sequence) {
  ndmsg header{};
  header.ndm_family = family_of(key.address);
  header.ndm_ifindex = key.ifindex;
  header.ndm_flags = NTF_USE;
  return build(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, sequence, header, NDA_DST, &key.address);
}

Bytes neighbour_probe_request(const NeighbourKey& key, std::uint32_t sequence) {
  ndmsg header{};
  header.ndm_family = family_of(key.address);
  header.ndm_ifindex = key.ifindex;
  header.ndm_state = NUD_PROBE;
  return build(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_REPLACE, sequence, header, NDA_DST, &key.address);
}

}  // namespace sluice::control::netlink
