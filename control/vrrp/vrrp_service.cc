#include "control/vrrp/vrrp_service.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <mutex>
#include <utility>
#include <variant>

#include "control/pools/script_resolver.h"
#include "control/vrrp/notify_calls.h"

namespace sluice::control {

namespace {

constexpr std::chrono::seconds stop_scripts_time_max{1};

config::Config vrrp_part(const config::Config& config) {
  config::Config part;
  part.global = config.global;
  part.process = config.process;
  part.static_network = config.static_network;
  part.track_groups = config.track_groups;
  part.garp_groups = config.garp_groups;
  part.vrrp_scripts = config.vrrp_scripts;
  part.track_files = config.track_files;
  part.track_processes = config.track_processes;
  part.bfd_instances = config.bfd_instances;
  part.vrrp_instances = config.vrrp_instances;
  part.sync_groups = config.sync_groups;
  return part;
}

template <typename Block>
bool has(const std::vector<Block>& blocks, const std::string& name) {
  return std::ranges::find(blocks, name, &Block::name) != blocks.end();
}

template <typename Block>
void keep_only(std::vector<Block>& blocks, const std::vector<Block>& without) {
  std::erase_if(blocks, [&](const Block& block) { return has(without, block.name); });
}

}  // namespace

struct VrrpService::Mailbox {
  std::mutex mutex;  // held for the time of a push or a swap
  std::deque<std::variant<VrrpNotice, VrrpLine, VrrpRejection>> mail;
};

VrrpService::VrrpService(boost::asio::io_context& io, ScriptRunner& scripts, Log log, SendAlert mail,
                         WriteFifo write_fifo)
    : io_(io),
      scripts_(scripts),
      log_(std::move(log)),
      mail_(std::move(mail)),
      write_fifo_(std::move(write_fifo)),
      mailbox_(std::make_shared<Mailbox>()) {}

Result<std::unique_ptr<VrrpService>> VrrpService::start(boost::asio::io_context& io, ScriptRunner& scripts,
                                                        const config::Config& config,
                                                        std::vector<TrackedStatus> elsewhere, Log log, SendAlert mail,
                                                        WriteFifo write_fifo) {
  std::unique_ptr<VrrpService> service(
      new VrrpService(io, scripts, std::move(log), std::move(mail), std::move(write_fifo)));
  const auto changed = [self = service.get()](TrackedStatus status) {
    if (self->thread_ != nullptr) self->thread_->on_tracked(std::move(status));
  };
  const auto say = [self = service.get()](const std::string& line) { self->log_({.text = line}); };
  service->track_scripts_ = std::make_unique<TrackScripts>(io, scripts, changed, say);
  auto files = TrackFiles::open(io, changed, say);
  if (!files) return std::unexpected(files.error());
  service->track_files_ = std::move(*files);
  service->track_processes_ = std::make_unique<TrackProcesses>(io, changed, say);
  service->take_config(config);

  // One task on the control thread per piece of mail; it takes all that is there.
  const auto deliver = [self = service.get(), &io, box = service->mailbox_](auto item) {
    {
      const std::lock_guard hold(box->mutex);
      box->mail.emplace_back(std::move(item));
    }
    boost::asio::post(io, [self, weak = std::weak_ptr(box)] {
      if (weak.lock() != nullptr) self->read_mail(self->scripts_, ScriptSpec{}.time_max);
    });
  };
  VrrpHooks hooks{.notice = [deliver](VrrpNotice notice) { deliver(std::move(notice)); },
                  .log = [deliver](VrrpLine line) { deliver(std::move(line)); },
                  .rejected = [deliver](VrrpRejection rejection) { deliver(std::move(rejection)); }};
  auto thread = VrrpThread::start(service->settings(std::move(elsewhere)), std::move(hooks),
                                  {.realtime_priority = config.global.processes.vrrp.realtime_priority});
  if (!thread) return std::unexpected(thread.error());
  service->thread_ = std::move(*thread);
  return service;
}

VrrpService::~VrrpService() { stop(); }

VrrpSettings VrrpService::settings(std::vector<TrackedStatus> elsewhere) const {
  VrrpSettings settings{config_, tracked()};
  for (TrackedStatus& status : elsewhere) settings.tracked.push_back(std::move(status));
  return settings;
}

std::vector<TrackedStatus> VrrpService::tracked() const {
  std::vector<TrackedStatus> all = track_scripts_->all();
  for (TrackedStatus& status : track_files_->all()) all.push_back(std::move(status));
  for (TrackedStatus& status : track_processes_->all()) all.push_back(std::move(status));
  return all;
}

void VrrpService::take_config(const config::Config& config) {
  gone_ = std::move(config_);
  config_ = vrrp_part(config);
  keep_only(gone_.vrrp_instances, config_.vrrp_instances);
  keep_only(gone_.sync_groups, config_.sync_groups);
  gone_.global = config_.global;
  std::vector<Error> complaints;
  track_scripts_->configure(config_, complaints);
  track_files_->configure(config_.track_files);
  track_processes_->configure(config_.track_processes, config_.global.socket_buffers.process_monitor);

  runnable_.clear();
  ScriptResolver resolver(config_.global, complaints);
  const auto know = [&](const config::VrrpNotify& notify) {
    for (const auto* script : {&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.deleted,
                               &notify.master_rx_lower_pri, &notify.any}) {
      if (!*script) continue;
      if (const auto spec = resolver.resolve(&**script)) runnable_.emplace(&**script, *spec);
    }
  };
  for (const config::Config* one : {&std::as_const(config_), &std::as_const(gone_)}) {
    for (const config::VrrpInstance& instance : one->vrrp_instances) know(instance.notify);
    for (const config::SyncGroup& group : one->sync_groups) know(group.notify);
  }
  for (const Error& complaint : complaints) log_({.text = complaint.text(), .is_warning = true});
}

void VrrpService::reload(const config::Config& config, std::vector<TrackedStatus> elsewhere) {
  read_mail(scripts_, ScriptSpec{}.time_max);  // what happened under the old configuration is told by it
  take_config(config);
  thread_->reload(settings(std::move(elsewhere)));
}

void VrrpService::status(std::function<void(VrrpStatus)> done) {
  thread_->status([&io = io_, done = std::move(done)](VrrpStatus status) {
    boost::asio::post(io, [done, status = std::move(status)]() mutable { done(std::move(status)); });
  });
}

void VrrpService::read_mail(ScriptRunner& runner, std::chrono::milliseconds time_max) {
  std::deque<std::variant<VrrpNotice, VrrpLine, VrrpRejection>> mail;
  {
    const std::lock_guard hold(mailbox_->mutex);
    mail.swap(mailbox_->mail);
  }
  for (const auto& each : mail) {
    if (const auto* line = std::get_if<VrrpLine>(&each)) {
      log_(*line);
    } else if (const auto* rejection = std::get_if<VrrpRejection>(&each)) {
      if (listener_.rejected) listener_.rejected(*rejection);
    } else {
      tell(std::get<VrrpNotice>(each), runner, time_max);
    }
  }
}

void VrrpService::tell(const VrrpNotice& notice, ScriptRunner& runner, std::chrono::milliseconds time_max) {
  const bool is_gone = notice.of_group ? has(gone_.sync_groups, notice.name) : has(gone_.vrrp_instances, notice.name);
  const config::Config& config = is_gone ? gone_ : config_;
  for (const NotifyCall& call : notify_calls(config, notice)) {
    const auto known = runnable_.find(call.script);
    if (known == runnable_.end()) continue;  // it can't be run, and that was said
    ScriptSpec spec = known->second;
    spec.argv.insert(spec.argv.end(), call.arguments.begin(), call.arguments.end());
    spec.time_max = time_max;
    if (auto started = runner.run(spec); !started) log_({.text = started.error().text(), .is_warning = true});
  }
  if (const auto line = fifo_line(config, notice); line && write_fifo_) write_fifo_(*line);
  if (auto alert = mails_.on(config, notice); alert && mail_) mail_(std::move(*alert));
  if (listener_.notice) listener_.notice(notice, config);
}

void VrrpService::stop() {
  if (thread_ == nullptr) return;
  thread_->stop();
  thread_.reset();
  // The control thread's own loop has ended, or is busy with calling this.
  boost::asio::io_context io;
  ScriptRunner last(io);
  read_mail(last, stop_scripts_time_max);
  const auto until = std::chrono::steady_clock::now() + stop_scripts_time_max;
  while (last.running() > 0 && io.run_one_until(until) > 0) {
  }
  mailbox_.reset();
}

}  // namespace sluice::control
