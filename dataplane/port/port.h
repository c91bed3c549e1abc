// Where packets come in and go out. The engine knows frames, pools and ports; what lies behind them (AF_XDP, DPDK,
// a TUN device, memory) it doesn't. One virtual call per burst, none per packet.
//
// Ownership: a worker owns its ports and its pool; only its thread calls them. A frame belongs to whoever holds the
// Frame value: receive() and allocate() hand it to the caller, transmit() and release() take it back. Every frame is
// given back exactly once. All ports of an engine share the memory behind the frames, so a frame received on one
// port may be transmitted on any other, and released by any worker's pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::dataplane {

/// Packets per burst, at most: receive, process and transmit work on up to this many at once.
inline constexpr std::size_t burst_max = 64;

/// Bytes that a pool keeps free before `data` of a frame it hands out (received or allocated): room for an outer
/// IPv4 header (20), ICMP error (28), a VLAN tag (4), with some to spare.
inline constexpr std::size_t headroom_min = 64;

/// Index of an interface within the engine, the same on every worker. A flow remembers it as its last hop.
enum class PortId : std::uint8_t {};
inline constexpr PortId no_port{0xff};
inline constexpr std::size_t ports_max = 64;

/// A packet: Ethernet header first (always: a port without Ethernet, as TUN, adds an empty one).
struct Frame {
  std::uint8_t* data =
      nullptr;                 ///< first byte of the Ethernet header; may be moved within [start of room, end of room]
  std::uint16_t length = 0;    ///< bytes from data on
  std::uint16_t headroom = 0;  ///< bytes that may be written before data; moves with data
  std::uint16_t tailroom = 0;  ///< bytes that may be written after data + length
  PortId port = no_port;       ///< where it was received
  std::uint64_t handle = 0;    ///< the driver's own: UMEM address, mbuf pointer
};

/// The frames of one worker.
class FramePool {
 public:
  virtual ~FramePool() = default;
  /// Fills `frames` with empty frames (length 0) for packets the engine makes itself. Returns how many there were.
  virtual std::size_t allocate(std::span<Frame> frames) = 0;
  /// Takes frames back, also those whose home is another worker's pool.
  virtual void release(std::span<const Frame> frames) = 0;
};

/// What a port is.
struct PortStatus {
  std::string interface;  ///< "eth0"
  std::string mode;       ///< "af_xdp zero-copy", "af_xdp native copy", "af_xdp generic", "tun", "memory"
  std::uint32_t queue = 0;
};

class Port {
 public:
  virtual ~Port() = default;
  /// Up to frames.size() received packets; returns how many.
  virtual std::size_t receive(std::span<Frame> frames) = 0;
  /// Takes the first n frames for sending and returns n; the rest stays the caller's. Frames that were sent come
  /// back to their pool by themselves. May delay sending until flush().
  virtual std::size_t transmit(std::span<const Frame> frames) = 0;
  /// Called once after the transmits of a burst: kicks the driver if it must be kicked, reclaims what was sent.
  virtual void flush() = 0;
  /// A descriptor that becomes readable when packets arrive, for a worker that sleeps; -1: there is none, poll.
  [[nodiscard]] virtual int wait_fd() const = 0;
  [[nodiscard]] virtual PortStatus status() const = 0;
  /// Packets lost at the port itself, before the engine had them or after it gave them up: the kernel had no room in a
  /// ring, the host's stack refused one. Any thread.
  [[nodiscard]] virtual std::uint64_t lost() const { return 0; }
};

/// What a driver opens for one worker. Destroyed in this order: ports, then the pool that they gave their frames to.
struct WorkerPorts {
  std::unique_ptr<FramePool> pool;
  std::vector<std::unique_ptr<Port>> ports;  ///< index: PortId
};

}  // namespace sluice::dataplane
