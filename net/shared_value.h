// An immutable value that many hold: copied as a pointer, compared as what it points to. For what a configuration
// repeats a hundred thousand times, or shares between threads (nobody can change it, so nobody owns the right to).
#pragma once

#include <concepts>
#include <memory>
#include <utility>

namespace sluice::net {

template <typename T>
class SharedValue {
 public:
  SharedValue() = default;  ///< nothing
  SharedValue(T value)      // NOLINT(google-explicit-constructor): a T is such a value
      : value_(std::make_shared<const T>(std::move(value))) {}

  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  /// Only when has_value().
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

  bool operator==(const SharedValue& other) const {
    if (value_ == other.value_) return true;
    return value_ != nullptr && other.value_ != nullptr && *value_ == *other.value_;
  }

 private:
  std::shared_ptr<const T> value_;
};

}  // namespace sluice::net
