// Numbers that one thread writes and any thread reads. The writer loads and stores (no read-modify-write: it is alone);
// readers get a recent value, each number for itself. Relaxed order throughout: nothing else is inferred from them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/drop.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {

class Counter {
 public:
  /// Owner only.
  void add(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  /// Any thread.
  [[nodiscard]] std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Of one destination on one worker. Bytes are of IPv4 packets, as received, before rewriting (IPVS).
struct alignas(64) DestinationCounters {
  Counter connections;
  Counter in_packets;
  Counter in_bytes;
  Counter out_packets;
  Counter out_bytes;
};

/// Of one worker. The law, at rest:
///   received + handed_in + answered = transmitted + handed_out + passed + sum of dropped
/// (a packet that is answered by an ICMP error is dropped, and the error, made in its frame, is transmitted).
struct WorkerCounters {
  Counter received;     ///< frames from ports
  Counter transmitted;  ///< frames to ports, answers among them
  Counter handed_in;    ///< frames from other workers
  Counter handed_out;   ///< frames to the worker that owns their connection
  Counter passed;       ///< frames given to the host's own stack
  std::array<Counter, drop_reasons> dropped;

  Counter answered;       ///< ICMP errors made for packets that were dropped
  Counter flows;          ///< connections now
  Counter flows_created;  ///< since start
  Counter flows_expired;
  Counter flows_evicted;  ///< half-open ones that made room for others

  Counter polls;      ///< turns of the loop that found work
  Counter sleeps;     ///< times the worker slept for want of work
  Counter engine_ns;  ///< time in the engine's own steps, from parse to hand-over to the port
  Counter port_ns;    ///< time in the ports' receive, transmit and flush, of bursts that carried packets
};

/// Reads a worker's Load of one destination from another thread. The worker stores with store_load.
[[nodiscard]] inline Load read_load(const Load& load) {
  return {std::atomic_ref(const_cast<std::uint32_t&>(load.active)).load(std::memory_order_relaxed),
          std::atomic_ref(const_cast<std::uint32_t&>(load.inactive)).load(std::memory_order_relaxed), false};
}
inline void store_load(std::uint32_t& field, std::uint32_t value) {
  std::atomic_ref(field).store(value, std::memory_order_relaxed);
}

}  // namespace sluice::dataplane
