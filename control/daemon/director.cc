#include "control/daemon/director.h"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <boost/asio/post.hpp>
#include <charconv>
#include <random>
#include <set>

#include "control/daemon/bfd_status.h"
#include "control/daemon/classify_rules.h"
#include "control/daemon/health_status.h"
#include "control/daemon/status.h"
#include "control/daemon/vrrp_status.h"
#include "control/pools/diff.h"
#include "control/pools/from_config.h"
#include "control/pools/served.h"
#include "control/vrrp/vrrp_changes.h"

namespace sluice::control {

namespace {

// A dump that is asked for without a limit; and the most that one may ask for (64 bytes each, on every worker).
constexpr std::size_t connections_default = 1000;
constexpr std::size_t connections_most = 200'000;
constexpr std::uint32_t weight_max = 2147483647;  // keepalived's
// How often the workers' answers are fetched: soon while some are due, now and then otherwise.
constexpr std::chrono::milliseconds collect_soon{2}, collect_idle{200};
// For what omega has run at the stop, as in keepalived.
constexpr std::chrono::seconds last_scripts_time_max{1};
// For the last mails, once everything else has ended.
constexpr std::chrono::seconds last_mails_time_max{2};

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

/// Of a line from the vrrp or the bfd thread, or of mail.
template <typename Line>
spdlog::level::level_enum level_of(const Line& line) {
  if (line.is_warning) return spdlog::level::warn;
  return line.is_detail ? spdlog::level::debug : spdlog::level::info;
}

/// The track_files that FILE_CHECKs follow.
std::set<std::string> checked_files(const config::Config& config) {
  std::set<std::string> names;
  if (config.track_files.empty()) return names;
  for (const config::VirtualServer& server : config.virtual_servers) {
    for (const config::RealServer& real : server.real_servers) {
      for (const config::Checker& checker : real.checkers) {
        if (const auto* check = std::get_if<config::FileCheck>(&checker)) names.insert(check->track_file.str());
      }
    }
  }
  return names;
}

std::string answer_of(const ReloadOutcome& outcome) {
  return reload_json(outcome.ok, outcome.complaints, outcome.changes);
}

}  // namespace

Director::Director(boost::asio::io_context& io, DirectorOptions options, std::shared_ptr<spdlog::logger> log)
    : io_(io),
      options_(std::move(options)),
      log_(std::move(log)),
      scripts_(io),
      check_scripts_(io),
      fifos_(scripts_, [log = log_](const std::string& line) { log->warn("{}", line); }),
      mailer_(io, [log = log_](const MailLine& line) { log->log(level_of(line), "{}", line.text); }),
      snmp_(make_snmp()),
      collect_timer_(io) {}

Result<std::unique_ptr<Director>> Director::start(boost::asio::io_context& io, const config::Config& config,
                                                  DirectorOptions options, std::shared_ptr<spdlog::logger> log) {
  std::unique_ptr<Director> director(new Director(io, std::move(options), std::move(log)));
  director->dataplane_ = config.dataplane;
  director->mailer_.configure(mailer_settings(config.global));
  director->open_fifos(config);
  if (!serves_any(config)) {
    director->log_->info("no virtual_server: no engine is started");
  } else if (auto done = director->start_engine(config); !done) {
    return std::unexpected(done.error());
  }
  director->start_bfd(config);
  if (auto done = director->start_vrrp(config); !done) return std::unexpected(done.error());
  if (director->options_.opened) director->options_.opened();
  director->snmp_->configure(config);
  if (director->engine_ != nullptr) {
    director->start_pools();
    auto pools = pools_from(config);
    for (const Error& complaint : pools.complaints) director->log_->warn("{}", complaint.text());
    for (const Error& complaint : director->engine_->classify_complaints(config.dataplane.classify))
      director->log_->warn("{}", complaint.text());
    director->watch_files(config);
    director->apply(std::move(pools.pools), nullptr);
    director->apply_classify(config);
  }
  if (auto done = director->start_api(); !done) return std::unexpected(done.error());
  return director;
}

Director::~Director() { stop(); }

Result<> Director::start_engine(const config::Config& config) {
  if (reflector_ == nullptr) {
    auto reflector = netlink::Reflector::start(io_);
    if (!reflector) return std::unexpected(reflector.error());
    reflector_ = std::move(*reflector);
  }
  auto engine = ForwardingEngine::open(
      config, *reflector_,
      [log = log_](dataplane::LogLevel level, std::string_view line) { log->log(level_of(level), "{}", line); });
  if (!engine) return std::unexpected(engine.error());
  engine_ = std::move(*engine);
  return {};
}

void Director::open_fifos(const config::Config& config) {
  fifos_.configure(config.global, options_.runs_vrrp && config.has_vrrp(), serves_any(config));
}

WriteFifo Director::write_fifo(NotifyFifos::About about) {
  return [this, about](std::string_view line) { fifos_.write(about, line); };
}

void Director::start_bfd(const config::Config& config) {
  if (!options_.runs_bfd || config.bfd_instances.empty()) return;
  BfdService::Hooks hooks{
      .log = [log = log_](const BfdLine& line) { log->log(level_of(line), "{}", line.text); },
      .changed =
          [this](const BfdNews& news) {
            if (pools_ != nullptr) pools_->on_session(news.name, news.up);
          },
  };
  bfd_ = std::make_unique<BfdService>(io_, config, std::move(hooks));
}

Result<> Director::start_vrrp(const config::Config& config) {
  if (!options_.runs_vrrp || (!config.has_vrrp() && config.static_network == config::StaticNetwork{})) return {};
  auto vrrp = VrrpService::start(
      io_, scripts_, config, tracked_bfds(config),
      [log = log_](const VrrpLine& line) { log->log(level_of(line), "{}", line.text); }, send_mail(),
      write_fifo(NotifyFifos::About::vrrp));
  if (!vrrp) return std::unexpected(vrrp.error());
  vrrp_ = std::move(*vrrp);
  vrrp_->set_listener(
      {.notice = [this](const VrrpNotice& notice, const config::Config& by) { snmp_->tell(notice, by); },
       .rejected = [this](const VrrpRejection& rejection) { snmp_->tell(rejection); }});
  connect_bfd();
  return {};
}

// From thread to thread: a fail-over doesn't wait for this one.
void Director::connect_bfd() {
  if (bfd_ == nullptr || vrrp_ == nullptr) return;
  bfd_->tell_vrrp([vrrp = vrrp_.get()](TrackedStatus status) { vrrp->on_tracked(std::move(status)); });
}

std::vector<TrackedStatus> Director::tracked_bfds(const config::Config& config) const {
  return bfd_ != nullptr ? bfd_->tracked() : tracked_without_bfd(config);
}

// --- SNMP

std::unique_ptr<SnmpService> Director::make_snmp() {
  return std::make_unique<SnmpService>(
      io_, options_.snmp, "Sluice " SLUICE_VERSION,
      SnmpService::Hooks{
          .gather = [this](const snmp::Parts& parts, auto done) { gather_for_snmp(parts, std::move(done)); },
          .write = [this](const snmp::Write& write) { return write_by_snmp(write); },
          .log = [log = log_](
                     const std::string& line,
                     bool is_warning) { log->log(is_warning ? spdlog::level::warn : spdlog::level::info, "{}", line); },
      });
}

void Director::gather_for_snmp(const snmp::Parts& parts, std::function<void(snmp::Gathered)> done) {
  auto gathered = std::make_shared<snmp::Gathered>();
  if (parts.checker) {
    gathered->pools = pools();
    gathered->services = services();
  }
  if (vrrp_ != nullptr) {
    gathered->tracked = vrrp_->tracked();
    for (TrackedStatus& status : tracked_bfds(vrrp_->config())) gathered->tracked.push_back(std::move(status));
  }
  vrrp_status([gathered, done = std::move(done)](const VrrpStatus& status) {
    gathered->vrrp = status;
    done(std::move(*gathered));
  });
}

// Until the next reload, as in keepalived; a weight as `sluicectl weight` has it.
Result<> Director::write_by_snmp(const snmp::Write& write) {
  if (const auto* weight = std::get_if<snmp::SetWeight>(&write)) {
    if (pools_ == nullptr) return fail("SNMP", "there is no virtual server");
    const auto done = pools_->set_weight(weight->service, weight->server, weight->weight);
    if (!done) return std::unexpected(done.error());
    log_->info("SNMP: {}", *done);
    return {};
  }
  if (vrrp_ == nullptr) return fail("SNMP", "there is no vrrp_instance");
  const auto* priority = std::get_if<snmp::SetPriority>(&write);
  const auto* preempt = std::get_if<snmp::SetPreempt>(&write);
  config::Config config = vrrp_->config();
  const std::string& name = priority != nullptr ? priority->instance : preempt->instance;
  const auto instance = std::ranges::find(config.vrrp_instances, name, &config::VrrpInstance::name);
  if (instance == config.vrrp_instances.end()) return fail("SNMP", "there is no vrrp_instance " + name);
  if (priority != nullptr) instance->priority = priority->priority;
  if (preempt != nullptr) instance->nopreempt = !preempt->preempt;
  for (const std::string& line : vrrp_changes(vrrp_->config(), config)) log_->info("SNMP: {}", line);
  vrrp_->reload(config, tracked_bfds(config));
  if (bfd_ != nullptr) bfd_->publish();
  snmp_->show(config);
  return {};
}

void Director::start_pools() {
  pools_ = std::make_unique<PoolManager>(
      engine_->backend(),
      [this](const ScriptSpec& script) { return run_pool_script_ ? run_pool_script_(script) : scripts_.run(script); },
      [log = log_](LogLevel level, const std::string& line) { log->log(level_of(level), "{}", line); }, send_mail(),
      write_fifo(NotifyFifos::About::virtual_servers));
  pools_->set_listener({.wants = [this] { return snmp_->wants_traps(); },
                        .tell = [this](const PoolEvent& event) { snmp_->tell(event); }});
  health::HealthOptions options;
  std::random_device random;
  options.seed = (std::uint64_t{random()} << 32) | random();
  options.run_script = check_scripts_.runner();
  health_ = std::make_unique<health::HealthThread>(options, [this](std::vector<health::HealthEvent> events) {
    boost::asio::post(io_, [this, events = std::move(events)] {
      for (const health::HealthEvent& event : events) {
        if (pools_ != nullptr) pools_->on_health(event);
      }
    });
  });
  health_->start();
  follow_addresses();
  // What was said before there were pools.
  if (bfd_ != nullptr) bfd_->publish();
}

/// Those that FILE_CHECKs follow. VRRP watches its own: who tracks a file in both hears of it twice.
void Director::watch_files(const config::Config& config) {
  const std::set<std::string> checked = checked_files(config);
  std::vector<config::TrackFile> files = config.track_files;
  std::erase_if(files, [&](const config::TrackFile& file) { return !checked.contains(file.name); });
  if (files.empty() && checked_files_ == nullptr) return;
  if (checked_files_ == nullptr) {
    auto opened = TrackFiles::open(
        io_,
        [this](const TrackedStatus& status) {
          if (pools_ != nullptr) pools_->on_file(status.name, status.value);
        },
        [log = log_](const std::string& line) { log->warn("{}", line); });
    if (!opened) return log_->error("FILE_CHECK: {}", opened.error().text());
    checked_files_ = std::move(*opened);
  }
  checked_files_->configure(files);
  for (const TrackedStatus& status : checked_files_->all()) pools_->on_file(status.name, status.value);
}

/// changes: null, or filled with what has changed.
void Director::apply(PoolList pools, std::vector<std::string>* changes) {
  if (changes != nullptr) *changes = pools_->preview(pools);
  hand_over(pools_->apply(std::move(pools)));
  schedule_collect(collect_soon);
}

void Director::hand_over(PoolManager::Checkers checkers) {
  if (!checkers.end.empty()) health_->remove(std::move(checkers.end));
  if (!checkers.run.empty()) health_->add(std::move(checkers.run));
  if (!checkers.suspend.empty()) health_->suspend(std::move(checkers.suspend));
  if (!checkers.resume.empty()) health_->resume(std::move(checkers.resume));
}

/// For ha_suspend. VRRP's addresses come this way, too: by the kernel.
void Director::follow_addresses() {
  const auto look = [this](const netlink::InterfaceAddress& changed) {
    if (pools_ != nullptr) hand_over(pools_->on_address(changed.address, reflector_->is_local(changed.address)));
  };
  addresses_ = reflector_->subscribe({.address_added = look, .address_removed = look});
  for (const netlink::InterfaceAddress& address : reflector_->mirror().addresses()) look(address);
}

// After the services: a rule brings packets for them.
void Director::apply_classify(const config::Config& config) {
  dataplane_.classify = config.dataplane.classify;
  if (auto applied = engine_->set_classify(dataplane_.classify); !applied) log_->error("{}", applied.error().text());
}

Result<> Director::start_api() {
  std::map<std::string, api::Route> routes;
  routes["/services"].get = [this](const api::Request&, const api::Respond& respond) {
    respond({200, services_json(engine_ != nullptr ? engine_->backend().name() : "none", services(), pools())});
  };
  routes["/health"].get = [this](const api::Request&, const api::Respond& respond) {
    respond({200, health_json(pools(), std::chrono::steady_clock::now())});
  };
  routes["/weight"].post = [this](const api::Request& request, const api::Respond& respond) {
    respond(set_weight(request));
  };
  routes["/connections"].get = [this](const api::Request& request, api::Respond respond) {
    answer_connections(request, std::move(respond));
  };
  routes["/stats"].get = [this](const api::Request&, const api::Respond& respond) {
    const auto uptime = std::chrono::steady_clock::now() - started_;
    respond({200, stats_json(std::chrono::duration_cast<std::chrono::seconds>(uptime),
                             engine_ != nullptr ? &engine_->engine() : nullptr,
                             engine_ != nullptr ? engine_->steer_counters() : dataplane::SteerCounters{})});
  };
  routes["/vrrp"].get = [this](const api::Request&, api::Respond respond) { answer_vrrp(std::move(respond)); };
  routes["/bfd"].get = [this](const api::Request&, api::Respond respond) {
    bfd_status([respond = std::move(respond)](const BfdStatus& status) { respond({200, bfd_json(status)}); });
  };
  routes["/config"].get = [this](const api::Request&, const api::Respond& respond) {
    const auto text = options_.in_force ? options_.in_force() : std::nullopt;
    if (!text) return respond(api::Response::error(503, "the configuration can't be printed: see the log"));
    respond({200, *text, "text/plain"});
  };
  routes["/reload"].post = [this](const api::Request&, const api::Respond& respond) {
    respond({200, answer_of(reload())});
  };
  routes["/diff"].get = [this](const api::Request& request, const api::Respond& respond) {
    const auto file = request.query.find("file");
    if (file == request.query.end())
      return respond(api::Response::error(400, "/diff?file=PATH, or a POST of the text"));
    respond({200, answer_of(preview(config::parse_file(file->second, options_.parse)))});
  };
  routes["/diff"].post = [this](const api::Request& request, const api::Respond& respond) {
    respond({200, answer_of(preview(config::parse_text(request.body, "standard input", options_.parse)))});
  };
  routes["/diff"].body_bytes_max = config::file_bytes_max;
  api_ = std::make_unique<api::ApiServer>(io_, options_.socket_path, std::move(routes));
  return api_->listen();
}

api::Response Director::set_weight(const api::Request& request) {
  const auto asked = [&](const char* name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::string() : found->second;
  };
  const std::string text = asked("weight");
  std::optional<std::uint32_t> weight;
  if (!text.empty()) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > weight_max) {
      return api::Response::error(400, fmt::format("weight '{}': expected a number 0..{}", text, weight_max));
    }
    weight = number;
  }
  if (pools_ == nullptr) return api::Response::error(404, "there is no virtual server");
  const auto done = pools_->set_weight(asked("virtual_server"), asked("real_server"), weight);
  if (!done) return api::Response::error(404, done.error().text());
  log_->info("{}", *done);
  return {200, *done + "\n", "text/plain"};
}

