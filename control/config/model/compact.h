// Members that most nodes don't have, at the price of one or two pointers: what a configuration of 100,000 real servers
// costs is decided by what each of them doesn't say.
#pragma once

#include <memory>
#include <string>
#include <utility>

namespace sluice::control::config {

/// An optional T on the heap. Copies are deep, equality is that of what is inside.
template <typename T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT: reads as an optional does
  Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) value_ = other.value_ ? std::make_unique<T>(*other.value_) : nullptr;
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  ~Boxed() = default;

  explicit operator bool() const { return value_ != nullptr; }
  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  /// Null: nothing inside.
  [[nodiscard]] const T* get() const { return value_.get(); }
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return value_.get(); }
  T* operator->() { return value_.get(); }
  /// What is inside, made if there is nothing.
  T& ensure() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  void reset() { value_.reset(); }

  bool operator==(const Boxed& other) const {
    return has_value() == other.has_value() && (!has_value() || *value_ == *other.value_);
  }

 private:
  std::unique_ptr<T> value_;
};

/// A text that doesn't change; copies share it. The empty one costs nothing more than the pointer.
class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string text)  // NOLINT: a text is a text
      : text_(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}  // NOLINT

  [[nodiscard]] bool empty() const { return text_ == nullptr; }
  [[nodiscard]] const std::string& str() const {
    static const std::string nothing;
    return text_ ? *text_ : nothing;
  }
  operator const std::string&() const { return str(); }  // NOLINT

  bool operator==(const SharedText& other) const { return text_ == other.text_ || str() == other.str(); }
  bool operator==(const char* other) const { return str() == other; }
  bool operator==(const std::string& other) const { return str() == other; }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace sluice::control::config
