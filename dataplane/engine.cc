#include "dataplane/engine.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <random>

namespace sluice::dataplane {

namespace {

// How long a worker looks for packets before it sleeps: about what waking up costs, so that at worst half is wasted.
constexpr std::uint64_t spin_ns = 50'000;
// How long it sleeps at most: timers count in seconds.
constexpr int sleep_ms = 500;
// Frames on their way between two workers: a few bursts.
constexpr std::size_t hand_over_ring = 1024;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::uint64_t(now.tv_sec) * 1'000'000'000 + std::uint64_t(now.tv_nsec);
}
std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }
std::uint32_t coarse_s() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::uint32_t(now.tv_sec);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(EngineConfig config, std::vector<WorkerPorts> ports) {
  const std::size_t workers = ports.size();
  std::unique_ptr<Engine> engine(new Engine(std::move(config)));
  engine->connections_per_worker_ =
      std::max(FlowTable::capacity_min, (engine->config_.connections + workers - 1) / workers);
  engine->hand_over_.resize(workers * workers);
  for (std::size_t from = 0; from < workers; ++from) {
    for (std::size_t to = 0; to < workers; ++to) {
      if (from != to) engine->hand_over_[from * workers + to] = std::make_unique<Ring<Frame>>(hand_over_ring);
    }
  }
  engine->slots_.resize(workers);
  for (std::size_t w = 0; w < workers; ++w) {
    auto mailbox = Mailbox::create();
    if (!mailbox) return std::unexpected(mailbox.error());
    engine->slots_[w].mailbox = std::move(*mailbox);
    engine->slots_[w].ports = std::move(ports[w]);
  }
  std::random_device random;
  const std::uint64_t seed = (std::uint64_t{random()} << 32) | random();
  for (std::size_t w = 0; w < workers; ++w) {
    Slot& slot = engine->slots_[w];
    WorkerConfig worker;
    worker.id = WorkerId(w);
    worker.workers = unsigned(workers);
    worker.connections = engine->connections_per_worker_;
    worker.hash_seed = seed;
    worker.now_s = coarse_s();
    worker.pool = slot.ports.pool.get();
    for (const auto& port : slot.ports.ports) {
      worker.ports.push_back(port.get());
      slot.port_status.push_back(port->status());
      if (port->wait_fd() >= 0) slot.wait_fds.push_back(port->wait_fd());
    }
    slot.wait_fds.push_back(slot.mailbox->wait_fd());
    worker.host_port = engine->config_.host_port;
    worker.mailbox = slot.mailbox.get();
    for (std::size_t other = 0; other < workers; ++other) {
      worker.hand_out.push_back(engine->hand_over_[w * workers + other].get());
      worker.hand_in.push_back(engine->hand_over_[other * workers + w].get());
      worker.peers.push_back(other == w ? nullptr : engine->slots_[other].mailbox.get());
    }
    worker.clock = monotonic_ns;
    auto made = Worker::create(std::move(worker));
    if (!made) return std::unexpected(made.error());
    slot.worker = std::move(*made);
    slot.view = slot.worker->view();
    if (w < engine->config_.cores.size()) slot.core = int(engine->config_.cores[w]);
  }
  return engine;
}

std::vector<std::uint64_t> Engine::ports_lost(std::size_t worker) const {
  std::vector<std::uint64_t> lost;
  for (const auto& port : slots_[worker].ports.ports) lost.push_back(port->lost());
  return lost;
}

Engine::~Engine() { stop(); }

void Engine::start() {
  stopping_.store(false, std::memory_order_relaxed);
  for (std::size_t w = 0; w < slots_.size(); ++w) {
    Slot& slot = slots_[w];
    slot.thread = std::thread([this, &slot] { run(slot); });
    pthread_setname_np(slot.thread.native_handle(), fmt::format("sluice-w{}", w).c_str());
    if (slot.core < 0) continue;
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(unsigned(slot.core), &cores);
    if (pthread_setaffinity_np(slot.thread.native_handle(), sizeof cores, &cores) != 0) {
      if (config_.log) {
        config_.log(LogLevel::warning,
                    fmt::format("worker {} can't be pinned to core {}: it runs anywhere", w, slot.core));
      }
      slot.core = -1;
    }
  }
}

void Engine::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  for (Slot& slot : slots_) {
    if (!slot.thread.joinable()) continue;
    slot.mailbox->wake_if_asleep();
    slot.thread.join();
  }
}

void Engine::run(Slot& slot) {
  std::uint64_t last_work_ns = monotonic_ns();
  while (!stopping_.load(std::memory_order_relaxed)) {
    if (slot.worker->poll(coarse_s())) {
      last_work_ns = 0;
      continue;
    }
    if (config_.poll == PollPolicy::adaptive) {
      const std::uint64_t now_ns = monotonic_ns();
      if (last_work_ns == 0) last_work_ns = now_ns;
      if (now_ns - last_work_ns >= spin_ns) {
        sleep(slot);
        last_work_ns = 0;
        continue;
      }
    }
    _mm_pause();
  }
}

// Whoever brings work after prepare_sleep() wakes us; what was brought before, the last poll() finds.
void Engine::sleep(Slot& slot) const {
  slot.mailbox->prepare_sleep();
  if (!slot.worker->poll(coarse_s()) && !stopping_.load(std::memory_order_relaxed)) {
    std::array<pollfd, 2 * ports_max> fds;
    const std::size_t count = std::min(slot.wait_fds.size(), fds.size());
    for (std::size_t i = 0; i < count; ++i) fds[i] = {slot.wait_fds[i], POLLIN, 0};
    slot.worker->count_sleep();
    ::poll(fds.data(), count, sleep_ms);
    // A port whose interface is gone stays "ready" for ever: without it, the worker sleeps again.
    for (std::size_t i = 0; i < count; ++i) {
      if ((fds[i].revents & (POLLERR | POLLNVAL)) != 0) std::erase(slot.wait_fds, fds[i].fd);
    }
  }
  slot.mailbox->end_sleep();
}

}  // namespace sluice::dataplane
