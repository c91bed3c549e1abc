// The yardstick: the least work on memory that forwarding a packet from a table of flows needs. Hash the client's
// endpoint, touch one bucket line, touch one record line, rewrite the header; batches of 32, prefetched one step ahead.
// No states, no counters, no checks: nothing that forwards can be faster on the same machine.
#pragma once

#include <cstdint>
#include <span>

#include "dataplane/mapping.h"
#include "dataplane/port/port.h"

namespace sluice::bench {

class Probe {
 public:
  /// flows: of bench/traffic.h, 0..flows-1.
  explicit Probe(std::uint32_t flows);

  static constexpr std::size_t batch = 32;
  /// frames: packets of clients, at most `batch`.
  void forward(std::span<dataplane::Frame> frames);

 private:
  struct Bucket {
    std::uint32_t tags[7];
    std::uint32_t records[7];
    std::uint32_t unused[2];
  };
  static_assert(sizeof(Bucket) == 64);
  struct Record {
    std::uint32_t client, server;
    std::uint16_t client_port, server_port;
    std::uint8_t mac[6];
    std::uint8_t unused[46];
  };
  static_assert(sizeof(Record) == 64);

  static std::uint64_t hash(std::uint32_t address, std::uint16_t port);

  dataplane::Mapping bucket_memory_, record_memory_;
  std::span<Bucket> buckets_;
  std::span<Record> records_;
  std::uint64_t mask_;
};

}  // namespace sluice::bench
