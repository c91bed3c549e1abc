// A FIFO on which changes of state are told, a line each, to whoever reads it. It never waits: what nobody reads in
// time is lost (and counted), as with keepalived. Control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "control/notify/script.h"
#include "control/unique_fd.h"
#include "net/error.h"

namespace sluice::control {

/// Takes a line, with its newline, to the FIFOs that it is for.
using WriteFifo = std::function<void(std::string_view line)>;

class Fifo {
 public:
  /// Makes it with mode 0644 (less the umask), for `owner` if given; one that is there is used if it is a FIFO of root
  /// or of the owner. Errors say what stands there instead.
  static Result<Fifo> open(const std::string& path, const std::optional<ScriptUser>& owner);
  /// Removes it if it was made here.
  ~Fifo();
  Fifo(Fifo&&) noexcept = default;
  Fifo& operator=(Fifo&& other) noexcept;

  /// line: with its newline.
  void write(std::string_view line);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  Fifo(std::string path, UniqueFd fd, bool is_ours) : path_(std::move(path)), fd_(std::move(fd)), is_ours_(is_ours) {}

  std::string path_;
  UniqueFd fd_;
  bool is_ours_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace sluice::control
