#include "control/bfd/bfd_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>
#include <cerrno>
#include <cstring>

namespace sluice::control {

namespace {

constexpr int type_of_service = 0xc0;  // CS6, as routing protocols have it
constexpr int ports_tried_max = 200;
constexpr int receive_buffer_bytes = 1 << 20;

template <typename T>
bool set(const UniqueFd& socket, int level, int option, const T& value) {
  return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

struct SocketAddress {
  SocketAddress(bool is_v6, const std::optional<net::IpAddr>& address, std::uint16_t port) {
    if (is_v6) {
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_port = htons(port);
      if (address) std::memcpy(&to.sin6_addr, address->v6().bytes.data(), sizeof to.sin6_addr);
      std::memcpy(&storage, &to, length = sizeof to);
    } else {
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(port);
      if (address) to.sin_addr.s_addr = std::bit_cast<in_addr_t>(address->v4());
      std::memcpy(&storage, &to, length = sizeof to);
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

UniqueFd udp_socket(bool is_v6) {
  return UniqueFd(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
}

void set_hops(const UniqueFd& socket, bool is_v6, unsigned ttl) {
  if (is_v6) {
    set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, int(ttl));
  } else {
    set(socket, IPPROTO_IP, IP_TTL, int(ttl));
  }
}

std::uint16_t port_of(bool multihop) { return multihop ? vrrp::bfd::port_multihop : vrrp::bfd::port_single_hop; }

}  // namespace

Result<BfdReceiver> BfdReceiver::open(bool is_v6, bool multihop) {
  const std::string where = fmt::format("BFD, {} port {}", is_v6 ? "IPv6" : "IPv4", port_of(multihop));
  UniqueFd socket = udp_socket(is_v6);
  if (!socket) return fail(where, fmt::format("no socket: {}", std::strerror(errno)));
  if (is_v6) {
    set(socket, IPPROTO_IPV6, IPV6_V6ONLY, int{1});
    set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, int{1});
  } else {
    set(socket, IPPROTO_IP, IP_RECVTTL, int{1});
  }
  set(socket, SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
  const SocketAddress any(is_v6, std::nullopt, port_of(multihop));
  if (::bind(socket.get(), any.get(), any.length) != 0)
    return fail(where, fmt::format("can't listen: {}", std::strerror(errno)));
  return BfdReceiver(std::move(socket), is_v6, multihop);
}

std::optional<BfdDatagram> BfdReceiver::receive() {
  sockaddr_storage from{};
  iovec vector{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> control;
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t length;
  do {
    length = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return std::nullopt;

  BfdDatagram datagram{.payload = {buffer_.data(), std::size_t(length)}};
  datagram.arrival.multihop = multihop_;
  if (is_v6_) {
    sockaddr_in6 address{};
    std::memcpy(&address, &from, sizeof address);
    net::Ipv6Addr source{};
    std::memcpy(source.bytes.data(), &address.sin6_addr, sizeof address.sin6_addr);
    datagram.arrival.source = source;
  } else {
    sockaddr_in address{};
    std::memcpy(&address, &from, sizeof address);
    datagram.arrival.source = std::bit_cast<net::Ipv4Addr>(address.sin_addr.s_addr);
  }
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool is_ttl = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TTL) ||
                        (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT);
    if (!is_ttl) continue;
    int ttl = 0;
    std::memcpy(&ttl, CMSG_DATA(part), sizeof ttl);
    datagram.arrival.ttl = std::uint8_t(ttl);
  }
  return datagram;
}

Result<BfdSender> BfdSender::open(const Route& route, std::mt19937_64& random) {
  const bool is_v6 = route.neighbor.is_v6();
  UniqueFd socket = udp_socket(is_v6);
  if (!socket) return fail(route.neighbor.text(), fmt::format("no socket for BFD: {}", std::strerror(errno)));
  if (is_v6) {
    set(socket, IPPROTO_IPV6, IPV6_V6ONLY, int{1});
    set(socket, IPPROTO_IPV6, IPV6_FREEBIND, int{1});
    set(socket, IPPROTO_IPV6, IPV6_TCLASS, type_of_service);
  } else {
    set(socket, IPPROTO_IP, IP_FREEBIND, int{1});
    set(socket, IPPROTO_IP, IP_TOS, type_of_service);
  }
  set(socket, SOL_SOCKET, SO_PRIORITY, int{6});  // TC_PRIO_INTERACTIVE: before bulk
  set(socket, SOL_SOCKET, SO_RCVBUF, int{0});    // nobody reads here
  set_hops(socket, is_v6, route.ttl);
  std::uniform_int_distribution<unsigned> any_port(vrrp::bfd::source_port_min, vrrp::bfd::source_port_max);
  for (int tried = 0; tried < ports_tried_max; ++tried) {
    const SocketAddress own(is_v6, route.source, std::uint16_t(any_port(random)));
    if (::bind(socket.get(), own.get(), own.length) == 0) return BfdSender(std::move(socket), route);
    if (errno != EADDRINUSE) break;
  }
  return fail(route.neighbor.text(), fmt::format("can't send BFD from {}: {}",
                                                 route.source ? route.source->text() : "here", std::strerror(errno)));
}

int BfdSender::send(std::span<const std::uint8_t> payload) {
  const SocketAddress to(route_.neighbor.is_v6(), route_.neighbor, port_of(route_.multihop));
  ssize_t sent;
  do {
    sent = ::sendto(fd_.get(), payload.data(), payload.size(), MSG_DONTWAIT, to.get(), to.length);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

void BfdSender::set_ttl(unsigned ttl) {
  route_.ttl = ttl;
  set_hops(fd_, route_.neighbor.is_v6(), ttl);
}

}  // namespace sluice::control
