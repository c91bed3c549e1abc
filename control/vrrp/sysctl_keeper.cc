#include "control/vrrp/sysctl_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <ranges>

namespace sluice::control {

std::optional<int> SysctlKeeper::read(const std::string& path) const {
  std::ifstream in(root_ + path);
  int value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

void SysctlKeeper::set(const Sysctl& setting) {
  const auto& [path, value] = setting;
  const auto now = read(path);
  // Not there: the interface has gone, or the kernel doesn't know the setting.
  if (!now || *now == value) return;
  std::ofstream out(root_ + path);
  if (!(out << value << '\n' << std::flush)) {
    log_(fmt::format("can't set /proc/sys/net/{} to {}: {}", path, value, std::strerror(errno)));
  }
}

void SysctlKeeper::want(const std::vector<Sysctl>& wanted) {
  for (std::size_t i = kept_.size(); i-- > 0;) {
    const Kept kept = kept_[i];
    if (std::ranges::find(wanted, kept.path, &Sysctl::first) != wanted.end()) continue;
    if (read(kept.path) == kept.ours) set({kept.path, kept.before});
    kept_.erase(kept_.begin() + std::ptrdiff_t(i));
  }
  for (const Sysctl& each : wanted) {
    const auto known = std::ranges::find(kept_, each.first, &Kept::path);
    if (known != kept_.end()) {
      if (known->ours == each.second) continue;
      known->ours = each.second;
    } else {
      const auto before = read(each.first);
      if (!before) continue;
      kept_.push_back({each.first, *before, each.second});
    }
    set(each);
  }
}

void SysctlKeeper::inherit(const std::string& path, int before, int ours) {
  if (read(path) != ours || std::ranges::find(kept_, path, &Kept::path) != kept_.end()) return;
  kept_.push_back({path, before, ours});
}

void SysctlKeeper::forget_interface(const std::string& name) {
  const std::string directory = fmt::format("/conf/{}/", name);
  std::erase_if(kept_, [&](const Kept& kept) { return kept.path.find(directory) != std::string::npos; });
}

}  // namespace sluice::control
