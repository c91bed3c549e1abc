#include "control/vrrp/advert_socket.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "vrrp/protocol.h"

namespace sluice::control {

namespace {

constexpr int protocol_of(bool has_ah) { return has_ah ? vrrp::ip_protocol_ah : vrrp::ip_protocol_vrrp; }

template <typename T>
bool set(const UniqueFd& socket, int level, int option, const T& value) {
  return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

std::unexpected<Error> failed(const std::string& where, const char* what) {
  return std::unexpected(Error{where, fmt::format("{}: {}", what, std::strerror(errno))});
}

sockaddr_in socket_address(net::Ipv4Addr address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = std::bit_cast<in_addr_t>(address);
  return to;
}

sockaddr_in6 socket_address(const net::Ipv6Addr& address, int ifindex) {
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  std::memcpy(&to.sin6_addr, address.bytes.data(), sizeof to.sin6_addr);
  to.sin6_scope_id = std::uint32_t(ifindex);
  return to;
}

Result<> join(const UniqueFd& socket, const AdvertReceiverKey& key, int ifindex) {
  if (key.is_v6) {
    ipv6_mreq request{};
    std::memcpy(&request.ipv6mr_multiaddr, key.address.v6().bytes.data(), sizeof request.ipv6mr_multiaddr);
    request.ipv6mr_interface = unsigned(ifindex);
    // Linux has no IPV6_MULTICAST_ALL before 4.20; later ones have it on.
    constexpr int ipv6_multicast_all = 29;
    set(socket, IPPROTO_IPV6, ipv6_multicast_all, int{0});
    if (!set(socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, request)) return failed(key.interface, "can't join the group");
    return {};
  }
  ip_mreqn request{};
  request.imr_multiaddr.s_addr = std::bit_cast<in_addr_t>(key.address.v4());
  request.imr_ifindex = ifindex;
  set(socket, IPPROTO_IP, IP_MULTICAST_ALL, int{0});  // only the interface that was joined
  if (!set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, request)) return failed(key.interface, "can't join the group");
  return {};
}

Result<> bind(const UniqueFd& socket, const AdvertReceiverKey& key) {
  const auto bound = [&](const auto& address) {
    return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  };
  const bool done =
      key.is_v6 ? bound(socket_address(key.address.v6(), key.ifindex)) : bound(socket_address(key.address.v4()));
  if (!done) return failed(key.interface, fmt::format("can't bind to {}", key.address.text()).c_str());
  return {};
}

// Whoever sends by a raw socket is also given what comes in for its protocol: nobody reads that there.
void receive_nothing(const UniqueFd& socket) {
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &drop};
  set(socket, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

}  // namespace

Result<AdvertReceiver> AdvertReceiver::open(const AdvertReceiverKey& key, int buffer_bytes) {
  UniqueFd socket(
      ::socket(key.is_v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol_of(key.has_ah)));
  if (!socket) return failed(key.interface, "no raw socket for VRRP (it takes root, or CAP_NET_RAW)");
  if (buffer_bytes > 0 && !set(socket, SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)) {
    set(socket, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
  }
  if (!key.interface.empty() && ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, key.interface.c_str(),
                                             socklen_t(key.interface.size())) != 0) {
    return failed(key.interface, "can't bind to the interface");
  }
  if (key.is_v6) {
    set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, int{1});
    set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, int{1});
    set(socket, IPPROTO_IPV6, IPV6_CHECKSUM, int{6});
    set(socket, IPPROTO_IPV6, IPV6_FREEBIND, int{1});
  } else {
    set(socket, IPPROTO_IP, IP_FREEBIND, int{1});
  }
  if (auto done = bind(socket, key); !done) return std::unexpected(done.error());
  if (!key.is_unicast) {
    for (const int ifindex : {key.ifindex, key.base_ifindex}) {
      if (ifindex == 0) continue;
      if (auto done = join(socket, key, ifindex); !done) return std::unexpected(done.error());
    }
  }
  return AdvertReceiver(std::move(socket), key.is_v6);
}

