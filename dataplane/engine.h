// The workers and their threads: made together, pinned, started and stopped together. Control talks to each through its
// Mailbox and reads it through its WorkerView.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "dataplane/port/log.h"
#include "dataplane/port/port.h"
#include "dataplane/worker.h"

namespace sluice::dataplane {

enum class PollPolicy : std::uint8_t {
  adaptive,  ///< look for packets for a while, then sleep until the kernel says that there are some
  always,    ///< never sleep: for cores that do nothing else
};

struct EngineConfig {
  std::size_t connections = 1u << 20;  ///< of all workers together
  PollPolicy poll = PollPolicy::adaptive;
  std::vector<unsigned> cores;  ///< worker w runs on cores[w]; beyond its end, anywhere
  PortId host_port = no_port;
  Log log;
};

class Engine {
 public:
  /// ports: one per worker, all with the same number of ports. No thread runs yet.
  static Result<std::unique_ptr<Engine>> create(EngineConfig config, std::vector<WorkerPorts> ports);
  /// Stops.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start();
  /// Ends the threads; what is in the rings stays there.
  void stop();

  [[nodiscard]] std::size_t workers() const { return slots_.size(); }
  [[nodiscard]] Mailbox& mailbox(std::size_t worker) { return *slots_[worker].mailbox; }
  [[nodiscard]] WorkerView view(std::size_t worker) const { return slots_[worker].view; }
  /// Connections that one worker has room for.
  [[nodiscard]] std::size_t connections_per_worker() const { return connections_per_worker_; }
  [[nodiscard]] std::vector<PortStatus> port_status(std::size_t worker) const { return slots_[worker].port_status; }
  /// Port::lost() of the worker's ports, now; index: PortId.
  [[nodiscard]] std::vector<std::uint64_t> ports_lost(std::size_t worker) const;
  /// Core that the worker was pinned to; -1: none.
  [[nodiscard]] int core(std::size_t worker) const { return slots_[worker].core; }

 private:
  // In the order of construction; destroyed the other way round: the worker first, then what it points to.
  struct Slot {
    std::unique_ptr<Mailbox> mailbox;
    WorkerPorts ports;
    std::unique_ptr<Worker> worker;
    WorkerView view;
    std::vector<PortStatus> port_status;
    std::vector<int> wait_fds;
    int core = -1;
    std::thread thread;
  };

  explicit Engine(EngineConfig config) : config_(std::move(config)) {}
  void run(Slot& slot);
  void sleep(Slot& slot) const;

  EngineConfig config_;
  std::size_t connections_per_worker_ = 0;
  std::atomic<bool> stopping_{false};  // written by control, read by workers, relaxed: only says "soon"
  std::vector<std::unique_ptr<Ring<Frame>>> hand_over_;  // [from * workers + to]
  std::vector<Slot> slots_;
};

}  // namespace sluice::dataplane
