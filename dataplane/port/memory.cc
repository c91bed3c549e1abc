#include "dataplane/port/memory.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace sluice::dataplane {

MemoryPool::MemoryPool(std::size_t frames) : frames_(frames), memory_(new std::uint8_t[frames * frame_size]()) {
  for (std::size_t i = frames; i > 0; --i) free_.push_back((i - 1) * frame_size);
}

std::size_t MemoryPool::allocate(std::span<Frame> frames) {
  const std::size_t count = std::min(frames.size(), free_.size());
  for (Frame& frame : frames.first(count)) {
    const std::uint64_t offset = free_.back();
    free_.pop_back();
    frame = {memory_.get() + offset + headroom, 0, headroom, frame_size - headroom, no_port, offset};
  }
  return count;
}

void MemoryPool::release(std::span<const Frame> frames) {
  for (const Frame& frame : frames) {
    assert(free_.size() < frames_);
    free_.push_back(frame.handle);
  }
}

void MemoryPort::inject(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() <= MemoryPool::frame_size - MemoryPool::headroom);
  pending_.emplace_back(bytes.begin(), bytes.end());
}

std::size_t MemoryPort::receive(std::span<Frame> frames) {
  std::size_t count = std::min(frames.size(), pending_.size());
  count = pool_.allocate(frames.first(count));
  for (Frame& frame : frames.first(count)) {
    const auto& bytes = pending_.front();
    std::copy(bytes.begin(), bytes.end(), frame.data);
    frame.length = std::uint16_t(bytes.size());
    frame.tailroom = std::uint16_t(frame.tailroom - bytes.size());
    frame.port = id_;
    pending_.pop_front();
  }
  return count;
}

std::size_t MemoryPort::transmit(std::span<const Frame> frames) {
  const std::size_t count = std::min(frames.size(), transmit_limit_);
  for (const Frame& frame : frames.first(count)) transmitted_.emplace_back(frame.data, frame.data + frame.length);
  pool_.release(frames.first(count));
  return count;
}

}  // namespace sluice::dataplane
