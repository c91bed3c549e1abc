// The director: what runs between start and stop of the daemon. Ties configuration, backend, pools, health and API
// together on the control thread; decides nothing itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "control/api/server.h"
#include "control/config/config.h"
#include "control/daemon/forwarding_engine.h"
#include "control/netlink/reflector.h"
#include "control/notify/script.h"
#include "control/pools/pool_manager.h"
#include "health/health_thread.h"
#include "net/error.h"

namespace spdlog {
class logger;
}

namespace sluice::control {

struct DirectorOptions {
  std::string socket_path = api::default_socket_path;
  /// Called once all is open that takes more rights than serving does; of other threads only workers run by then.
  /// Empty: nobody wants to know.
  std::function<void()> opened;
};

class Director {
 public:
  /// Opens everything and begins to serve. io: the control thread's, not running yet; must outlive the director.
  static Result<std::unique_ptr<Director>> start(boost::asio::io_context& io, const config::Config& config,
                                                 DirectorOptions options, std::shared_ptr<spdlog::logger> log);
  /// As stop().
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  /// Takes every service out of the table and ends the threads. The host has its interfaces back afterwards.
  void stop();

  /// As things stand; both are empty without virtual servers.
  [[nodiscard]] std::vector<PoolStatus> pools() const;
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const;

 private:
  Director(boost::asio::io_context& io, std::shared_ptr<spdlog::logger> log);
  Result<> start_engine(const config::Config& config);
  Result<> start_pools(const config::Config& config);
  Result<> start_api(const DirectorOptions& options);
  void schedule_collect(std::chrono::milliseconds delay);
  void answer_connections(const api::Request& request, api::Respond respond);

  boost::asio::io_context& io_;
  std::shared_ptr<spdlog::logger> log_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  // Destroyed from the last to the first. Null when the configuration has no virtual servers.
  std::unique_ptr<netlink::Reflector> reflector_;
  std::unique_ptr<ForwardingEngine> engine_;
  ScriptRunner scripts_;
  std::unique_ptr<PoolManager> pools_;
  std::unique_ptr<health::HealthThread> health_;
  std::unique_ptr<api::ApiServer> api_;
  boost::asio::steady_timer collect_timer_;
};

}  // namespace sluice::control