void Director::vrrp_status(std::function<void(const VrrpStatus&)> done) {
  if (vrrp_ == nullptr) return done({});
  vrrp_->status(std::move(done));
}

void Director::bfd_status(std::function<void(const BfdStatus&)> done) {
  if (bfd_ == nullptr) return done({});
  bfd_->status(std::move(done));
}

void Director::answer_vrrp(api::Respond respond) {
  vrrp_status([respond = std::move(respond)](const VrrpStatus& status) { respond({200, vrrp_json(status)}); });
}

void Director::answer_connections(const api::Request& request, api::Respond respond) {
  if (engine_ == nullptr) return respond({200, connections_json({})});
  const std::size_t limit = std::min(request.number("limit", connections_default), connections_most);
  engine_->backend().connections(limit, [respond = std::move(respond)](const ConnectionList& list) {
    respond({200, connections_json(list)});
  });
  schedule_collect(collect_soon);
}

// --- reload

Director::Candidate Director::look_at(Result<config::ParseOutcome> outcome) const {
  Candidate candidate;
  if (!outcome) {
    candidate.complaints.emplace_back(LogLevel::error, outcome.error().text());
    return candidate;
  }
  candidate.good = true;
  if (!options_.serves) outcome->config.virtual_servers.clear();
  for (const config::Complaint& complaint : outcome->complaints) {
    const auto level = complaint.severity == config::Severity::error     ? LogLevel::error
                       : complaint.severity == config::Severity::warning ? LogLevel::warning
                                                                         : LogLevel::info;
    candidate.complaints.emplace_back(level, complaint.text());
    candidate.good = candidate.good && complaint.severity != config::Severity::error;
  }
  if (outcome->complaints_dropped > 0) {
    // Nobody looks at ten thousand complaints; that none of those left out is an error can't be told.
    candidate.complaints.emplace_back(LogLevel::error,
                                      fmt::format("... and {} complaints more", outcome->complaints_dropped));
    candidate.good = false;
  }
  auto pools = pools_from(outcome->config);
  for (const Error& complaint : pools.complaints)
    candidate.complaints.emplace_back(LogLevel::warning, complaint.text());
  candidate.config = std::move(outcome->config);
  candidate.pools = std::move(pools.pools);
  look_at_dataplane(candidate);
  return candidate;
}

