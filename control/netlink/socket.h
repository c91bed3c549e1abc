// A rtnetlink socket: opened, joined to multicast groups, read one datagram at a time, never blocking. What the bytes
// mean is in messages.h; when to read is for the owner (Asio in the reflector, at once in the route query).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "net/error.h"

struct nl_sock;

namespace sluice::control::netlink {

class Socket {
 public:
  /// groups: RTNLGRP_* to join. receive_buffer_bytes: what the kernel may queue for us; beyond
  /// net.core.rmem_max only with CAP_NET_ADMIN, otherwise as much as is allowed.
  static Result<Socket> open(std::span<const int> groups, std::size_t receive_buffer_bytes);

  /// For waiting only; stays owned by this socket.
  [[nodiscard]] int descriptor() const;
  /// Netlink gives our messages to the kernel before this returns, and the kernel acts on them in between.
  Result<> send(std::span<const std::uint8_t> message);

  enum class Outcome : std::uint8_t {
    datagram,  ///< read it from datagram()
    nothing,   ///< none is waiting
    overrun,   ///< the kernel had to drop messages for us (ENOBUFS, or a datagram too long)
    broken,    ///< the socket doesn't work any more
  };
  Outcome receive();
  /// Valid until the next receive(). Aligned for nlmsghdr.
  [[nodiscard]] std::span<const std::uint8_t> datagram() const { return {buffer_.data(), length_}; }
  std::uint32_t next_sequence() { return ++sequence_; }

 private:
  struct Free {
    void operator()(nl_sock* socket) const;
  };

  explicit Socket(nl_sock* socket);

  std::unique_ptr<nl_sock, Free> socket_;
  std::vector<std::uint8_t> buffer_;
  std::size_t length_ = 0;
  std::uint32_t sequence_ = 0;
};

}  // namespace sluice::control::netlink
