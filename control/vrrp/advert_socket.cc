#include "control/vrrp/advert_socket.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "vrrp/frame.h"
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

Result<AdvertReceiver> AdvertReceiver::open(const AdvertReceiverKey& key) {
  UniqueFd socket(
      ::socket(key.is_v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol_of(key.has_ah)));
  if (!socket) return failed(key.interface, "no raw socket for VRRP (it takes root, or CAP_NET_RAW)");
  if (!key.interface.empty() && ::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, key.interface.c_str(),
                                             socklen_t(key.interface.size())) != 0) {
    return failed(key.interface, "can't bind to the interface");
  }
  if (key.is_v6) {
    set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, int{1});
    set(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, int{1});
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

struct AdvertReceiver::Buffers {
  struct One {
    std::array<std::uint8_t, 4128> bytes;  // 255 IPv6 addresses and a signature are 4116
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int))> control;
    sockaddr_in6 from;
    iovec vector;
  };
  std::array<One, batch> all;
  std::array<mmsghdr, batch> messages;
  std::array<AdvertPacket, batch> packets;
};

AdvertReceiver::AdvertReceiver(UniqueFd fd, bool is_v6)
    : fd_(std::move(fd)), is_v6_(is_v6), buffers_(std::make_unique<Buffers>()) {}
AdvertReceiver::AdvertReceiver(AdvertReceiver&&) noexcept = default;
AdvertReceiver::~AdvertReceiver() = default;

std::span<const AdvertPacket> AdvertReceiver::receive() {
  for (std::size_t i = 0; i < batch; ++i) {
    Buffers::One& one = buffers_->all[i];
    one.vector = {one.bytes.data(), one.bytes.size()};
    msghdr& message = buffers_->messages[i].msg_hdr = {};
    message.msg_iov = &one.vector;
    message.msg_iovlen = 1;
    if (!is_v6_) continue;
    message.msg_name = &one.from;
    message.msg_namelen = sizeof one.from;
    message.msg_control = one.control.data();
    message.msg_controllen = one.control.size();
  }
  int count;
  do {
    count = ::recvmmsg(fd_.get(), buffers_->messages.data(), unsigned(batch), MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);

  for (std::size_t i = 0; int(i) < count; ++i) {
    const Buffers::One& one = buffers_->all[i];
    AdvertPacket& packet = buffers_->packets[i] = {.bytes = {one.bytes.data(), buffers_->messages[i].msg_len}};
    if (!is_v6_) continue;
    std::memcpy(packet.source.bytes.data(), &one.from.sin6_addr, sizeof one.from.sin6_addr);
    msghdr& message = buffers_->messages[i].msg_hdr;
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
  }
  return {buffers_->packets.data(), std::size_t(std::max(count, 0))};
}

void AdvertReceiver::set_buffer(std::size_t bytes) const {
  const int most = int(std::min<std::size_t>(bytes, 1u << 30));
  if (!set(fd_, SOL_SOCKET, SO_RCVBUFFORCE, most)) set(fd_, SOL_SOCKET, SO_RCVBUF, most);
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
    set(v6, IPPROTO_IPV6, IPV6_FREEBIND, int{1});
    set(v6, SOL_SOCKET, SO_PRIORITY, int{6});
    receive_nothing(v6);
  }
  UniqueFd frames(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!frames) return failed("vrrp", "no packet socket (it takes root, or CAP_NET_RAW)");
  set(frames, SOL_SOCKET, SO_PRIORITY, int{6});
  return AdvertSender(std::move(v4), std::move(v6), std::move(frames));
}

int AdvertSender::send_frame(const AdvertRoute& route, std::span<const std::uint8_t> packet) {
  vrrp::FrameHead head = vrrp::multicast_head(*route.mac, route.source, route.destination, packet.size());
  std::array<iovec, 2> parts{
      {{head.bytes.data(), head.size}, {const_cast<std::uint8_t*>(packet.data()), packet.size()}}};
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(route.destination.is_v6() ? ETH_P_IPV6 : ETH_P_IP);
  to.sll_ifindex = route.ifindex;
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof to;
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  ssize_t sent;
  do {
    sent = ::sendmsg(frames_.get(), &message, 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

int AdvertSender::send(const AdvertRoute& route, std::span<const std::uint8_t> packet) {
  const bool to_group =
      route.destination.is_v4() ? route.destination.v4().is_multicast() : route.destination.v6().bytes[0] == 0xff;
  if (route.mac && to_group) return send_frame(route, packet);
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
  if (route.destination.is_v4()) {
    to4 = socket_address(route.destination.v4());
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
    sent = ::sendmsg(route.destination.is_v4() ? v4_.get() : v6_.get(), &message, to_group ? MSG_DONTROUTE : 0);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

}  // namespace sluice::control
