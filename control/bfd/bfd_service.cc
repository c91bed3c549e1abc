#include "control/bfd/bfd_service.h"

#include <boost/asio/post.hpp>
#include <map>
#include <mutex>

namespace sluice::control {

/// What bfd and control thread share. Held for as long as a map or a queue takes; a call of the sink posts only.
struct BfdService::Shared {
  std::mutex mutex;
  std::map<std::string, bool> up;                // by name
  std::function<void(TrackedStatus)> vrrp_sink;  // may be empty
};

BfdService::BfdService(boost::asio::io_context& io, const config::Config& config, Hooks hooks)
    : io_(io), instances_(config.bfd_instances), shared_(std::make_shared<Shared>()) {
  // The control thread's turn may come when this has ended: what it needs comes along.
  const auto to_control = [&io, weak = std::weak_ptr(shared_)](auto task) {
    boost::asio::post(io, [weak, task = std::move(task)] {
      if (weak.lock() != nullptr) task();
    });
  };
  BfdHooks of_thread{
      .changed =
          [shared = shared_.get(), to_control, changed = hooks.changed](const BfdNews& news) {
            {
              const std::lock_guard hold(shared->mutex);
              shared->up[news.name] = news.up;
              if (news.for_vrrp && shared->vrrp_sink)
                shared->vrrp_sink({.kind = vrrp::TrackKind::bfd,
                                   .name = news.name,
                                   .up = news.up,
                                   .lost_neighbor = news.lost_neighbor});
            }
            if (news.for_checkers && changed) to_control([changed, news] { changed(news); });
          },
      .log = [to_control, log = hooks.log](BfdLine line) { to_control([log, line = std::move(line)] { log(line); }); }};
  thread_ =
      std::make_unique<BfdThread>(instances_, std::move(of_thread),
                                  BfdThreadOptions{.realtime_priority = config.global.processes.bfd.realtime_priority});
}

BfdService::~BfdService() { stop(); }

void BfdService::reload(const config::Config& config) {
  instances_ = config.bfd_instances;
  thread_->reload(instances_);
}

std::vector<TrackedStatus> BfdService::tracked() const {
  std::vector<TrackedStatus> all;
  const std::lock_guard hold(shared_->mutex);
  for (const config::BfdInstance& instance : instances_) {
    if (!instance.for_vrrp) continue;
    const auto known = shared_->up.find(instance.name);
    all.push_back({vrrp::TrackKind::bfd, instance.name, known != shared_->up.end() && known->second});
  }
  return all;
}

void BfdService::tell_vrrp(std::function<void(TrackedStatus)> sink) {
  const bool anyone = bool(sink);
  {
    const std::lock_guard hold(shared_->mutex);
    shared_->vrrp_sink = std::move(sink);
  }
  if (anyone) publish();
}

void BfdService::publish() { thread_->publish(); }

void BfdService::status(std::function<void(BfdStatus)> done) {
  thread_->status([&io = io_, done = std::move(done)](BfdStatus status) {
    boost::asio::post(io, [done, status = std::move(status)] { done(status); });
  });
}

void BfdService::stop() {
  if (thread_ != nullptr) thread_->stop();
  thread_.reset();
}

std::vector<TrackedStatus> tracked_without_bfd(const config::Config& config) {
  std::vector<TrackedStatus> all;
  for (const config::BfdInstance& instance : config.bfd_instances) {
    if (instance.for_vrrp) all.push_back({vrrp::TrackKind::bfd, instance.name, false});
  }
  return all;
}

}  // namespace sluice::control
