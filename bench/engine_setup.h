// A worker between two traffic ports with one service, some destinations and any number of established connections:
// what the engine's benches run.
#pragma once

#include <memory>

#include "bench/traffic.h"
#include "dataplane/worker.h"

namespace sluice::bench {

inline const net::Endpoint vip{net::Ipv4Addr::of(10, 0, 0, 5), net::L4Port::of(80)};
inline const net::Endpoint server{net::Ipv4Addr::of(10, 0, 2, 11), net::L4Port::of(8080)};
inline constexpr std::size_t burst = 64;

struct SetupOptions {
  std::uint32_t flows = 1024;  ///< established, from the first on
  std::uint32_t room = 0;      ///< for more connections than those
  dataplane::ForwardMethod method = dataplane::ForwardMethod::nat;
  dataplane::SchedulerKind scheduler = dataplane::SchedulerKind::rr;
  unsigned destinations = 1;  ///< the first is `server`
  bool establish = true;      ///< or leave them at their SYN
};

class Setup {
 public:
  explicit Setup(const SetupOptions& options);

  /// One burst of this traffic comes in.
  void turn(Traffic& traffic) {
    front_.play(&traffic);
    worker_->poll(now_s);
  }
  /// Of established connections, in an order that looks random.
  Traffic& requests() { return requests_; }
  Traffic& replies() { return replies_; }

  /// Changes the first destination's weight.
  void set_weight(std::uint32_t weight);

  [[nodiscard]] dataplane::Worker& worker() { return *worker_; }
  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] std::uint64_t sent() const { return front_.sent(); }

  std::uint32_t now_s = 1000;

 private:
  // The far port sends into the same pool.
  class Back final : public dataplane::Port {
   public:
    explicit Back(TrafficPort& front) : front_(front) {}
    std::size_t receive(std::span<dataplane::Frame>) override { return 0; }
    std::size_t transmit(std::span<const dataplane::Frame> frames) override { return front_.transmit(frames); }
    void flush() override {}
    [[nodiscard]] int wait_fd() const override { return -1; }
    [[nodiscard]] dataplane::PortStatus status() const override { return {"back", "memory", 0}; }

   private:
    TrafficPort& front_;
  };

  [[nodiscard]] std::unique_ptr<dataplane::Service> service(std::uint32_t first_weight) const;

  SetupOptions options_;
  Traffic requests_, replies_;
  TrafficPort front_;
  Back back_{front_};
  std::unique_ptr<dataplane::Mailbox> mailbox_;
  std::unique_ptr<dataplane::Worker> worker_;
};

}  // namespace sluice::bench