// What the engine was opened with stays as long as it runs.
void Director::look_at_dataplane(Candidate& candidate) const {
  if (engine_ == nullptr) return;
  const config::Dataplane& next = candidate.config.dataplane;
  const auto fixed = [&](bool changed, const char* what) {
    if (!changed) return;
    candidate.complaints.emplace_back(
        LogLevel::warning,
        fmt::format("{}: Cannot change dataplane {{ {} }} at a reload: it stays as it was until sluiced is restarted",
                    next.position.text(), what));
  };
  fixed(next.driver != dataplane_.driver, "driver");
  fixed(next.interfaces != dataplane_.interfaces, "interfaces");
  fixed(next.queues != dataplane_.queues, "queues");
  fixed(next.cores != dataplane_.cores, "cores");
  fixed(next.connections != dataplane_.connections, "connections");
  fixed(next.poll != dataplane_.poll, "poll");
  fixed(next.xdp_mode != dataplane_.xdp_mode, "xdp_mode");
  for (const Error& complaint : engine_->classify_complaints(next.classify))
    candidate.complaints.emplace_back(LogLevel::warning, complaint.text());
  if (!next.interfaces.empty()) return;
  for (const std::string& name : engine_->interfaces_missing(candidate.pools.pools())) {
    candidate.complaints.emplace_back(
        LogLevel::warning,
        fmt::format(
            "{} carries a virtual address, but isn't one of the engine's interfaces: restart sluiced to have it "
            "served",
            name));
  }
}

