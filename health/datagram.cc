#include "health/datagram.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace sluice::health {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

/// The errno of opening, or 0.
int open(Socket& socket, const net::IpAddr& address, int type, int protocol) {
  return socket.open(address.is_v4() ? AF_INET : AF_INET6, type, protocol);
}

std::optional<ProbeResult> connect_datagrams(Socket& socket, const Connect& to) {
  const int fd = socket.descriptor();
  if (auto problem = prepare(fd, to)) return problem;
  // Without it the kernel keeps to itself that a host or a network can't be reached, and only tells of closed ports.
  const int yes = 1;
  const bool v4 = to.address.is_v4();
  if (::setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &yes, sizeof yes) != 0) {
    return not_counted("asking for ICMP errors", errno);
  }
  if (const int refused = connect_now(fd, to); refused != 0) {
    return blames_the_server(refused) ? failure(error_words(refused)) : not_counted("connect", refused);
  }
  if (const int error = socket.watch(); error != 0) return not_counted("epoll", error);
  return std::nullopt;
}

}  // namespace

std::optional<ProbeResult> open_udp(Socket& socket, const Connect& to) {
  if (const int error = open(socket, to.address, SOCK_DGRAM, IPPROTO_UDP); error != 0) {
    return not_counted("socket", error);
  }
  return connect_datagrams(socket, to);
}

IcmpSocket open_icmp(Socket& socket, const Connect& to) {
  // To an ICMP socket a port would be an identifier.
  Connect without_ports = to;
  without_ports.port = {};
  without_ports.bind_port = {};
  const int protocol = to.address.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  bool raw = false;
  int error = open(socket, to.address, SOCK_DGRAM, protocol);
  if (error == EACCES || error == EPERM) {
    // net.ipv4.ping_group_range leaves our group out.
    raw = true;
    error = open(socket, to.address, SOCK_RAW, protocol);
  }
  if (error != 0) return {raw, not_counted("ICMP socket", error)};
  return {raw, connect_datagrams(socket, without_ports)};
}

std::optional<ProbeResult> send_datagram(Socket& socket, std::span<const std::uint8_t> bytes) {
  if (socket.send(bytes.data(), bytes.size()) >= 0) return std::nullopt;
  return blames_the_server(errno) ? failure(error_words(errno)) : not_counted("send", errno);
}

Task<Received> receive_datagram(Socket& socket, std::span<std::uint8_t> buffer, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds{0}) co_return Received{};
    const bool something = co_await socket.wait(Socket::Ready::to_read, left);
    if (!something) co_return Received{};
    const auto size = socket.receive(buffer.data(), buffer.size(), MSG_TRUNC);
    if (size >= 0) co_return Received{static_cast<std::size_t>(size), {}};
    if (errno != EAGAIN && errno != EINTR) co_return Received{std::nullopt, error_words(errno)};
  }
}

}  // namespace sluice::health
