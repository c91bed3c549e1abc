// VRRP as the director sees it: started, reloaded and stopped here; what the vrrp thread has to say is taken to the
// log, to scripts, FIFOs and mail, in the order in which it happened, and what is watched on the control thread is
// taken to the vrrp thread. Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/mail/alert.h"
#include "control/notify/fifo.h"
#include "control/notify/script.h"
#include "control/vrrp/track_files.h"
#include "control/vrrp/track_processes.h"
#include "control/vrrp/track_scripts.h"
#include "control/vrrp/vrrp_mails.h"
#include "control/vrrp/vrrp_thread.h"
#include "net/error.h"

namespace sluice::control {

class VrrpService {
 public:
  using Log = std::function<void(const VrrpLine&)>;

  /// The instances run when this returns. io, the control thread's, and scripts outlive it. elsewhere: what is known of
  /// tracked things that others watch: BFD sessions.
  static Result<std::unique_ptr<VrrpService>> start(boost::asio::io_context& io, ScriptRunner& scripts,
                                                    const config::Config& config, std::vector<TrackedStatus> elsewhere,
                                                    Log log, SendAlert mail, WriteFifo write_fifo);
  /// As stop().
  ~VrrpService();
  VrrpService(const VrrpService&) = delete;
  VrrpService& operator=(const VrrpService&) = delete;

  void reload(const config::Config& config, std::vector<TrackedStatus> elsewhere);
  /// News of what others watch. Any thread, between start() and stop().
  void on_tracked(TrackedStatus status) { thread_->on_tracked(std::move(status)); }
  /// What runs, as far as it concerns VRRP.
  [[nodiscard]] const config::Config& config() const { return config_; }
  /// Called with every notice, and the configuration that it is told by, and with advertisements that were thrown away;
  /// from now on. For SNMP.
  struct Listener {
    std::function<void(const VrrpNotice&, const config::Config&)> notice;
    std::function<void(const VrrpRejection&)> rejected;
  };
  void set_listener(Listener listener) { listener_ = std::move(listener); }
  /// What is known of the scripts, files and processes that are tracked.
  [[nodiscard]] std::vector<TrackedStatus> tracked() const;
  /// done is called on the control thread, later.
  void status(std::function<void(VrrpStatus)> done);
  /// Gives up the addresses; then the stop scripts run, a second each at most, as keepalived has them.
  void stop();

 private:
  /// What the vrrp thread says, until the control thread gets to it.
  struct Mailbox;

  VrrpService(boost::asio::io_context& io, ScriptRunner& scripts, Log log, SendAlert mail, WriteFifo write_fifo);
  [[nodiscard]] VrrpSettings settings(std::vector<TrackedStatus> elsewhere) const;
  void take_config(const config::Config& config);
  void read_mail(ScriptRunner& runner, std::chrono::milliseconds time_max);
  void tell(const VrrpNotice& notice, ScriptRunner& runner, std::chrono::milliseconds time_max);

  boost::asio::io_context& io_;
  ScriptRunner& scripts_;
  Log log_;
  SendAlert mail_;
  WriteFifo write_fifo_;
  VrrpMails mails_;
  config::Config config_;  // what of it concerns VRRP
  config::Config gone_;    // instances and groups that the last reload took away: the last of them is yet to be told
  std::map<const config::Script*, ScriptSpec> runnable_;
  std::shared_ptr<Mailbox> mailbox_;
  Listener listener_;
  std::unique_ptr<TrackScripts> track_scripts_;
  std::unique_ptr<TrackFiles> track_files_;
  std::unique_ptr<TrackProcesses> track_processes_;
  std::unique_ptr<VrrpThread> thread_;
};

}  // namespace sluice::control