ReloadOutcome Director::preview(Result<config::ParseOutcome> outcome) const {
  const Candidate candidate = look_at(std::move(outcome));
  ReloadOutcome result{.ok = candidate.good};
  for (const auto& [level, line] : candidate.complaints) result.complaints.push_back(line);
  if (!candidate.good) return result;
  result.changes =
      pools_ != nullptr ? pools_->preview(candidate.pools) : lines(diff({}, candidate.pools), {}, candidate.pools);
  for (std::string& line : classify_changes(dataplane_.classify, candidate.config.dataplane.classify))
    result.changes.push_back(std::move(line));
  for (std::string& line : changes_of_vrrp(candidate.config)) result.changes.push_back(std::move(line));
  return result;
}

ReloadOutcome Director::reload() {
  log_->info("Reloading ...");
  if (options_.reloading) options_.reloading(true);
  const auto over = [&](ReloadOutcome outcome) {
    if (outcome.ok) {
      log_->info("Reload complete");
    } else {
      log_->error("Reload refused, the running configuration stays: {}", outcome.complaints.back());
    }
    if (options_.reloading) options_.reloading(false);
    return outcome;
  };

  Candidate candidate = look_at(config::parse_file(options_.file, options_.parse));
  ReloadOutcome outcome{.ok = candidate.good};
  for (const auto& [level, line] : candidate.complaints) {
    log_->log(level_of(level), "{}", line);
    outcome.complaints.push_back(line);
  }
  if (!candidate.good) {
    outcome.complaints.push_back(fmt::format("{} has errors", options_.file));
    return over(std::move(outcome));
  }
  const auto marks = classify_changes(dataplane_.classify, candidate.config.dataplane.classify);
  if (engine_ == nullptr && !candidate.pools.empty()) {
    if (const auto opened = start_engine(candidate.config); !opened) {
      outcome.ok = false;
      outcome.complaints.push_back(opened.error().text());
      return over(std::move(outcome));
    }
    start_pools();
    dataplane_ = candidate.config.dataplane;
    for (const Error& complaint : engine_->classify_complaints(dataplane_.classify)) {
      log_->warn("{}", complaint.text());
      outcome.complaints.push_back(complaint.text());
    }
  }
  mailer_.configure(mailer_settings(candidate.config.global));
  open_fifos(candidate.config);
  if (pools_ != nullptr) {
    watch_files(candidate.config);
    apply(std::move(candidate.pools), &outcome.changes);
    apply_classify(candidate.config);
    for (const std::string& line : marks) {
      log_->info("{}", line);
      outcome.changes.push_back(line);
    }
  }
  reload_vrrp(candidate.config, outcome);
  snmp_->configure(candidate.config);
  if (options_.reloaded) options_.reloaded(std::move(candidate.config));
  return over(std::move(outcome));
}

