// Two workers on their own threads, generated traffic in both directions on both, and control changing tables, dumping
// connections and reading counters all the while. Run under ThreadSanitizer it proves that nothing is shared but by
// rings and counters; in any build, that no packet and no frame is lost on the way between workers.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "bench/traffic.h"
#include "dataplane/engine.h"
#include "dataplane/port/umem.h"

namespace sluice::dataplane {
namespace {

using bench::Side;
using bench::Traffic;

const net::Endpoint vip{net::Ipv4Addr::of(10, 0, 0, 5), net::L4Port::of(80)};
const net::Endpoint server{net::Ipv4Addr::of(10, 0, 2, 11), net::L4Port::of(8080)};
constexpr std::uint32_t flows = 1024;
constexpr std::size_t frames_per_worker = 4096;

// Receives a bounded number of packets: a SYN of every flow, then ACKs of both sides in turn.
class GeneratingPort final : public Port {
 public:
  GeneratingPort(UmemPool& pool, std::uint32_t bursts)
      : pool_(pool),
        bursts_left_(bursts),
        opening_(flows, Side::client, vip, server, net::tcp_syn),
        requests_(flows, Side::client, vip, server, net::tcp_ack),
        replies_(flows, Side::server, vip, server, net::tcp_ack) {}

  std::size_t receive(std::span<Frame> frames) override {
    if (bursts_left_ == 0) return 0;
    const std::size_t count = pool_.allocate(frames);
    if (count == 0) return 0;
    --bursts_left_;
    ++bursts_;
    Traffic& traffic = opened_ < flows ? opening_ : bursts_ % 2 == 0 ? requests_ : replies_;
    opened_ += std::uint32_t(count);
    for (Frame& frame : frames.first(count)) {
      traffic.next(frame);
      frame.port = PortId{0};
    }
    return count;
  }
  std::size_t transmit(std::span<const Frame> frames) override {
    pool_.release(frames);
    return frames.size();
  }
  void flush() override {}
  [[nodiscard]] int wait_fd() const override { return -1; }
  [[nodiscard]] PortStatus status() const override { return {"generated", "memory", 0}; }

 private:
  UmemPool& pool_;
  std::uint32_t bursts_left_;
  std::uint32_t bursts_ = 0;
  std::uint32_t opened_ = 0;
  Traffic opening_, requests_, replies_;
};

Destination destination(bool available) {
  Destination d;
  d.available = available;
  d.address = server.address;
  d.port = server.port;
  d.next_hop = {PortId{0}, 0, {{2, 0, 0, 0, 2, 11}}, {{2, 0, 0, 0, 0, 2}}};
  return d;
}

SetService service(std::uint32_t weight) {
  auto service = std::make_unique<Service>();
  service->key = {net::Protocol::tcp, vip.address, vip.port};
  service->scheduler = SchedulerKind::wlc;
  service->candidates = {{DestinationId{0}, weight}};
  service->has_nat = true;
  auto scheduler = make_scheduler(*service);
  return {std::move(service), std::move(scheduler)};
}

std::uint64_t sum_of_drops(const WorkerCounters& counters) {
  std::uint64_t sum = 0;
  for (const Counter& counter : counters.dropped) sum += counter.read();
  return sum;
}

TEST(EngineThreads, NothingIsLostBetweenWorkersWhileControlChangesTables) {
  constexpr std::size_t workers = 2;
  constexpr std::uint32_t bursts = 1500;
  const auto umem = std::move(*Umem::create({workers, frames_per_worker, 2048}));
  std::vector<WorkerPorts> ports(workers);
  std::vector<UmemPool*> pools;
  for (std::size_t w = 0; w < workers; ++w) {
    auto pool = std::make_unique<UmemPool>(umem, WorkerId(w));
    pools.push_back(pool.get());
    ports[w].ports.push_back(std::make_unique<GeneratingPort>(*pool, bursts));
    ports[w].pool = std::move(pool);
  }
  EngineConfig config;
  config.connections = 16 * flows;
  auto engine = std::move(*Engine::create(std::move(config), std::move(ports)));
  const auto post_all = [&](auto make) {
    for (std::size_t w = 0; w < workers; ++w) engine->mailbox(w).post(make());
  };
  post_all([] { return SetPort{PortId{0}, {{2, 0, 0, 0, 0, 1}}}; });
  post_all([] { return SetDestination{DestinationId{0}, destination(true)}; });
  post_all([] { return service(1); });
  engine->start();

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto sum = [&](auto read) {
    std::uint64_t total = 0;
    for (std::size_t w = 0; w < workers; ++w) total += read(*engine->view(w).counters);
    return total;
  };
  std::size_t updates = 0, dumped = 0;
  while (true) {
    // At rest: everything received, and everything accounted for.
    const std::uint64_t received = sum([](const auto& c) { return c.received.read(); });
    const std::uint64_t gone =
        sum([](const auto& c) { return c.transmitted.read() + c.passed.read() + sum_of_drops(c) - c.answered.read(); });
    const bool all_received = received == workers * bursts * burst_max;
    if (all_received && received == gone) break;
    ASSERT_LT(std::chrono::steady_clock::now(), deadline)
        << received << " received, " << gone << " accounted for after " << updates << " updates";
    ++updates;
    post_all([&] { return service(std::uint32_t(updates % 3)); });
    post_all([&] { return SetDestination{DestinationId{0}, destination(updates % 5 != 0)}; });
    if (updates % 7 == 0) {
      post_all([] {
        DumpFlows dump;
        dump.room = 500;
        dump.flows.reserve(dump.room);
        return dump;
      });
    }
    for (std::size_t w = 0; w < workers; ++w) {
      for (const auto& done : engine->mailbox(w).collect()) dumped += std::holds_alternative<DumpFlows>(*done);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  engine->stop();
  EXPECT_GT(updates, 0u);
  EXPECT_GT(sum([](const auto& c) { return c.handed_out.read(); }), 0u);
  EXPECT_EQ(sum([](const auto& c) { return c.handed_out.read(); }),
            sum([](const auto& c) { return c.handed_in.read(); }));
  std::size_t frames = 0;
  for (UmemPool* pool : pools) frames += pool->available();
  EXPECT_EQ(frames, workers * frames_per_worker);
}

}  // namespace
}  // namespace sluice::dataplane
