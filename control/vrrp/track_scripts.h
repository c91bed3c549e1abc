// Runs the vrrp_scripts that instances track, each from start to start once per interval, and tells when one of them
// changes between up and down. What that means for an instance is vrrp/tracking.h's. Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/config/config.h"
#include "control/notify/script.h"
#include "control/vrrp/vrrp_settings.h"

namespace sluice::control {

class TrackScripts {
 public:
  using Log = std::function<void(const std::string&)>;

  /// changed: called for every change, the first result among them.
  TrackScripts(boost::asio::io_context& io, ScriptRunner& runner, std::function<void(TrackedStatus)> changed, Log log);
  ~TrackScripts();
  TrackScripts(const TrackScripts&) = delete;
  TrackScripts& operator=(const TrackScripts&) = delete;

  /// Runs these from now on. One that stays the same keeps its result and its rhythm (keepalived). What can't be run
  /// has failed. complaints: about those; added to.
  void configure(const config::Config& config, std::vector<Error>& complaints);
  /// As things stand, of every script.
  [[nodiscard]] std::vector<TrackedStatus> all() const;

 private:
  struct Running;
  void run(Running& script);
  void wait(Running& script);
  void ended(Running& script, const ScriptEnd& end);

  boost::asio::io_context& io_;
  ScriptRunner& runner_;
  std::function<void(TrackedStatus)> changed_;
  Log log_;
  std::map<std::string, std::shared_ptr<Running>> scripts_;
};

}  // namespace sluice::control
