// The raw sockets that advertisements go out by and come in by. What is in them is vrrp/codec.h's, whose they are is
// the router's. Used on the vrrp thread; never blocks.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "control/unique_fd.h"
#include "net/address.h"
#include "net/error.h"

namespace sluice::control {

/// Where advertisements are heard. Routers that agree in it share a socket.
struct AdvertReceiverKey {
  bool is_v6 = false;
  bool has_ah = false;    ///< IP protocol 51 instead of 112
  int ifindex = 0;        ///< 0: any, for unicast without an interface
  std::string interface;  ///< its name
  net::IpAddr address;    ///< the group, or with unicast our own address
  bool is_unicast = false;
  int base_ifindex = 0;  ///< joined there as well, and not heard: the reports of it carry that one's MAC; 0: none

  auto operator<=>(const AdvertReceiverKey&) const = default;
};

/// A packet as it came. IPv4: with its header, which says the rest. IPv6: nobody has looked at its checksum; the kernel
/// would sum auth_hmac's signature, too.
struct AdvertPacket {
  std::span<const std::uint8_t> bytes;  ///< valid until the next receive()
  net::Ipv6Addr source{};
  net::Ipv6Addr destination{};
  std::uint8_t hop_limit = 0;
};

class AdvertReceiver {
 public:
  /// Packets of one receive(), at most.
  static constexpr std::size_t batch = 32;

  /// Bound to the group or address and to the interface; joined to the group there.
  /// Errors: the interface has no such address (unicast is bound all the same, it may come), no permission.
  static Result<AdvertReceiver> open(const AdvertReceiverKey& key);
  AdvertReceiver(AdvertReceiver&&) noexcept;
  ~AdvertReceiver();

  /// Room for so many bytes of packets that wait, beyond the system's limit too if this process may.
  void set_buffer(std::size_t bytes) const;

  /// For waiting only.
  [[nodiscard]] int descriptor() const { return fd_.get(); }
  /// What waits, by one system call; fewer than `batch`: no more does.
  [[nodiscard]] std::span<const AdvertPacket> receive();

 private:
  struct Buffers;
  AdvertReceiver(UniqueFd fd, bool is_v6);

  UniqueFd fd_;
  bool is_v6_;
  std::unique_ptr<Buffers> buffers_;
};

/// How one advertisement leaves.
struct AdvertRoute {
  int ifindex = 0;  ///< 0: as the kernel's routes say (unicast)
  net::IpAddr source;
  net::IpAddr destination;
  std::uint8_t hop_limit = 255;  ///< IPv6; IPv4 has it in the packet
  /// The interface's own, if it is Ethernet. What goes to a group is put on the wire as a frame then: half of what the
  /// kernel's way costs, which makes a route for each packet.
  std::optional<net::MacAddr> mac;
};

class AdvertSender {
 public:
  static Result<AdvertSender> open();

  /// Yields errno, 0 when it is on its way.
  [[nodiscard]] int send(const AdvertRoute& route, std::span<const std::uint8_t> packet);

 private:
  AdvertSender(UniqueFd v4, UniqueFd v6, UniqueFd frames)
      : v4_(std::move(v4)), v6_(std::move(v6)), frames_(std::move(frames)) {}
  [[nodiscard]] int send_frame(const AdvertRoute& route, std::span<const std::uint8_t> packet);

  UniqueFd v4_;
  UniqueFd v6_;  // empty: the host has no IPv6
  UniqueFd frames_;
};

}  // namespace sluice::control
