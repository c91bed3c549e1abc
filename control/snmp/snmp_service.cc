#include "control/snmp/snmp_service.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <variant>

namespace sluice::control {

namespace {

using Clock = std::chrono::steady_clock;

// A walk asks hundreds of times a second. What is shown is as old as this, or as 20 times what a snapshot costs the
// control thread, whichever is more: 5 % of its time at most.
constexpr std::chrono::milliseconds fresh_for{500};
constexpr int cost_factor = 20;
// How long a request waits for the control thread; the master gives up after a second.
constexpr std::chrono::milliseconds wait_max{800};
// An answer that hasn't come by then doesn't come any more: it is asked for again.
constexpr std::chrono::seconds lost_after{10};

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// What of it is shown. Virtual servers may be a hundred thousand.
std::shared_ptr<const config::Config> shown_part(const config::Config& config, const snmp::Parts& parts) {
  auto part = std::make_shared<config::Config>();
  part->global = config.global;
  part->process = config.process;
  part->static_network = config.static_network;
  part->vrrp_scripts = config.vrrp_scripts;
  part->track_files = config.track_files;
  part->track_processes = config.track_processes;
  part->bfd_instances = config.bfd_instances;
  part->vrrp_instances = config.vrrp_instances;
  part->sync_groups = config.sync_groups;
  if (parts.checker) {
    part->virtual_servers = config.virtual_servers;
    part->virtual_server_groups = config.virtual_server_groups;
  }
  return part;
}

/// Where scripts' programs are when symbolic links are followed.
std::shared_ptr<const std::map<std::string, std::string>> programs_of(const config::Config& config) {
  auto programs = std::make_shared<std::map<std::string, std::string>>();
  if (config.global.use_symlink_paths) return programs;
  const auto look = [&](const config::Script* script) {
    if (script == nullptr || script->argv.empty()) return;
    const std::string& path = script->argv.front();
    if (!path.starts_with('/') || programs->contains(path)) return;
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    programs->emplace(path, error ? path : real.string());
  };
  const auto look_at = [&](const config::VrrpNotify& notify) {
    for (const auto* each : {&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.deleted,
                             &notify.master_rx_lower_pri, &notify.any}) {
      if (*each) look(&**each);
    }
  };
  for (const config::VrrpInstance& instance : config.vrrp_instances) look_at(instance.notify);
  for (const config::SyncGroup& group : config.sync_groups) look_at(group.notify);
  for (const config::VrrpScript& script : config.vrrp_scripts) look(&script.script);
  for (const config::VirtualServer& server : config.virtual_servers) {
    look(server.quorum_up.get());
    look(server.quorum_down.get());
    for (const config::RealServer& real : server.real_servers) {
      look(real.notify_up.get());
      look(real.notify_down.get());
    }
  }
  return programs;
}

}  // namespace

snmp::Parts snmp_parts(const config::Monitoring& monitoring, const SnmpOptions& options) {
  return {.vrrp = monitoring.snmp_vrrp || options.everything,
          .checker = monitoring.snmp_checker || options.everything,
          .rfc2787 = monitoring.snmp_rfc2 || options.everything,
          .rfc6527 = monitoring.snmp_rfc3 || options.everything};
}

/// The agent's thread waits in here, the control thread doesn't. It outlives the service if that thread does.
struct SnmpService::Shared : std::enable_shared_from_this<SnmpService::Shared> {
  Shared(boost::asio::io_context& at, SnmpService* of, std::string version)
      : io(&at), service(of), maker(std::move(version), host_name(), Clock::now()) {}

  std::mutex mutex;
  std::condition_variable changed;
  boost::asio::io_context* io;  // null: closed
  SnmpService* service;         // the control thread's alone; null: closed
  snmp::Parts parts;
  std::optional<snmp::Gathered> gathered;  // come, and not looked at
  std::optional<Clock::time_point> asked_at;
  Clock::time_point fresh_until{};
  Clock::duration cost{};

  // The agent's thread.
  snmp::SnapshotMaker maker;
  std::shared_ptr<const snmp::Snapshot> snapshot;
  std::shared_ptr<const snmp::View> view;

  /// On the control thread, soon; if there is a service by then.
  template <typename Do>
  void post(Do todo) {
    boost::asio::post(*io, [shared = shared_from_this(), todo = std::move(todo)]() mutable {
      if (shared->service != nullptr) todo(*shared->service);
    });
  }

