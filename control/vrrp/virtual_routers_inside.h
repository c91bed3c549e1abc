// What the files of VirtualRouters share among themselves: the clock, the listeners, and how an event gets to an
// instance or to its sync group. For virtual_routers*.cc alone.
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <utility>
#include <vector>

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
  std::array<std::vector<VirtualRouter*>, 256> routers;  ///< those that listen here, by virtual_router_id
  /// When a packet that is nobody's was logged last, by its kind and virtual_router_id (0: it has none).
  std::map<std::pair<vrrp::ReceiveError, std::uint8_t>, vrrp::Time> said_at;
};

/// Lets it listen there; null: nowhere.
void set_listener(VirtualRouter& router, std::shared_ptr<AdvertListener> listener);

inline vrrp::Time now() {
  return vrrp::Time(
      std::chrono::duration_cast<vrrp::Microseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

/// A master's advertisement may go sooner by this, with others; a master-down deadline is exact.
inline vrrp::Microseconds early_of(const VirtualRouter& router) {
  if (router.election.state() != vrrp::State::master) return {};
  return std::min<vrrp::Microseconds>(router.election.config().advertisement_interval / 16,
                                      std::chrono::milliseconds(1));
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
