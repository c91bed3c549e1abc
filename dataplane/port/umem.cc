#include "dataplane/port/umem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <utility>

namespace sluice::dataplane {

Result<std::shared_ptr<Umem>> Umem::create(UmemGeometry geometry) {
  const auto mib = [](std::size_t bytes) { return (bytes + (1u << 20) - 1) >> 20; };
  const auto remedy = [&] {
    return fmt::format("({} workers x {} frames x {} bytes): use fewer queues or workers, or smaller rings",
                       geometry.workers, geometry.frames_per_worker, geometry.frame_size);
  };
  if (geometry.frames() > std::numeric_limits<FrameNumber>::max()) {
    return fail("frames", fmt::format("{} frames are more than can be numbered {}", geometry.frames(), remedy()));
  }
  // The kernel pins every page at once, and a machine without any memory left kills at random.
  if (const std::size_t available = available_memory(); geometry.bytes() > available / 10 * 8) {
    return fail("frames", fmt::format("{} MiB are needed for frames, {} MiB of memory are available {}",
                                      mib(geometry.bytes()), mib(available), remedy()));
  }
  auto memory = Mapping::create(geometry.bytes(), Mapping::Kind::private_memory, "frames");
  if (!memory) return std::unexpected(memory.error());
  return std::shared_ptr<Umem>(new Umem(geometry, std::move(*memory)));
}

Umem::Umem(UmemGeometry geometry, Mapping memory) : geometry_(geometry), memory_(std::move(memory)) {
  for (std::size_t from = 0; from < geometry.workers; ++from) {
    for (std::size_t home = 0; home < geometry.workers; ++home) {
      rings_.push_back(from == home ? nullptr : std::make_unique<Ring<FrameNumber>>(geometry.frames_per_worker));
    }
  }
}

UmemPool::UmemPool(std::shared_ptr<Umem> umem, WorkerId worker)
    : umem_(std::move(umem)),
      worker_(index(worker)),
      first_(FrameNumber(worker_ * umem_->geometry().frames_per_worker)),
      count_(FrameNumber(umem_->geometry().frames_per_worker)),
      free_(std::make_unique<FrameNumber[]>(count_)),
      free_count_(count_) {
  for (FrameNumber i = 0; i < count_; ++i) free_[i] = first_ + count_ - 1 - i;
}

std::size_t UmemPool::allocate(std::span<Frame> frames) {
  std::array<FrameNumber, burst_max> numbers;
  const std::size_t size = umem_->geometry().frame_size;
  std::size_t done = 0;
  while (done < frames.size()) {
    const std::size_t wanted = std::min(frames.size() - done, numbers.size());
    const std::size_t taken = take({numbers.data(), wanted});
    for (std::size_t i = 0; i < taken; ++i) {
      const std::size_t address = numbers[i] * size;
      frames[done + i] = {.data = umem_->base() + address + frame_headroom,
                          .length = 0,
                          .headroom = frame_headroom,
                          .tailroom = static_cast<std::uint16_t>(size - frame_headroom),
                          .port = no_port,
                          .handle = address};
    }
    done += taken;
    if (taken < wanted) break;
  }
  return done;
}

void UmemPool::release(std::span<const Frame> frames) {
  std::array<FrameNumber, burst_max> numbers;
  const std::size_t size = umem_->geometry().frame_size;
  while (!frames.empty()) {
    const std::size_t n = std::min(frames.size(), numbers.size());
    for (std::size_t i = 0; i < n; ++i) numbers[i] = FrameNumber(frames[i].handle / size);
    give({numbers.data(), n});
    frames = frames.subspan(n);
  }
}

std::size_t UmemPool::take(std::span<FrameNumber> numbers) {
  if (free_count_ < numbers.size()) collect();
  const std::size_t n = std::min(free_count_, numbers.size());
  for (std::size_t i = 0; i < n; ++i) numbers[i] = free_[--free_count_];
  return n;
}

void UmemPool::give(std::span<const FrameNumber> numbers) {
  // Frames that came in together mostly leave together: strangers go home in runs.
  std::size_t i = 0;
  while (i < numbers.size()) {
    if (numbers[i] - first_ < count_) {
      free_[free_count_++] = numbers[i++];
      continue;
    }
    const std::size_t home = numbers[i] / count_;
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end] / count_ == home) ++end;
    send_home(numbers.subspan(i, end - i));
    i = end;
  }
  assert(free_count_ <= count_);
}

void UmemPool::send_home(std::span<const FrameNumber> numbers) {
  [[maybe_unused]] const std::size_t pushed = umem_->ring(worker_, numbers[0] / count_).push(numbers);
  assert(pushed == numbers.size());  // the ring holds every frame that this home has
}

void UmemPool::collect() {
  for (std::size_t from = 0; from < umem_->geometry().workers; ++from) {
    if (from == worker_) continue;
    free_count_ += umem_->ring(from, worker_).pop({free_.get() + free_count_, count_ - free_count_});
  }
}

std::size_t UmemPool::available() {
  collect();
  return free_count_;
}

}  // namespace sluice::dataplane
