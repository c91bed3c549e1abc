// For tests that need real interfaces: a network namespace of the test's own, and raw sockets to stand at the other end
// of a wire. The namespace has no name: it goes, with everything in it, when the test process ends, however it ends.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/testing/packet_builder.h"

namespace sluice::dataplane::testing {

/// Moves the calling thread into a new, empty network namespace with lo up. One at a time; threads made later follow.
class PrivateNetwork {
 public:
  PrivateNetwork();

  /// Why such a test can't run here (not root, no namespaces, no AF_XDP), or empty.
  static std::string why_not();

  /// A pair of up interfaces without IPv6 chatter, each with this many queues; checksum and segmentation offload are
  /// off on both ends, as a wire has no use for them.
  void wire(const std::string& a, const std::string& b, unsigned queues = 1);
  /// Runs a shell command, which must succeed.
  void run(const std::string& command);
  /// What it prints, whether or not it succeeds.
  static std::string output(const std::string& command);
};

/// Sees whatever the kernel's stack would get from an interface, and sends from it.
class RawSocket {
 public:
  explicit RawSocket(const std::string& interface);
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  /// False: the interface's queue is full.
  bool send(const Bytes& frame);
  /// The next frame that came in (not what was sent from this interface), within `patience`.
  std::optional<Bytes> receive(std::chrono::milliseconds patience);

 private:
  int fd_;
};

}  // namespace sluice::dataplane::testing
