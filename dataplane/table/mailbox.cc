#include "dataplane/table/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace sluice::dataplane {

Result<std::unique_ptr<Mailbox>> Mailbox::create() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return fail("worker's mailbox", std::string("no event descriptor: ") + std::strerror(errno));
  return std::unique_ptr<Mailbox>(new Mailbox(fd));
}

Mailbox::~Mailbox() {
  // The worker is gone by now: what is in either ring is ours.
  while (Update* update = take()) delete update;
  Update* update = nullptr;
  while (to_control_.pop({&update, 1}) == 1) delete update;
  close(wake_fd_);
}

void Mailbox::post(Update update) {
  waiting_.push_back(std::make_unique<Update>(std::move(update)));
  push_waiting();
}

void Mailbox::push_waiting() {
  bool pushed = false;
  while (!waiting_.empty() && in_flight_ < ring_size && to_worker_.push(waiting_.front().get())) {
    (void)waiting_.front().release();  // the ring holds it now
    waiting_.pop_front();
    ++in_flight_;
    pushed = true;
  }
  if (pushed) wake_if_asleep();
}

std::vector<std::unique_ptr<Update>> Mailbox::collect() {
  std::vector<std::unique_ptr<Update>> done;
  Update* update = nullptr;
  while (to_control_.pop({&update, 1}) == 1) {
    done.emplace_back(update);
    --in_flight_;
  }
  push_waiting();
  return done;
}

// The producer writes its ring, then reads asleep_; the worker writes asleep_, then reads the rings. With a full fence
// between write and read on both sides, at least one of them sees the other.
void Mailbox::wake_if_asleep() const {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_relaxed)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_fd_, &one, sizeof one);
}

void Mailbox::prepare_sleep() {
  asleep_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Mailbox::end_sleep() {
  asleep_.store(false, std::memory_order_relaxed);
  std::uint64_t count;
  [[maybe_unused]] const auto n = read(wake_fd_, &count, sizeof count);
}

Update* Mailbox::take() {
  Update* update = nullptr;
  return to_worker_.pop({&update, 1}) == 1 ? update : nullptr;
}

void Mailbox::give_back(Update* update) { to_control_.push(update); }

}  // namespace sluice::dataplane
