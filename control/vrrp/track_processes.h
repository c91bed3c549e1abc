// Watches the processes that instances track: which run is asked of /proc at first, then the kernel tells
// (process_events.h), or where it doesn't, /proc is asked again each second. What counts is process_quorum.h's. Control
// thread.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/vrrp/process_events.h"
#include "control/vrrp/process_quorum.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

/// Nothing: it has ended, or nobody has waited for its end yet. with_command: its command line is asked for, too.
[[nodiscard]] std::optional<ProcessView> look_at_process(pid_t process, bool with_command);

class TrackProcesses {
 public:
  using Log = std::function<void(const std::string&)>;

  TrackProcesses(boost::asio::io_context& io, std::function<void(TrackedStatus)> changed, Log log);
  ~TrackProcesses();
  TrackProcesses(const TrackProcesses&) = delete;
  TrackProcesses& operator=(const TrackProcesses&) = delete;

  /// Watches these from now on. A block that hasn't changed keeps what is known, and its delays.
  void configure(const std::vector<config::TrackProcess>& processes, const config::SocketBuffer& buffer);
  [[nodiscard]] std::vector<TrackedStatus> all() const;

 private:
  void open_events(const config::SocketBuffer& buffer);
  void wait_for_events();
  void wait_for_poll();
  void scan();
  void look(pid_t process);
  void forget(pid_t process);
  [[nodiscard]] std::vector<unsigned> count() const;
  void recount();
  void tell(const ProcessQuorum& quorum);
  void arm();

  std::function<void(TrackedStatus)> changed_;
  Log log_;
  std::vector<ProcessQuorum> quorums_;
  bool needs_commands_ = false;
  std::map<pid_t, std::vector<std::size_t>>
      matching_;  // processes and which of quorums_ they count for; none: left out
  std::optional<ProcessEvents> events_;
  boost::asio::posix::stream_descriptor waiter_;  // of events_, which closes it
  boost::asio::steady_timer poll_timer_;
  boost::asio::steady_timer delay_timer_;
  bool watches_ = false;
};

}  // namespace sluice::control
