// A worker between two traffic ports with one service, one destination and any number of established connections: what
// the engine's benches run.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "bench/traffic.h"
#include "dataplane/worker.h"

namespace sluice::bench {

inline const net::Endpoint vip{net::Ipv4Addr::of(10, 0, 0, 5), net::L4Port::of(80)};
inline const net::Endpoint server{net::Ipv4Addr::of(10, 0, 2, 11), net::L4Port::of(8080)};
inline constexpr std::size_t burst = 64;

// One worker between two traffic ports, one service with one destination, `flows` established connections.
class Setup {
 public:
  Setup(std::uint32_t flows, dataplane::ForwardMethod method)
      : requests_(flows, Side::client, vip, server, net::tcp_ack),
        replies_(flows, Side::server, vip, server, net::tcp_ack),
        front_(dataplane::PortId{0}, 4 * burst),
        back_(dataplane::PortId{1}, 0),
        mailbox_(std::move(*dataplane::Mailbox::create())) {
    dataplane::WorkerConfig config;
    config.connections = std::max<std::size_t>(flows + flows / 8, dataplane::FlowTable::capacity_min);
    config.hash_seed = 0x5eed;
    config.now_s = now_s_;
    config.pool = &front_;
    config.ports = {&front_, &both_back_};
    config.mailbox = mailbox_.get();
    worker_ = std::move(*dataplane::Worker::create(std::move(config)));

    dataplane::Destination destination;
    destination.available = true;
    destination.method = method;
    destination.address = server.address;
    destination.port = method == dataplane::ForwardMethod::nat ? server.port : vip.port;
    destination.tunnel_source = net::Ipv4Addr::of(10, 0, 2, 254);
    destination.next_hop = {dataplane::PortId{1}, 0, {{2, 0, 0, 0, 2, 11}}, {{2, 0, 0, 0, 0, 2}}};
    const dataplane::DestinationId id{0};
    mailbox_->post(dataplane::SetDestination{id, destination});
    auto service = std::make_unique<dataplane::Service>();
    service->key = {net::Protocol::tcp, vip.address, vip.port};
    service->scheduler = dataplane::SchedulerKind::rr;
    service->candidates = {{id, 1}};
    service->has_nat = method == dataplane::ForwardMethod::nat;
    auto scheduler = dataplane::make_scheduler(*service);
    mailbox_->post(dataplane::SetService{std::move(service), std::move(scheduler)});

    // A SYN of each flow, then it is established by its first ACK in the warm-up.
    Traffic opening(flows, Side::client, vip, server, net::tcp_syn);
    front_.play(&opening);
    for (std::uint32_t opened = 0; opened < flows; opened += burst) worker_->poll(now_s_);
    front_.play(&requests_);
    for (std::uint32_t seen = 0; seen < flows; seen += burst) worker_->poll(now_s_);
    if (worker_->flows().size() != flows) {
      std::fprintf(stderr, "bench: %zu of %u connections opened\n", worker_->flows().size(), flows);
      std::abort();
    }
    front_.play(nullptr);
  }

  // One burst from the client's side, or from the server's.
  void turn(Side side) {
    front_.play(side == Side::client ? &requests_ : &replies_);
    worker_->poll(now_s_);
  }
  [[nodiscard]] std::uint64_t dropped() const {
    std::uint64_t sum = 0;
    for (const auto& counter : worker_->view().counters->dropped) sum += counter.read();
    return sum;
  }

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

  std::uint32_t now_s_ = 1000;
  Traffic requests_, replies_;
  TrafficPort front_;
  TrafficPort back_;
  Back both_back_{front_};
  std::unique_ptr<dataplane::Mailbox> mailbox_;
  std::unique_ptr<dataplane::Worker> worker_;
};

}  // namespace sluice::bench