std::vector<std::string> Director::changes_of_vrrp(const config::Config& config) const {
  config::Config before, after;
  if (vrrp_ != nullptr) before = vrrp_->config();
  if (options_.runs_vrrp) after = config;
  before.bfd_instances = bfd_ != nullptr ? bfd_->instances() : BfdInstances{};
  after.bfd_instances = options_.runs_bfd ? config.bfd_instances : BfdInstances{};
  return vrrp_changes(before, after);
}

void Director::reload_vrrp(const config::Config& config, ReloadOutcome& outcome) {
  for (std::string& line : changes_of_vrrp(config)) {
    log_->info("{}", line);
    outcome.changes.push_back(std::move(line));
  }
  const bool had_bfd = bfd_ != nullptr;
  if (had_bfd) {
    bfd_->reload(config);
  } else {
    start_bfd(config);
  }
  if (vrrp_ != nullptr) {
    vrrp_->reload(config, tracked_bfds(config));
    if (!had_bfd) return connect_bfd();
    return bfd_->publish();
  }
  if (const auto started = start_vrrp(config); !started) {
    log_->error("VRRP isn't started: {}", started.error().text());
    outcome.complaints.push_back(started.error().text());
  }
}

void Director::schedule_collect(std::chrono::milliseconds delay) {
  collect_timer_.expires_after(delay);
  collect_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    schedule_collect(engine_->backend().collect() ? collect_soon : collect_idle);
  });
}

