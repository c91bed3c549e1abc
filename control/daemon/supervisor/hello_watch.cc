#include "control/daemon/supervisor/hello_watch.h"

namespace sluice::control {

void HelloWatch::started(Time now) {
  last_ = now;
  busy_ = true;
  given_ = Action::none;
}

void HelloWatch::hello(Time now) { last_ = now; }

void HelloWatch::busy(bool busy, Time now) {
  last_ = now;
  busy_ = busy;
}

HelloWatch::Action HelloWatch::check(Time now) {
  switch (given_) {
    case Action::none:
      if (silent_for(now) < limit()) return Action::none;
      aborted_ = now;
      return given_ = Action::abort;
    case Action::abort:
      if (now - aborted_ < grace) return Action::none;
      return given_ = Action::kill;
    case Action::kill: break;
  }
  return Action::none;
}

bool HelloWatch::content(Time now) const { return given_ == Action::none && silent_for(now) < limit(); }

}  // namespace sluice::control
