// Packets in, packets out, in memory: the port of golden tests, fuzzing and benches.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "dataplane/port/port.h"

namespace sluice::dataplane {

/// Frames of 2 KiB in one piece of memory. Counts what is out, so that a test sees a lost frame. Several workers' pools
/// may be used in one thread; a frame goes back to the pool it came from whichever releases it.
class MemoryPool final : public FramePool {
 public:
  explicit MemoryPool(std::size_t frames);

  std::size_t allocate(std::span<Frame> frames) override;
  void release(std::span<const Frame> frames) override;

  /// Frames that somebody holds.
  [[nodiscard]] std::size_t outstanding() const { return frames_ - free_.size(); }

  static constexpr std::size_t frame_size = 2048;
  static constexpr std::size_t headroom = 256;

 private:
  std::size_t frames_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::vector<std::uint64_t> free_;
};

class MemoryPort final : public Port {
 public:
  /// pool: where received packets' frames come from, and transmitted ones go.
  MemoryPort(PortId id, MemoryPool& pool) : id_(id), pool_(pool) {}

  /// Queues a packet to be received: bytes from the Ethernet header on, at most frame_size - headroom.
  void inject(std::span<const std::uint8_t> bytes);
  /// Packets transmitted since the last call.
  std::vector<std::vector<std::uint8_t>> take_transmitted() { return std::exchange(transmitted_, {}); }
  /// From now on transmit() takes at most this many frames per call.
  void limit_transmit(std::size_t frames) { transmit_limit_ = frames; }

  std::size_t receive(std::span<Frame> frames) override;
  std::size_t transmit(std::span<const Frame> frames) override;
  void flush() override {}
  [[nodiscard]] int wait_fd() const override { return -1; }
  [[nodiscard]] PortStatus status() const override { return {"memory", "memory", 0}; }

 private:
  PortId id_;
  MemoryPool& pool_;
  std::deque<std::vector<std::uint8_t>> pending_;
  std::vector<std::vector<std::uint8_t>> transmitted_;
  std::size_t transmit_limit_ = SIZE_MAX;
};

}  // namespace sluice::dataplane
