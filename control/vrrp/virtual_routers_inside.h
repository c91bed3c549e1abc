// What the files of VirtualRouters share among themselves: the clock, timers, and how an event gets to an instance or
// to its sync group. For virtual_routers*.cc alone.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "control/vrrp/virtual_routers.h"

namespace sluice::control {

/// A socket that routers share, and the wait for it.
struct AdvertListener {
  AdvertListener(boost::asio::io_context& io, AdvertReceiverKey with, AdvertReceiver opened)
      : key(std::move(with)), receiver(std::move(opened)), waiter(io, receiver.descriptor()) {}
  ~AdvertListener() { waiter.release(); }  // the receiver closes it

  AdvertReceiverKey key;
  AdvertReceiver receiver;
  boost::asio::posix::stream_descriptor waiter;
};

inline vrrp::Time now() {
  return vrrp::Time(
      std::chrono::duration_cast<vrrp::Microseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

/// Calls task() at that time, in place of what the timer was to do before.
template <typename Task>
void arm(boost::asio::steady_timer& timer, vrrp::Time at, Task task) {
  timer.expires_at(std::chrono::steady_clock::time_point(at.time_since_epoch()));
  timer.async_wait([task = std::move(task)](const boost::system::error_code& error) {
    if (!error) task();
  });
}

template <typename Alone, typename InGroup>
void VirtualRouters::drive(VirtualRouter& router, Alone&& alone, InGroup&& in_group) {
  if (router.group != nullptr && router.group->group != nullptr) {
    perform(*router.group, in_group(*router.group->group, router.member));
  } else {
    perform(router, alone(router.election));
  }
}

}  // namespace sluice::control
