// All BFD sessions of this host: gives them what comes in (packets, deadlines) and does what they decide. Lives on the
// bfd thread, with its io_context; nothing here blocks.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "control/bfd/bfd_settings.h"
#include "control/bfd/bfd_socket.h"

namespace sluice::control {

/// Called on the bfd thread; must not block.
struct BfdHooks {
  std::function<void(const BfdNews&)> changed;
  std::function<void(BfdLine)> log;
};

class BfdSessions {
 public:
  /// io outlives this.
  BfdSessions(boost::asio::io_context& io, BfdHooks hooks);
  ~BfdSessions();
  BfdSessions(const BfdSessions&) = delete;
  BfdSessions& operator=(const BfdSessions&) = delete;

  /// A session stays if its name, neighbor, source and kind of hop do; what else changed it agrees on with its
  /// neighbor. One that is gone tells its neighbor (AdminDown). The start is a reload of nothing.
  void reload(const BfdInstances& instances);
  /// Says of every session whether it is Up, as if that were news.
  void publish();
  /// Ends all sessions.
  void stop();

  [[nodiscard]] BfdStatus status() const;

 private:
  struct Running;
  struct Listener;
  using Kind = std::pair<bool, bool>;  // IPv6, multihop

  Running& add(const config::BfdInstance& instance);
  void open_receivers();
  void listen(const std::shared_ptr<Listener>& listener);
  void drain();
  void drain(Listener& listener);
  void on_datagram(const BfdDatagram& datagram);
  void reject(const vrrp::bfd::Misfit& why, const vrrp::bfd::Arrival& arrival);
  void on_deadline(Running& running);
  void perform(Running& running, const vrrp::bfd::Actions& actions);
  void send(Running& running, const vrrp::bfd::ControlPacket& packet);
  void arm(Running& running);
  [[nodiscard]] static BfdNews news_of(const Running& running, bool is_lost);
  void log(std::string text, bool is_warning = false, bool is_detail = false) const;
  [[nodiscard]] std::uint32_t new_discriminator();

  boost::asio::io_context& io_;
  BfdHooks hooks_;
  std::mt19937_64 random_;
  std::vector<std::shared_ptr<Running>> sessions_;
  std::vector<vrrp::bfd::SessionKey> keys_;  // of sessions_, in its order
  std::map<Kind, std::shared_ptr<Listener>> listeners_;
  std::map<Kind, std::string> unopened_;  // and why
  boost::asio::steady_timer retry_;
  std::array<std::uint64_t, vrrp::bfd::receive_errors> errors_{};
  std::set<vrrp::bfd::ReceiveError> said_;  // kinds of nobody's packets that were logged
};

}  // namespace sluice::control
