// The memory behind all frames of an engine, and each worker's share of it. One mapping is cut into equal frames; each
// frame has a home, the worker whose share it lies in. A frame may be received, rewritten and sent anywhere; given up
// by a worker that isn't its home, it goes home over a ring of the two workers. What the kernel does with the mapping
// (UMEM of AF_XDP) is port/xsk.h's affair.
//
//   frames:   | 0 .. F-1       | F .. 2F-1      | ...          F = frames_per_worker
//   home:       worker 0         worker 1
//   rings:    [from][home], one producer and one consumer each, as large as a share: pushing never fails
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/ids.h"
#include "dataplane/mapping.h"
#include "dataplane/port/port.h"
#include "dataplane/ring.h"
#include "net/error.h"

namespace sluice::dataplane {

/// Room before the packet in a frame: what the kernel leaves of an AF_XDP frame (XDP_PACKET_HEADROOM), so that frames
/// that were received and frames that were allocated look alike.
inline constexpr std::uint16_t frame_headroom = 256;
static_assert(frame_headroom >= headroom_min);

/// Number of a frame: its address is number * frame_size.
using FrameNumber = std::uint32_t;

struct UmemGeometry {
  std::size_t workers = 1;
  std::size_t frames_per_worker = 0;
  std::size_t frame_size = 2048;  ///< 2048 or 4096: what AF_XDP takes

  [[nodiscard]] std::size_t frames() const { return workers * frames_per_worker; }
  [[nodiscard]] std::size_t bytes() const { return frames() * frame_size; }
};

/// Shared by all workers; immutable but for the rings.
class Umem {
 public:
  /// Fails when the machine hasn't the memory: it will be pinned, so it can't be overcommitted.
  static Result<std::shared_ptr<Umem>> create(UmemGeometry geometry);

  [[nodiscard]] const UmemGeometry& geometry() const { return geometry_; }
  [[nodiscard]] std::uint8_t* base() const { return memory_.as<std::uint8_t>().data(); }
  /// Over which `from` sends frames of `home` there.
  [[nodiscard]] Ring<FrameNumber>& ring(std::size_t from, std::size_t home) {
    return *rings_[from * geometry_.workers + home];
  }

 private:
  Umem(UmemGeometry geometry, Mapping memory);

  UmemGeometry geometry_;
  Mapping memory_;
  std::vector<std::unique_ptr<Ring<FrameNumber>>> rings_;
};

/// One worker's frames: last in, first out, so that the next frame is the one still in the cache. Worker's thread only.
class UmemPool final : public FramePool {
 public:
  UmemPool(std::shared_ptr<Umem> umem, WorkerId worker);

  std::size_t allocate(std::span<Frame> frames) override;
  void release(std::span<const Frame> frames) override;

  /// For ports, which lend frames to the kernel: by number. take() returns how many there were.
  std::size_t take(std::span<FrameNumber> numbers);
  /// Own frames are kept, others sent home.
  void give(std::span<const FrameNumber> numbers);

  /// Frames here, those on their way home included.
  std::size_t available();
  [[nodiscard]] Umem& umem() const { return *umem_; }

 private:
  void collect();
  void send_home(std::span<const FrameNumber> numbers);

  std::shared_ptr<Umem> umem_;
  std::size_t worker_;
  FrameNumber first_;  // of our share
  FrameNumber count_;
  std::unique_ptr<FrameNumber[]> free_;
  std::size_t free_count_ = 0;
};

}  // namespace sluice::dataplane
