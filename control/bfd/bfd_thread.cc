#include "control/bfd/bfd_thread.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "control/vrrp/realtime.h"

namespace sluice::control {

class BfdThread::Impl {
 public:
  Impl(BfdInstances instances, BfdHooks hooks, BfdThreadOptions options) {
    std::promise<void> started;
    thread_ = std::thread([&, this] {
      ::pthread_setname_np(::pthread_self(), "bfd");
      const auto complaint = be_realtime(options.realtime_priority.value_or(1), "BFD",
                                         "a busy host may be taken for dead by its neighbors");
      if (complaint) hooks.log({.text = *complaint, .is_warning = true});
      sessions_ = std::make_unique<BfdSessions>(io_, std::move(hooks));
      sessions_->reload(instances);
      started.set_value();
      io_.run();
      sessions_.reset();
    });
    started.get_future().wait();
  }

  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] {
      sessions_->stop();
      work_.reset();
      io_.stop();
    });
    thread_.join();
  }

  template <typename Task>
  void post(Task&& task) {
    boost::asio::post(io_, std::forward<Task>(task));
  }
  BfdSessions& sessions() { return *sessions_; }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
  std::unique_ptr<BfdSessions> sessions_;  // of the thread
};

BfdThread::BfdThread(BfdInstances instances, BfdHooks hooks, BfdThreadOptions options)
    : impl_(std::make_unique<Impl>(std::move(instances), std::move(hooks), options)) {}
BfdThread::~BfdThread() { stop(); }

void BfdThread::reload(BfdInstances instances) {
  impl_->post([impl = impl_.get(), instances = std::move(instances)] { impl->sessions().reload(instances); });
}

void BfdThread::publish() {
  impl_->post([impl = impl_.get()] { impl->sessions().publish(); });
}

void BfdThread::status(std::function<void(BfdStatus)> done) {
  impl_->post([impl = impl_.get(), done = std::move(done)] { done(impl->sessions().status()); });
}

void BfdThread::stop() { impl_->stop(); }

}  // namespace sluice::control
