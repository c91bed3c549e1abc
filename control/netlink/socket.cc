#include "control/netlink/socket.h"

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sluice::control::netlink {

namespace {

// The kernel fills a dump's datagram up to 32 KiB; a single event is smaller.
constexpr std::size_t datagram_bytes_max = 64 * 1024;

Result<> failed(const char* step, int error) { return fail("netlink", std::string(step) + ": " + nl_geterror(error)); }

}  // namespace

void Socket::Free::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Socket::Socket(nl_sock* socket) : socket_(socket), buffer_(datagram_bytes_max) {}

Result<Socket> Socket::open(std::span<const int> groups, std::size_t receive_buffer_bytes) {
  nl_sock* raw = nl_socket_alloc();
  if (raw == nullptr) return fail("netlink", "out of memory for a socket");
  Socket socket(raw);
  if (const int error = nl_connect(raw, NETLINK_ROUTE); error < 0) {
    return std::unexpected(failed("cannot connect to the kernel", error).error());
  }
  const int bytes = int(receive_buffer_bytes);
  if (setsockopt(nl_socket_get_fd(raw), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0) {
    setsockopt(nl_socket_get_fd(raw), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  for (const int group : groups) {
    // Kernels without IPv6 or next-hop objects miss some groups, and have nothing to tell there.
    nl_socket_add_membership(raw, group);
  }
  if (const int error = nl_socket_set_nonblocking(raw); error < 0) {
    return std::unexpected(failed("cannot make the socket non-blocking", error).error());
  }
  return socket;
}

int Socket::descriptor() const { return nl_socket_get_fd(socket_.get()); }

Result<> Socket::send(std::span<const std::uint8_t> message) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent;
  do {
    sent = sendto(descriptor(), message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail("netlink", std::string("cannot send a request: ") + std::strerror(errno));
  return {};
}

Socket::Outcome Socket::receive() {
  for (;;) {
    sockaddr_nl sender{};
    iovec vector{buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    const ssize_t received = recvmsg(descriptor(), &header, MSG_DONTWAIT);
    if (received < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return Outcome::nothing;
      return errno == ENOBUFS ? Outcome::overrun : Outcome::broken;
    }
    if (sender.nl_pid != 0) continue;  // another process, not the kernel
    if ((header.msg_flags & MSG_TRUNC) != 0) return Outcome::overrun;
    length_ = std::size_t(received);
    return Outcome::datagram;
  }
}

}  // namespace sluice::control::netlink
