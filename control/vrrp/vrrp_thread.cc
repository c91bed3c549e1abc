#include "control/vrrp/vrrp_thread.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "control/vrrp/realtime.h"

namespace sluice::control {

class VrrpThread::Impl {
 public:
  Result<> start(VrrpSettings settings, VrrpHooks hooks, VrrpThreadOptions options) {
    std::promise<Result<>> started;
    auto outcome = started.get_future();
    thread_ = std::thread([&, this] {
      ::pthread_setname_np(::pthread_self(), "vrrp");
      const auto complaint =
          be_realtime(options.realtime_priority.value_or(1), "VRRP", "a busy host may delay advertisements");
      if (complaint) hooks.log({.text = *complaint, .is_warning = true});
      auto routers = VirtualRouters::start(io_, std::move(settings), std::move(hooks));
      if (!routers) return started.set_value(std::unexpected(routers.error()));
      routers_ = std::move(*routers);
      started.set_value({});
      io_.run();
      routers_.reset();
    });
    auto result = outcome.get();
    if (!result) thread_.join();
    return result;
  }

  void stop() {
    if (!thread_.joinable()) return;
    post([this] {
      routers_->stop();
      work_.reset();
      io_.stop();
    });
    thread_.join();
  }

  template <typename Task>
  void post(Task&& task) {
    boost::asio::post(io_, std::forward<Task>(task));
  }
  VirtualRouters& routers() { return *routers_; }

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
  std::unique_ptr<VirtualRouters> routers_;  // of the thread
};

VrrpThread::VrrpThread(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VrrpThread::~VrrpThread() { stop(); }

Result<std::unique_ptr<VrrpThread>> VrrpThread::start(VrrpSettings settings, VrrpHooks hooks,
                                                      VrrpThreadOptions options) {
  auto impl = std::make_unique<Impl>();
  if (auto started = impl->start(std::move(settings), std::move(hooks), options); !started) {
    return std::unexpected(started.error());
  }
  return std::unique_ptr<VrrpThread>(new VrrpThread(std::move(impl)));
}

void VrrpThread::reload(VrrpSettings settings) {
  impl_->post(
      [impl = impl_.get(), settings = std::move(settings)]() mutable { impl->routers().reload(std::move(settings)); });
}

void VrrpThread::on_tracked(TrackedStatus status) {
  impl_->post([impl = impl_.get(), status = std::move(status)] { impl->routers().on_tracked(status); });
}

void VrrpThread::status(std::function<void(VrrpStatus)> done) {
  impl_->post([impl = impl_.get(), done = std::move(done)] { done(impl->routers().status()); });
}

void VrrpThread::stop() { impl_->stop(); }

}  // namespace sluice::control
