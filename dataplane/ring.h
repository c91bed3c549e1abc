// A lock-free ring of values between one producer thread and one consumer thread, for bursts. A thin wrapper over
// boost::lockfree::spsc_queue, so that the rest of the dataplane names one type and no Boost. What the values mean,
// and who frees what they point to, is the user's affair.
#pragma once

#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <span>
#include <type_traits>

namespace sluice::dataplane {

/// T: small and trivial (a pointer, an index, a Frame). push() is called by one thread only, pop() by one thread only;
/// what was written before push() is seen after pop() (release / acquire). Nothing allocates after construction.
template <typename T>
requires std::is_trivially_copyable_v<T>
class Ring {
 public:
  /// capacity: values that fit; at least 1.
  explicit Ring(std::size_t capacity) : queue_(capacity) {}

  /// Takes the first n values and returns n; fewer than given means that the ring is full. Producer only.
  std::size_t push(std::span<const T> values) { return queue_.push(values.data(), values.size()); }
  /// False: the ring is full. Producer only.
  bool push(const T& value) { return queue_.push(value); }

  /// Fills the front of `values` in the order of push(); returns how many there were. Consumer only.
  std::size_t pop(std::span<T> values) { return queue_.pop(values.data(), values.size()); }

  /// A snapshot: what is seen as not empty stays so until the consumer pops. Consumer only.
  [[nodiscard]] bool empty() const { return queue_.read_available() == 0; }

 private:
  boost::lockfree::spsc_queue<T> queue_;
};

}  // namespace sluice::dataplane
