// The door of a worker: updates go in, the same updates come back when they are done. Lock-free; the two ends belong
// to one thread each. A worker that sleeps is woken through a descriptor.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/ring.h"
#include "dataplane/table/update.h"
#include "net/error.h"

namespace sluice::dataplane {

class Mailbox {
 public:
  static Result<std::unique_ptr<Mailbox>> create();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // --- control's end

  /// Sends an update. Never fails: what the ring can't take yet waits here, in order, until collect() makes room.
  void post(Update update);
  /// Updates that the worker has carried out, now owned by the caller (who usually lets them go). In the order in which
  /// they were posted, but for DumpFlows, which takes its time.
  std::vector<std::unique_ptr<Update>> collect();
  /// Updates posted and not collected yet.
  [[nodiscard]] std::size_t outstanding() const { return in_flight_ + waiting_.size(); }
  /// Wakes the worker if it sleeps. post() does it by itself. Any thread.
  void wake_if_asleep() const;

  // --- the worker's end

  /// The next update, or null. The worker gives every one of them back.
  Update* take();
  void give_back(Update* update);
  /// Readable when somebody called wake(); for the worker's sleep.
  [[nodiscard]] int wait_fd() const { return wake_fd_; }
  /// Says that the worker is about to sleep. It must look for work once more after this, then it may sleep: whoever
  /// brings work from then on wakes it.
  void prepare_sleep();
  /// The worker is awake again.
  void end_sleep();

 private:
  static constexpr std::size_t ring_size = 1024;

  explicit Mailbox(int wake_fd) : wake_fd_(wake_fd), to_worker_(ring_size), to_control_(ring_size) {}
  void push_waiting();

  int wake_fd_;
  std::atomic<bool> asleep_{false};  // written by the worker; sequentially consistent, pairs with the rings' writes
  Ring<Update*> to_worker_;
  Ring<Update*> to_control_;
  // Control's own. in_flight_ never exceeds ring_size, so the way back always has room.
  std::size_t in_flight_ = 0;
  std::deque<std::unique_ptr<Update>> waiting_;
};

}  // namespace sluice::dataplane