std::optional<AdvertPacket> AdvertReceiver::receive() {
  sockaddr_in6 from{};
  iovec vector{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (is_v6_) {
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  ssize_t length;
  do {
    length = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return std::nullopt;

  AdvertPacket packet{.bytes = {buffer_.data(), std::size_t(length)}};
  if (!is_v6_) return packet;
  std::memcpy(packet.source.bytes.data(), &from.sin6_addr, sizeof from.sin6_addr);
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != IPPROTO_IPV6) continue;
    if (part->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(part), sizeof hops);
      packet.hop_limit = std::uint8_t(hops);
    } else if (part->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(part), sizeof info);
      std::memcpy(packet.destination.bytes.data(), &info.ipi6_addr, sizeof info.ipi6_addr);
    }
  }
  return packet;
}

Result<AdvertSender> AdvertSender::open() {
  UniqueFd v4(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW));
  if (!v4) return failed("vrrp", "no raw socket (it takes root, or CAP_NET_RAW)");
  set(v4, IPPROTO_IP, IP_HDRINCL, int{1});
  set(v4, IPPROTO_IP, IP_MULTICAST_LOOP, int{0});
  set(v4, IPPROTO_IP, IP_FREEBIND, int{1});
  set(v4, SOL_SOCKET, SO_PRIORITY, int{6});  // TC_PRIO_INTERACTIVE: before bulk
  receive_nothing(v4);

  UniqueFd v6(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, vrrp::ip_protocol_vrrp));
  if (v6) {
    set(v6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int{0});
    set(v6, IPPROTO_IPV6, IPV6_TCLASS, int{vrrp::type_of_service});
    set(v6, IPPROTO_IPV6, IPV6_CHECKSUM, int{6});
    set(v6, IPPROTO_IPV6, IPV6_FREEBIND, int{1});
    set(v6, SOL_SOCKET, SO_PRIORITY, int{6});
    receive_nothing(v6);
  }
  return AdvertSender(std::move(v4), std::move(v6));
}

int AdvertSender::send(const AdvertRoute& route, std::span<const std::uint8_t> packet) {
  iovec vector{const_cast<std::uint8_t*>(packet.data()), packet.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> control{};
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  bool is_multicast = false;
  if (route.destination.is_v4()) {
    to4 = socket_address(route.destination.v4());
    is_multicast = IN_MULTICAST(ntohl(to4.sin_addr.s_addr));
    message.msg_name = &to4;
    message.msg_namelen = sizeof to4;
    in_pktinfo info{};
    info.ipi_ifindex = route.ifindex;
    part->cmsg_level = IPPROTO_IP;
    part->cmsg_type = IP_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    message.msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    if (!v6_) return EAFNOSUPPORT;
    to6 = socket_address(route.destination.v6(), route.ifindex);
    is_multicast = IN6_IS_ADDR_MULTICAST(&to6.sin6_addr);
    message.msg_name = &to6;
    message.msg_namelen = sizeof to6;
    in6_pktinfo info{};
    info.ipi6_ifindex = unsigned(route.ifindex);
    std::memcpy(&info.ipi6_addr, route.source.v6().bytes.data(), sizeof info.ipi6_addr);
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_PKTINFO;
    part->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(part), &info, sizeof info);
    part = CMSG_NXTHDR(&message, part);
    const int hops = route.hop_limit;
    part->cmsg_level = IPPROTO_IPV6;
    part->cmsg_type = IPV6_HOPLIMIT;
    part->cmsg_len = CMSG_LEN(sizeof hops);
    std::memcpy(CMSG_DATA(part), &hops, sizeof hops);
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(route.destination.is_v4() ? v4_.get() : v6_.get(), &message, is_multicast ? MSG_DONTROUTE : 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace sluice::control
