// Kernel settings (/proc/sys/net) that are ours for a while: each is remembered as it was before the first change, and
// set back to that, once, unless somebody else has changed it meanwhile. Used on the vrrp thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::control {

/// Path below /proc/sys/net, as ipv4/conf/eth0/arp_ignore, and value.
using Sysctl = std::pair<std::string, int>;

class SysctlKeeper {
 public:
  using Log = std::function<void(const std::string&)>;

  /// root: elsewhere in tests.
  explicit SysctlKeeper(Log log, std::string root = "/proc/sys/net/") : log_(std::move(log)), root_(std::move(root)) {}

  /// These hold from now on, in this order; those that were set before and aren't named are set back. What is set
  /// already is left alone.
  void want(const std::vector<Sysctl>& wanted);
  /// A former run that died has set this one and can't say any more what it was: `before`, as far as is known. Without
  /// effect if it isn't `ours` now, or is remembered already.
  void inherit(const std::string& path, int before, int ours);
  /// Everything as it was, the last change first.
  void restore() { want({}); }
  /// An interface went, and its settings with it: nothing is to be set back. name: as a directory of conf.
  void forget_interface(const std::string& name);

  /// Without remembering what it was: for interfaces of our own.
  void set(const Sysctl& setting);
  [[nodiscard]] std::optional<int> read(const std::string& path) const;

 private:
  struct Kept {
    std::string path;
    int before;
    int ours;
  };

  Log log_;
  std::string root_;
  std::vector<Kept> kept_;
};

}  // namespace sluice::control
