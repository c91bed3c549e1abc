// A network namespace for a test, without a name: it is gone with the last descriptor, however the test ends.
// The calling thread enters it for a while; commands run inside it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace sluice::control::netlink {

class TestNamespace {
 public:
  /// None without the right to make one; then the test skips itself.
  static std::optional<TestNamespace> create();
  ~TestNamespace();
  TestNamespace(TestNamespace&& other) noexcept;
  TestNamespace& operator=(TestNamespace&&) = delete;

  /// The calling thread is inside while this lives.
  class Inside {
   public:
    explicit Inside(int descriptor);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    int back_;
  };
  [[nodiscard]] Inside enter() const { return Inside(descriptor_); }

  /// Runs shell commands inside, stopping at the first that fails; true if all went well. Their errors go to stderr.
  bool run(const std::string& commands) const;
  /// As `ip ... netns` wants it.
  [[nodiscard]] std::string path() const;

 private:
  explicit TestNamespace(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

/// What a shell command prints where the calling thread is, errors included.
std::string output_of(const std::string& command);

/// Runs `io` until done() or the time is over; says which.
bool run_until(boost::asio::io_context& io, const std::function<bool()>& done,
               std::chrono::milliseconds limit = std::chrono::seconds(5));

}  // namespace sluice::control::netlink
