// What people are told by mail, as whoever knows of it says it: vrrp and pools make it, mailer.h sends it.
#pragma once

#include <functional>
#include <string>

namespace sluice::control {

/// As in keepalived's mails: the subject without the "[ROUTER_ID] " before it; the body is one line, "=> ... <=".
struct Alert {
  std::string subject;
  std::string body;

  bool operator==(const Alert&) const = default;
};

/// Takes an alert and returns at once. Control thread. Empty: nobody is told.
using SendAlert = std::function<void(Alert)>;

}  // namespace sluice::control
