// Keeps libbpf and libxdp off stderr: what they print while a capture is alive becomes text for an Error or the log.
// Their print hooks are per process and take no context, which is why this one place holds thread-local state.
#pragma once

#include <string>

namespace sluice::dataplane {

/// While it lives, warnings that libbpf or libxdp print on this thread are collected. Captures nest like scopes.
/// From the first one on, both libraries are silent outside of captures.
class BpfLogCapture {
 public:
  BpfLogCapture();
  ~BpfLogCapture();
  BpfLogCapture(const BpfLogCapture&) = delete;
  BpfLogCapture& operator=(const BpfLogCapture&) = delete;

  /// Everything collected, lines joined by "; ".
  [[nodiscard]] std::string text() const;
  /// The kernel's own explanation of a failed netlink request (extended ACK), or empty.
  [[nodiscard]] std::string kernel_message() const;

 private:
  std::string lines_;
  std::string* outer_;
};

}  // namespace sluice::dataplane