  std::shared_ptr<const snmp::View> look();
  snmp::WriteError write(const snmp::Oid& oid, const snmp::Value& value, bool commit);
};

std::shared_ptr<const snmp::View> SnmpService::Shared::look() {
  std::unique_lock hold(mutex);
  if (io == nullptr) return nullptr;
  if (!gathered && Clock::now() >= fresh_until) {
    if (!asked_at || Clock::now() - *asked_at > lost_after) {
      asked_at = Clock::now();
      post([](SnmpService& owner) { owner.gather(); });
    }
    changed.wait_for(hold, wait_max, [&] { return gathered || io == nullptr; });
  }
  if (!gathered) return view;
  snmp::Gathered fresh = std::move(*gathered);
  gathered.reset();
  const snmp::Parts shown = parts;
  fresh_until = Clock::now() + std::max<Clock::duration>(fresh_for, cost * cost_factor);
  hold.unlock();
  snapshot = maker.make(std::move(fresh), snmp::interfaces_here(), Clock::now());
  view = snmp::make_view(snapshot, shown);
  return view;
}

snmp::WriteError SnmpService::Shared::write(const snmp::Oid& oid, const snmp::Value& value, bool commit) {
  if (look() == nullptr) return snmp::WriteError::failed;
  std::unique_lock hold(mutex);
  const snmp::Write write = snmp::write_of(*snapshot, parts, oid, value);
  if (const auto* error = std::get_if<snmp::WriteError>(&write)) return *error;
  if (!commit) return snmp::WriteError::none;
  if (io == nullptr) return snmp::WriteError::failed;
  auto answer = std::make_shared<std::optional<snmp::WriteError>>();
  post([this, write, answer](SnmpService& owner) {
    const snmp::WriteError done = owner.ask_to_write(write);
    const std::lock_guard guard(mutex);
    *answer = done;
    fresh_until = {};
    changed.notify_all();
  });
  // Whoever reads next is to see it.
  changed.wait_for(hold, wait_max, [&] { return answer->has_value() || io == nullptr; });
  return answer->value_or(snmp::WriteError::failed);
}

SnmpService::SnmpService(boost::asio::io_context& io, SnmpOptions options, std::string version, Hooks hooks)
    : io_(io), options_(std::move(options)), version_(std::move(version)), hooks_(std::move(hooks)) {}

SnmpService::~SnmpService() { stop(); }

void SnmpService::configure(const config::Config& config) {
  const config::Monitoring& monitoring = config.global.monitoring;
  parts_ = snmp_parts(monitoring, options_);
  traps_ = parts_.any() && monitoring.snmp_traps;
  if (!parts_.any() && agent_ == nullptr) return;
  router_id_ = config.global.router_id.empty() ? host_name() : config.global.router_id;
  config_ = shown_part(config, parts_);
  programs_ = programs_of(*config_);
  const std::string& socket = options_.socket.empty() ? monitoring.snmp_socket : options_.socket;
  if (agent_ == nullptr) {
    socket_ = socket;
    shared_ = std::make_shared<Shared>(io_, this, version_);
    agent_ = std::make_unique<snmp::Agent>(
        socket, snmp::AgentHooks{
                    .view = [shared = shared_] { return shared->look(); },
                    .write = [shared = shared_](const snmp::Oid& oid, const snmp::Value& value,
                                                bool commit) { return shared->write(oid, value, commit); },
                    .log =
                        [shared = shared_](std::string line, bool is_warning) {
                          const std::lock_guard hold(shared->mutex);
                          if (shared->io == nullptr) return;
                          shared->post([line = std::move(line), is_warning](SnmpService& owner) {
                            owner.hooks_.log(line, is_warning);
                          });
                        },
                });
  } else if (parts_.any() && socket != socket_) {
    hooks_.log("SNMP: Cannot change snmp_socket at a reload: it stays as it was until sluiced is restarted", true);
  }
  {
    const std::lock_guard hold(shared_->mutex);
    shared_->parts = parts_;
    shared_->gathered.reset();
    shared_->fresh_until = {};
  }
  agent_->serve(snmp::subtrees(parts_));
}

void SnmpService::show(const config::Config& vrrp) {
  if (config_ == nullptr) return;
  auto next = std::make_shared<config::Config>(*config_);
  next->vrrp_instances = vrrp.vrrp_instances;
  config_ = std::move(next);
}

void SnmpService::gather() {
  const Clock::time_point begun = Clock::now();
  hooks_.gather(parts_, [this, shared = shared_, config = config_, programs = programs_](snmp::Gathered gathered) {
    gathered.config = config;
    gathered.programs = programs;
    const std::lock_guard hold(shared->mutex);
    shared->asked_at.reset();
    if (config != config_) {  // a reload came between: what there is belongs to the old one
      shared->changed.notify_all();
      return;
    }
    shared->gathered = std::move(gathered);
    shared->changed.notify_all();
  });
  const std::lock_guard hold(shared_->mutex);
  shared_->cost = Clock::now() - begun;
}

snmp::WriteError SnmpService::ask_to_write(const snmp::Write& write) {
  if (const auto done = hooks_.write(write); !done) {
    hooks_.log("SNMP: " + done.error().text(), true);
    return snmp::WriteError::failed;
  }
  return snmp::WriteError::none;
}

void SnmpService::send(std::vector<snmp::Trap> traps) {
  for (snmp::Trap& trap : traps) agent_->send(std::move(trap));
}

void SnmpService::tell(const VrrpNotice& notice, const config::Config& config) {
  if (!wants_traps()) return;
  const auto instance = std::ranges::find(config.vrrp_instances, notice.name, &config::VrrpInstance::name);
  const bool is_known = !notice.of_group && instance != config.vrrp_instances.end();
  send(snmp::traps_of(notice, is_known ? &*instance : nullptr, parts_, router_id_));
}

void SnmpService::tell(const VrrpRejection& rejection) {
  if (!wants_traps()) return;
  const auto instance = std::ranges::find(config_->vrrp_instances, rejection.name, &config::VrrpInstance::name);
  if (instance != config_->vrrp_instances.end()) send(snmp::traps_of(rejection, *instance, parts_));
}

void SnmpService::tell(const PoolEvent& event) {
  if (!wants_traps()) return;
  send(snmp::traps_of(event, parts_, router_id_));
}

void SnmpService::stop() {
  if (shared_ == nullptr) return;
  {
    const std::lock_guard hold(shared_->mutex);
    shared_->io = nullptr;
    shared_->service = nullptr;
    shared_->changed.notify_all();
  }
  agent_->stop();
  agent_.reset();
  shared_.reset();
}

}  // namespace sluice::control
