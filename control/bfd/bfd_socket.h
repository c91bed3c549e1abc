// The UDP sockets of BFD (RFC 5881 4, 5; RFC 5883 5). What is in the packets is vrrp/bfd/codec.h's, whose they are
// demultiplex.h's. Used on the bfd thread; never blocks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>

#include "control/unique_fd.h"
#include "net/address.h"
#include "net/error.h"
#include "vrrp/bfd/demultiplex.h"

namespace sluice::control {

struct BfdDatagram {
  std::span<const std::uint8_t> payload;  ///< valid until the next receive()
  vrrp::bfd::Arrival arrival;
};

/// Hears all neighbors of one family, at port 3784 or 4784.
class BfdReceiver {
 public:
  /// Errors: somebody else has the port (FRR's bfdd, say), or the host doesn't have the family.
  static Result<BfdReceiver> open(bool is_v6, bool multihop);

  /// For waiting only.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// The next packet that waits; nothing: none does.
  [[nodiscard]] std::optional<BfdDatagram> receive();

 private:
  BfdReceiver(UniqueFd fd, bool is_v6, bool multihop) : fd_(std::move(fd)), is_v6_(is_v6), multihop_(multihop) {}

  UniqueFd fd_;
  bool is_v6_;
  bool multihop_;
  std::array<std::uint8_t, 128> buffer_{};  // a packet is 24 bytes; 255 can be claimed, and are of no interest
};

/// Where one session sends from and to; its source port stays the same as long as it lives.
class BfdSender {
 public:
  struct Route {
    net::IpAddr neighbor;
    std::optional<net::IpAddr> source;
    bool multihop = false;
    unsigned ttl = 255;
  };

  /// A random free port of 49152..65535. source needn't be there yet; then sending fails.
  static Result<BfdSender> open(const Route& route, std::mt19937_64& random);

  /// Yields errno, 0 when it is on its way.
  [[nodiscard]] int send(std::span<const std::uint8_t> payload);
  void set_ttl(unsigned ttl);

 private:
  BfdSender(UniqueFd fd, const Route& route) : fd_(std::move(fd)), route_(route) {}

  UniqueFd fd_;
  Route route_;
};

}  // namespace sluice::control
