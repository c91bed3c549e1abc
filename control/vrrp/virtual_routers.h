// All virtual routers of this host: gives them what comes in (advertisements, deadlines, the kernel's news, tracked
// things) and does what they decide. The one place where VRRP meets the world. Lives on the vrrp thread, with its
// io_context; nothing here blocks longer than the kernel takes for an address. Its parts: virtual_routers.cc makes and
// ends them, _adverts.cc speaks with the peers, _host.cc hears the kernel, _tracking.cc the tracked things, _actions.cc
// does what was decided, _status.cc shows it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/netlink/changes.h"
#include "control/netlink/reflector.h"
#include "control/vrrp/advert_socket.h"
#include "control/vrrp/alarm_clock.h"
#include "control/vrrp/announcer.h"
#include "control/vrrp/firewall.h"
#include "control/vrrp/sysctl_keeper.h"
#include "control/vrrp/virtual_router.h"
#include "control/vrrp/vmac_keeper.h"
#include "control/vrrp/vrrp_settings.h"
#include "net/error.h"

namespace sluice::control {

/// Called on the vrrp thread; must not block.
struct VrrpHooks {
  std::function<void(VrrpNotice)> notice;
  std::function<void(VrrpLine)> log;
  std::function<void(VrrpRejection)> rejected = {};  ///< empty: nobody wants to know
};

class VirtualRouters {
 public:
  /// Opens sockets, takes away what a former run has left, and starts every instance. io outlives this.
  static Result<std::unique_ptr<VirtualRouters>> start(boost::asio::io_context& io, VrrpSettings settings,
                                                       VrrpHooks hooks);
  ~VirtualRouters();
  VirtualRouters(const VirtualRouters&) = delete;
  VirtualRouters& operator=(const VirtualRouters&) = delete;

  /// Instances that stay keep their state and their addresses.
  void reload(VrrpSettings settings);
  void on_tracked(const TrackedStatus& status);
  /// Gives up what is owned, with priority 0 for each master.
  void stop();

  [[nodiscard]] VrrpStatus status() const;

 private:
  VirtualRouters(boost::asio::io_context& io, VrrpHooks hooks, netlink::Changer changer, AdvertSender sender);
  Result<> open();

  // Making them.
  VirtualRouter& add(const config::VrrpInstance& instance);
  AlarmTasks alarm_tasks();
  void configure(VirtualRouter& router);
  void read_keys(VirtualRouter& router);
  [[nodiscard]] AddressKeeper::Place place_of(const config::VrrpInstance& instance) const;
  void configure_static();
  void want_sysctls();
  void make_groups();
  void begin(VirtualRouter& router);
  void remove(VirtualRouter& router);

  // What comes in.
  void listen(AdvertListener& listener);
  void drain(AdvertListener& listener);
  void on_packet(AdvertListener& listener, const AdvertPacket& packet);
  static VirtualRouter* router_of(const AdvertListener& listener, const vrrp::Arrival& arrival);
  void note_unknown(AdvertListener& listener, const vrrp::Arrival& arrival);
  void reject(VirtualRouter& router, vrrp::ReceiveError error, const net::IpAddr& source);
  void on_deadline(VirtualRouter& router);
  void on_link_news(const netlink::Link& link, bool removed);
  void on_link(const std::string& name);
  void on_address(const netlink::InterfaceAddress& address, bool removed);
  void on_route(const netlink::Prefix& prefix);
  void on_rules();
  void lose(VirtualRouter& router, const std::string& what);

  // What holds of the world.
  void look_at_link(VirtualRouter& router, bool at_once);
  void count_link(VirtualRouter& router, bool up);
  [[nodiscard]] bool is_up(const VirtualRouter& router) const;
  void look_at_source(VirtualRouter& router);
  void look_at_trackers(VirtualRouter& router);
  void look_at_static();
  [[nodiscard]] std::set<std::string> groups_missing() const;
  void set_tracked(VirtualRouter& router, const TrackedStatus& status);
  void set_fault(VirtualRouter& router, vrrp::Fault fault, bool present, const std::string& why);
  [[nodiscard]] std::optional<net::IpAddr> source_of(const VirtualRouter& router) const;
  [[nodiscard]] bool is_virtual(const netlink::InterfaceAddress& address) const;
  void reopen(VirtualRouter& router);
  void size_buffer(const AdvertListener& listener) const;

  // What is decided.
  template <typename Alone, typename InGroup>
  void drive(VirtualRouter& router, Alone&& alone, InGroup&& in_group);
  void perform(VirtualRouter& router, const vrrp::Actions& actions);
  void perform(RunningGroup& group, const vrrp::GroupActions& actions);
  void perform(VirtualRouter& router, const vrrp::Action& action);
  static void note_transition(VirtualRouter& router, vrrp::NotifyEvent event);
  void send_advert(VirtualRouter& router, std::uint8_t priority);
  void announce(VirtualRouter& router, const vrrp::GarpBursts& bursts);
  [[nodiscard]] std::vector<vrrp::GarpTarget> extra_targets(const VirtualRouter& router) const;
  void arm_garp(VirtualRouter& router);
  void arm_announcer();
  void block();
  void log(std::string text, bool is_warning = false, bool is_detail = false) const;

  boost::asio::io_context& io_;
  AlarmClock clock_;
  VrrpHooks hooks_;
  netlink::Changer changer_;
  AdvertSender sender_;
  std::unique_ptr<netlink::Reflector> reflector_;
  netlink::Subscription subscription_;
  std::optional<Announcer> announcer_;
  Alarm announcer_alarm_;

  config::Config config_;
  std::vector<TrackedStatus> tracked_;
  std::unique_ptr<VmacKeeper> vmacs_;
  std::unique_ptr<Firewall> firewall_;
  std::unique_ptr<SysctlKeeper> sysctls_;  // other than those of VMACs
  std::unique_ptr<AddressKeeper> static_addresses_;
  std::unique_ptr<RouteKeeper> static_routes_;
  std::set<std::string> groups_missing_;     // track_groups of which something static is missing
  std::map<int, netlink::Link> links_seen_;  // by ifindex: what was told of them last
  std::vector<std::unique_ptr<RunningGroup>> groups_;
  std::vector<std::unique_ptr<VirtualRouter>> routers_;
  std::map<AdvertReceiverKey, std::weak_ptr<AdvertListener>> listeners_;
  std::map<std::pair<vrrp::TrackKind, std::string>, std::uint32_t> tracker_numbers_;  // a fault's index
  std::uint32_t routers_made_ = 0;
  std::array<std::uint64_t, vrrp::receive_errors> errors_{};
  bool stopped_ = false;
};

}  // namespace sluice::control
