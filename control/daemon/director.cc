#include "control/daemon/director.h"

#include <spdlog/logger.h>

#include <boost/asio/post.hpp>
#include <random>

#include "control/daemon/status.h"
#include "control/pools/from_config.h"

namespace sluice::control {

namespace {

// A dump that is asked for without a limit; and the most that one may ask for (64 bytes each, on every worker).
constexpr std::size_t connections_default = 1000;
constexpr std::size_t connections_most = 200'000;
// How often the workers' answers are fetched: soon while some are due, now and then otherwise.
constexpr std::chrono::milliseconds collect_soon{2}, collect_idle{200};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::level::level_enum level_of(dataplane::LogLevel level) {
  switch (level) {
    case dataplane::LogLevel::debug: return spdlog::level::debug;
    case dataplane::LogLevel::info: return spdlog::level::info;
    case dataplane::LogLevel::warning: return spdlog::level::warn;
  }
  return spdlog::level::info;
}

}  // namespace

Director::Director(boost::asio::io_context& io, std::shared_ptr<spdlog::logger> log)
    : io_(io), log_(std::move(log)), scripts_(io), collect_timer_(io) {}

Result<std::unique_ptr<Director>> Director::start(boost::asio::io_context& io, const config::Config& config,
                                                  DirectorOptions options, std::shared_ptr<spdlog::logger> log) {
  std::unique_ptr<Director> director(new Director(io, std::move(log)));
  if (config.virtual_servers.empty()) {
    director->log_->info("no virtual_server: no engine is started");
  } else if (auto done = director->start_engine(config); !done) {
    return std::unexpected(done.error());
  }
  if (options.opened) options.opened();
  if (director->engine_ != nullptr) {
    if (auto done = director->start_pools(config); !done) return std::unexpected(done.error());
    director->schedule_collect(collect_soon);
  }
  if (auto done = director->start_api(options); !done) return std::unexpected(done.error());
  return director;
}

Director::~Director() { stop(); }

Result<> Director::start_engine(const config::Config& config) {
  auto reflector = netlink::Reflector::start(io_);
  if (!reflector) return std::unexpected(reflector.error());
  reflector_ = std::move(*reflector);
  auto engine = ForwardingEngine::open(
      config, *reflector_,
      [log = log_](dataplane::LogLevel level, std::string_view line) { log->log(level_of(level), "{}", line); });
  if (!engine) return std::unexpected(engine.error());
  engine_ = std::move(*engine);
  return {};
}

Result<> Director::start_pools(const config::Config& config) {
  pools_ = std::make_unique<PoolManager>(
      engine_->backend(), [this](const ScriptSpec& script) { return scripts_.run(script); },
      [log = log_](LogLevel level, const std::string& line) { log->log(level_of(level), "{}", line); });
  health::HealthOptions options;
  std::random_device random;
  options.seed = (std::uint64_t{random()} << 32) | random();
  health_ = std::make_unique<health::HealthThread>(options, [this](const health::HealthEvent& event) {
    boost::asio::post(io_, [this, event] {
      if (pools_ != nullptr) pools_->on_health(event);
    });
  });
  auto from_config = pools_from(config);
  for (const Error& complaint : from_config.complaints) log_->warn("{}", complaint.text());
  health_->add(pools_->start(std::move(from_config.pools)));
  health_->start();
  return {};
}

Result<> Director::start_api(const DirectorOptions& options) {
  std::map<std::string, api::Handler> handlers;
  handlers["/services"] = [this](const api::Request&, const api::Respond& respond) {
    respond({200, services_json(engine_ != nullptr ? engine_->backend().name() : "none", services(), pools())});
  };
  handlers["/connections"] = [this](const api::Request& request, api::Respond respond) {
    answer_connections(request, std::move(respond));
  };
  handlers["/stats"] = [this](const api::Request&, const api::Respond& respond) {
    const auto uptime = std::chrono::steady_clock::now() - started_;
    respond({200, stats_json(std::chrono::duration_cast<std::chrono::seconds>(uptime),
                             engine_ != nullptr ? &engine_->engine() : nullptr,
                             engine_ != nullptr ? engine_->steer_counters() : dataplane::SteerCounters{})});
  };
  api_ = std::make_unique<api::ApiServer>(io_, options.socket_path, std::move(handlers));
  return api_->listen();
}

void Director::answer_connections(const api::Request& request, api::Respond respond) {
  if (engine_ == nullptr) return respond({200, connections_json({})});
  const std::size_t limit = std::min(request.number("limit", connections_default), connections_most);
  engine_->backend().connections(limit, [respond = std::move(respond)](const ConnectionList& list) {
    respond({200, connections_json(list)});
  });
  schedule_collect(collect_soon);
}

void Director::schedule_collect(std::chrono::milliseconds delay) {
  collect_timer_.expires_after(delay);
  collect_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    schedule_collect(engine_->backend().collect() ? collect_soon : collect_idle);
  });
}

std::vector<PoolStatus> Director::pools() const {
  return pools_ != nullptr ? pools_->status() : std::vector<PoolStatus>{};
}

std::vector<VirtualServiceStatus> Director::services() const {
  return engine_ != nullptr ? engine_->backend().services() : std::vector<VirtualServiceStatus>{};
}

void Director::stop() {
  collect_timer_.cancel();
  api_.reset();
  if (health_ != nullptr) health_->stop();
  if (pools_ != nullptr) pools_->stop();
  pools_.reset();
  engine_.reset();
  reflector_.reset();
}

}  // namespace sluice::control
