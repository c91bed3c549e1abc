// Filling in what virtual servers, real servers and checkers inherit. Internal to control/config.
#pragma once

#include <utility>
#include <vector>

#include "control/config/keywords.h"

namespace sluice::control::config {

/// Takes out what `wanted` says no to; the order stays. wanted may change what it is shown.
template <typename T, typename Wanted>
void keep_if(std::vector<T>& all, Wanted&& wanted) {
  auto out = all.begin();
  for (auto it = all.begin(); it != all.end(); ++it) {
    if (!wanted(*it)) continue;
    if (out != it) *out = std::move(*it);
    ++out;
  }
  all.erase(out, all.end());
  all.shrink_to_fit();  // a file of 100,000 real servers would carry the slack of as many vectors
}

/// port: the real server's, before or after corrections; the checker connects to it unless told otherwise. False: the
/// checker can't be kept, which was said.
bool resolve_checker(Context& context, Checker& checker, const VirtualServer& vs, const RealServer& rs,
                     net::L4Port port);

/// smtp_alert of a virtual server or a real server that doesn't say.
bool smtp_alert_default(const GlobalDefs& global, bool otherwise);

}  // namespace sluice::control::config
