#include "health/datagram.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace sluice::health {

namespace asio = boost::asio;
using asio::generic::datagram_protocol;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

int open_socket(const net::IpAddr& address, int type, int protocol) {
  return ::socket(address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
}

/// Takes the file over, whatever happens.
std::optional<ProbeResult> adopt(DatagramSocket& socket, int fd, int protocol, const Connect& to) {
  boost::system::error_code error;
  if (socket.assign(datagram_protocol(to.address.is_v4() ? AF_INET : AF_INET6, protocol), fd, error)) {
    ::close(fd);
    return not_counted("socket", error.value());
  }
  if (auto problem = prepare(fd, to)) return problem;
  // Without it the kernel keeps to itself that a host or a network can't be reached, and only tells of closed ports.
  const int yes = 1;
  const bool v4 = to.address.is_v4();
  if (::setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &yes, sizeof yes) != 0) {
    return not_counted("asking for ICMP errors", errno);
  }
  const int refused = connect_now(fd, to);
  if (refused == 0) return std::nullopt;
  return blames_the_server(refused) ? failure(error_words(refused)) : not_counted("connect", refused);
}

}  // namespace

std::optional<ProbeResult> open_udp(DatagramSocket& socket, const Connect& to) {
  const int fd = open_socket(to.address, SOCK_DGRAM, IPPROTO_UDP);
  if (fd < 0) return not_counted("socket", errno);
  return adopt(socket, fd, IPPROTO_UDP, to);
}

IcmpSocket open_icmp(DatagramSocket& socket, const Connect& to) {
  // To an ICMP socket a port would be an identifier.
  Connect without_ports = to;
  without_ports.port = {};
  without_ports.bind_port = {};
  const int protocol = to.address.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  bool raw = false;
  int fd = open_socket(to.address, SOCK_DGRAM, protocol);
  if (fd < 0 && (errno == EACCES || errno == EPERM)) {
    // net.ipv4.ping_group_range leaves our group out.
    raw = true;
    fd = open_socket(to.address, SOCK_RAW, protocol);
  }
  if (fd < 0) return {raw, not_counted("ICMP socket", errno)};
  return {raw, adopt(socket, fd, protocol, without_ports)};
}

std::optional<ProbeResult> send_datagram(DatagramSocket& socket, std::span<const std::uint8_t> bytes) {
  if (::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return std::nullopt;
  return blames_the_server(errno) ? failure(error_words(errno)) : not_counted("send", errno);
}

asio::awaitable<Received> receive_datagram(DatagramSocket& socket, std::span<std::uint8_t> buffer,
                                           steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds{0}) co_return Received{};
    const bool something = co_await readable(socket, left);
    if (!something) co_return Received{};
    const ssize_t size = ::recv(socket.native_handle(), buffer.data(), buffer.size(), MSG_TRUNC);
    if (size >= 0) co_return Received{static_cast<std::size_t>(size), {}};
    if (errno != EAGAIN && errno != EINTR) co_return Received{std::nullopt, error_words(errno)};
  }
}

}  // namespace sluice::health
