// AF_XDP as the kernel offers it: the registration of the engine's memory (one for all sockets), and a socket bound to
// one queue of one interface with its four rings. Which queues there are, and which worker serves them, is decided in
// port/af_xdp.cc; port/af_xdp_port.cc makes a Port of one worker's sockets.
//
// A queue lends a constant number of frames to the kernel for receiving (those in the fill ring, in the driver's ring
// and in the receive ring, together): what was received is replaced, in bursts.
#pragma once

#include <xdp/xsk.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/port/port.h"
#include "dataplane/port/umem.h"
#include "net/error.h"

namespace sluice::dataplane {

struct XskRings {
  xsk_ring_prod fill{};
  xsk_ring_cons completion{};
};

/// The kernel's view of a Umem. Lives until the last socket is gone.
class XskUmem {
 public:
  /// ring_size: descriptors of receive and transmit rings, a power of two; fill and completion rings are twice that.
  static Result<std::shared_ptr<XskUmem>> create(std::shared_ptr<Umem> memory, unsigned ring_size);
  ~XskUmem();
  XskUmem(const XskUmem&) = delete;
  XskUmem& operator=(const XskUmem&) = delete;

  [[nodiscard]] Umem& memory() const { return *memory_; }
  [[nodiscard]] unsigned ring_size() const { return ring_size_; }
  [[nodiscard]] unsigned fill_size() const { return 2 * ring_size_; }
  [[nodiscard]] xsk_umem* handle() const { return umem_; }
  /// The rings that libxdp made with the UMEM belong to the first socket; every other one brings its own.
  [[nodiscard]] std::shared_ptr<XskRings> rings_for_next_socket();

 private:
  XskUmem(std::shared_ptr<Umem> memory, unsigned ring_size);

  std::shared_ptr<Umem> memory_;
  unsigned ring_size_;
  std::shared_ptr<XskRings> first_rings_;  // libxdp looks at them until the UMEM is deleted
  bool first_given_ = false;
  xsk_umem* umem_ = nullptr;
};

struct XskOptions {
  std::string interface;
  unsigned queue = 0;
  bool transmits = true;   ///< false: no transmit ring
  bool zero_copy = false;  ///< the first socket of a UMEM decides for all of them
};

/// Created on the control thread, then used by one worker's thread only.
class XskSocket {
 public:
  static Result<std::unique_ptr<XskSocket>> open(std::shared_ptr<XskUmem> umem, const XskOptions& options);
  ~XskSocket();
  XskSocket(const XskSocket&) = delete;
  XskSocket& operator=(const XskSocket&) = delete;

  /// Up to frames.size() received packets, stamped with `port`.
  std::size_t receive(std::span<Frame> frames, PortId port);
  /// Lends frames for those that were received, once a burst is due, or (`all`) as many as are missing.
  void refill(UmemPool& pool, bool all);
  /// Takes the first n frames and returns n: as many as fit into the transmit ring.
  std::size_t transmit(std::span<const Frame> frames, UmemPool& pool);
  /// Tells the kernel about frames to send, if it must be told.
  void kick();
  /// Gives frames that were sent to the pool.
  void reclaim(UmemPool& pool);

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] unsigned queue() const { return queue_; }
  [[nodiscard]] bool zero_copy() const;
  /// Frames that the kernel holds.
  [[nodiscard]] std::size_t lent() const { return fill_target_ - missing_ + sending_; }
  [[nodiscard]] std::size_t sending() const { return sending_; }
  /// Packets for us that the kernel dropped: receive ring full, fill ring empty, other. A system call. Any thread.
  [[nodiscard]] std::uint64_t kernel_drops() const;

 private:
  XskSocket(std::shared_ptr<XskUmem> umem, const XskOptions& options);

  std::shared_ptr<XskUmem> umem_;
  std::shared_ptr<XskRings> rings_;
  std::uint8_t* base_;
  std::size_t frame_size_;
  xsk_ring_cons receive_{};
  xsk_ring_prod transmit_{};
  xsk_socket* socket_ = nullptr;
  int fd_ = -1;
  unsigned queue_;
  std::size_t fill_target_;
  std::size_t missing_;      // of fill_target_: received, not replaced yet
  std::size_t sending_ = 0;  // handed to the transmit ring, not completed yet
  bool unkicked_ = false;    // the kernel may not know of all in the transmit ring
};

}  // namespace sluice::dataplane
