// The door to the host's own stack: a TUN device named sluice0, with one queue per worker. What is transmitted here
// arrives at the host as if it had come from outside; what the host answers (a real server on the director itself) is
// received here. The exceptional path: one system call per packet.
//
// Answers mostly come out of the queue that their connection's packets went in by; the kernel learns that only after it
// has handled the first packet, so the first answer may come out of any (a worker hands it on to the flow's owner).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "dataplane/port/tun_routing.h"
#include "net/error.h"

namespace sluice::dataplane {

inline constexpr const char* tun_name = "sluice0";

class TunPort final : public Port {
 public:
  ~TunPort() override;

  /// Frames begin with a made-up Ethernet header: MACs all zero, ether type by IP version.
  std::size_t receive(std::span<Frame> frames) override;
  /// Strips the Ethernet header and one VLAN tag. Takes every frame: what the host refuses (not IP, its queue is full,
  /// the device is down) is counted in lost() and gone.
  std::size_t transmit(std::span<const Frame> frames) override;
  void flush() override {}
  [[nodiscard]] int wait_fd() const override { return fd_; }
  [[nodiscard]] PortStatus status() const override { return {.interface = tun_name, .mode = "tun", .queue = queue_}; }

  [[nodiscard]] std::uint64_t lost() const override { return lost_.load(std::memory_order_relaxed); }

 private:
  friend Result<std::vector<std::unique_ptr<Port>>> open_tun(PortId id, std::span<FramePool* const> pools);
  TunPort(PortId id, std::uint32_t queue, int fd, FramePool& pool) : id_(id), queue_(queue), fd_(fd), pool_(pool) {}
  bool write_packet(const Frame& frame) const;

  PortId id_;
  std::uint32_t queue_;
  int fd_;
  FramePool& pool_;
  std::atomic<std::uint64_t> lost_{0};   // written by the worker, read by anyone, relaxed
  std::shared_ptr<TunRouting> routing_;  // shared by the queues: the last one undoes it
};

/// One port per pool: worker w uses pools[w] and the port at index w. The device, with its settings and routing
/// (TunRouting), is there until the last of them is destroyed. Fails where there is no /dev/net/tun or no permission:
/// then real servers on this host can't be reached, all else works. Control thread.
[[nodiscard]] Result<std::vector<std::unique_ptr<Port>>> open_tun(PortId id, std::span<FramePool* const> pools);

}  // namespace sluice::dataplane