PoolCounts Director::counts() const { return pools_ != nullptr ? pools_->counts() : PoolCounts{}; }

std::vector<PoolStatus> Director::pools() const {
  return pools_ != nullptr ? pools_->status() : std::vector<PoolStatus>{};
}

std::vector<VirtualServiceStatus> Director::services() const {
  return engine_ != nullptr ? engine_->backend().services() : std::vector<VirtualServiceStatus>{};
}

void Director::stop() {
  collect_timer_.cancel();
  api_.reset();
  // First: who takes over has the addresses before we stop forwarding for them.
  if (bfd_ != nullptr) bfd_->tell_vrrp({});
  if (vrrp_ != nullptr) vrrp_->stop();
  vrrp_.reset();
  bfd_.reset();
  if (health_ != nullptr) health_->stop();
  stop_pools();
  engine_.reset();
  snmp_->stop();  // once all traps are told
  reflector_.reset();
  fifos_.close();
  mailer_.stop(last_mails_time_max);
}

void Director::stop_pools() {
  if (pools_ == nullptr) return;
  // The control thread's own loop has ended, or is busy with calling this.
  boost::asio::io_context io;
  ScriptRunner last(io);
  run_pool_script_ = [&last](ScriptSpec script) {
    script.time_max = last_scripts_time_max;
    return last.run(script);
  };
  pools_->stop();
  pools_.reset();
  run_pool_script_ = {};
  const auto until = std::chrono::steady_clock::now() + last_scripts_time_max;
  while (last.running() > 0 && io.run_one_until(until) > 0) {
  }
}

SendAlert Director::send_mail() {
  return [this](Alert alert) { mailer_.send(std::move(alert)); };
}

}  // namespace sluice::control
