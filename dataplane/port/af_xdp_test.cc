// AF_XDP over a real (veth) wire:
//
//   peer, a raw socket  <--- wire, 1 or 2 queues --->  dir, the engine's port(s)
//
// both in a network namespace of the test's own. All verdicts of the steering program are in steer_test.cc.
#include "dataplane/port/af_xdp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

#include "dataplane/port/af_xdp_port.h"
#include "dataplane/port/private_network.h"
#include "dataplane/ring.h"
#include "net/headers.h"

namespace sluice::dataplane {
namespace {

using namespace std::chrono_literals;
using testing::Bytes;
using testing::endpoint;
using testing::PacketBuilder;
using testing::PrivateNetwork;
using testing::RawSocket;

const auto client = endpoint("10.0.1.1", 30010);
const auto service = endpoint("10.0.0.5", 80);
const auto real_server = endpoint("10.0.2.11", 8080);
const auto host = endpoint("10.0.0.1", 22);
constexpr auto patience = 2000ms;
constexpr auto silence = 50ms;

bool readable(const Port& port, std::chrono::milliseconds timeout) {
  pollfd waiting{.fd = port.wait_fd(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, static_cast<int>(timeout.count())) == 1;
}

std::vector<Bytes> just(const Bytes& frame) { return {frame}; }

/// What the engine received within a while; the frames go back to the pool.
std::vector<Bytes> take(WorkerPorts& worker, std::size_t port, std::chrono::milliseconds timeout) {
  std::array<Frame, burst_max> frames;
  std::vector<Bytes> received;
  if (!readable(*worker.ports[port], timeout)) return received;
  while (const auto n = worker.ports[port]->receive(frames)) {
    for (const Frame& frame : std::span(frames).first(n)) {
      EXPECT_EQ(frame.port, PortId(port));
      EXPECT_GE(frame.headroom, headroom_min);
      received.emplace_back(frame.data, frame.data + frame.length);
    }
    worker.pool->release(std::span(frames).first(n));
  }
  return received;
}

class AfXdpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = PrivateNetwork::why_not(); !why.empty()) GTEST_SKIP() << why;
    network_.emplace();
    auto loaded = Steer::load();
    ASSERT_TRUE(loaded) << loaded.error().text();
    steer_ = std::move(*loaded);
    ASSERT_TRUE(steer_->add_service(net::Protocol::udp, service));
    ASSERT_TRUE(steer_->add_nat_destination(net::Protocol::udp, real_server));
    ASSERT_TRUE(steer_->add_local_address(host.address));
    ASSERT_TRUE(steer_->add_mac(testing::mac("02:00:00:00:00:01")));  // where PacketBuilder sends to
  }

  Result<AfXdpSet> open(const AfXdpConfig& config) {
    said_.clear();
    return open_af_xdp(config, *steer_, [this](LogLevel, std::string_view line) { (said_ += line) += '\n'; });
  }
  void expect_error(const AfXdpConfig& config, std::string_view part) {
    const auto set = open(config);
    ASSERT_FALSE(set);
    EXPECT_NE(set.error().text().find(part), std::string::npos) << set.error().text();
  }

  std::optional<PrivateNetwork> network_;
  std::unique_ptr<Steer> steer_;
  std::string said_;
};

TEST_F(AfXdpTest, LivePacketsGoToTheEngineOrPassOrAreDropped) {
  network_->wire("dir", "peer");
  for (const auto mode : {AfXdpMode::native_copy, AfXdpMode::generic}) {
    SCOPED_TRACE(to_string(mode));
    RawSocket peer("peer"), kernel("dir");
    const auto request = PacketBuilder().from(client).to(service).udp();
    const auto reply = PacketBuilder().from(real_server).to(client).udp();
    const auto other = PacketBuilder().from(client).to(host).udp();
    {
      auto set = open({.interfaces = {{.name = "dir"}}, .ring_size = 64, .mode = mode});
      ASSERT_TRUE(set) << set.error().text();
      EXPECT_EQ(set->interfaces.at(0).mode, mode);
      auto& worker = set->workers.at(0);
      EXPECT_EQ(worker.ports.at(0)->status().mode, "af_xdp " + to_string(mode));
      for (const auto& frame : {request, reply}) {
        ASSERT_TRUE(peer.send(frame));
        EXPECT_EQ(take(worker, 0, patience), just(frame));
        EXPECT_EQ(kernel.receive(0ms), std::nullopt);
      }
      ASSERT_TRUE(peer.send(other));
      EXPECT_EQ(kernel.receive(patience), other);
      EXPECT_TRUE(take(worker, 0, 0ms).empty());

      // And the other way, from a frame of the engine's own.
      Frame made;
      ASSERT_EQ(worker.pool->allocate({&made, 1}), 1u);
      std::ranges::copy(request, made.data);
      made.length = static_cast<std::uint16_t>(request.size());
      ASSERT_EQ(worker.ports[0]->transmit({&made, 1}), 1u);
      worker.ports[0]->flush();
      EXPECT_EQ(peer.receive(patience), request);
    }
    // The engine is gone, the program isn't.
    const auto before = steer_->counters();
    for (const auto& frame : {request, reply}) {
      ASSERT_TRUE(peer.send(frame));
      EXPECT_EQ(kernel.receive(silence), std::nullopt);
    }
    EXPECT_EQ(steer_->counters().dropped_no_engine, before.dropped_no_engine + 2);
    ASSERT_TRUE(peer.send(other));
    EXPECT_EQ(kernel.receive(patience), other);
  }
}

TEST_F(AfXdpTest, TheBestModeIsChosenAndSaid) {
  network_->wire("dir", "peer", 2);
  network_->run("ip link set dev lo mtu 1500");  // has no native XDP, and one queue
  {
    const auto set = open({.interfaces = {{.name = "dir"}}, .cores = 2});
    ASSERT_TRUE(set) << set.error().text();
    EXPECT_EQ(set->workers.size(), 2u);
    EXPECT_EQ(set->interfaces[0].mode, AfXdpMode::native_copy);
    EXPECT_NE(said_.find("no zero-copy AF_XDP; packets will be copied"), std::string::npos) << said_;
    EXPECT_NE(said_.find("dir: AF_XDP native copy, 2 queue(s), 2 worker(s), frames of 2048 bytes"), std::string::npos)
        << said_;
  }
  const auto set = open({.interfaces = {{.name = "dir"}, {.name = "lo"}}, .workers = 2});
  ASSERT_TRUE(set) << set.error().text();
  EXPECT_EQ(set->workers.size(), 1u);
  EXPECT_EQ(set->workers[0].ports.size(), 2u);
  EXPECT_EQ(set->interfaces[0].mode, AfXdpMode::native_copy);
  EXPECT_EQ(set->interfaces[1].mode, AfXdpMode::generic);
  EXPECT_NE(said_.find("2 workers are wanted, but lo has 1 queue"), std::string::npos) << said_;
}

TEST_F(AfXdpTest, OneWorkerSleepsOnAllItsQueues) {
  network_->wire("dir", "peer", 2);
  auto set = open({.interfaces = {{.name = "dir"}}, .workers = 1, .ring_size = 64});
  ASSERT_TRUE(set) << set.error().text();
  auto& worker = set->workers.at(0);
  EXPECT_FALSE(readable(*worker.ports[0], 0ms));
  RawSocket peer("peer");
  // More than the rings hold, so that replacing received frames is seen to work, on both queues.
  for (std::uint16_t flow = 0; flow < 1000; ++flow) {
    const auto frame = PacketBuilder().from("10.0.1.1", flow).to(service).udp();
    ASSERT_TRUE(peer.send(frame));
    ASSERT_EQ(take(worker, 0, patience), just(frame)) << flow;
    ASSERT_FALSE(readable(*worker.ports[0], 0ms));
  }
}

/// Receives one packet on port 0, puts `bytes` of 0xaa before it, as a tunnel does, and sends it on port 1.
void send_on_with(WorkerPorts& worker, std::uint16_t bytes) {
  Frame frame;
  ASSERT_TRUE(readable(*worker.ports[0], patience));
  ASSERT_EQ(worker.ports[0]->receive({&frame, 1}), 1u);
  frame.data -= bytes;
  frame.headroom = static_cast<std::uint16_t>(frame.headroom - bytes);
  frame.length = static_cast<std::uint16_t>(frame.length + bytes);
  std::memset(frame.data, 0xaa, bytes);
  ASSERT_EQ(worker.ports[1]->transmit({&frame, 1}), 1u);
  worker.ports[1]->flush();
}

TEST_F(AfXdpTest, AFrameMayGrowAndLeaveOnAnotherInterfaceThanItCameFrom) {
  network_->wire("dir", "peer");
  network_->wire("dir2", "peer2");
  auto set = open({.interfaces = {{.name = "dir"}, {.name = "dir2"}}, .ring_size = 64});
  ASSERT_TRUE(set) << set.error().text();
  RawSocket peer("peer"), peer2("peer2");
  for (std::size_t payload = 0; payload <= 1452; payload += 4) {
    const auto frame = PacketBuilder().from(client).to(service).payload(payload).udp();
    ASSERT_TRUE(peer.send(frame));
    ASSERT_NO_FATAL_FAILURE(send_on_with(set->workers[0], 20));
    Bytes expected(20 + frame.size(), 0xaa);
    std::ranges::copy(frame, expected.begin() + 20);
    ASSERT_EQ(peer2.receive(patience), expected);
  }
}

TEST_F(AfXdpTest, AFrameThatTheInterfaceRefusesToSendComesBack) {
  network_->wire("dir", "peer");
  network_->wire("dir2", "peer2");
  auto set = open({.interfaces = {{.name = "dir"}, {.name = "dir2"}}, .ring_size = 64});
  ASSERT_TRUE(set) << set.error().text();
  auto& worker = set->workers[0];
  RawSocket peer("peer"), peer2("peer2");
  const auto largest = PacketBuilder().from(client).to(service).payload(1472).udp();
  for (int i = 0; i < 300; ++i) {  // over the MTU, and more than the rings hold
    ASSERT_TRUE(peer.send(largest));
    ASSERT_NO_FATAL_FAILURE(send_on_with(worker, 20));
    Frame none;
    ASSERT_EQ(worker.ports[0]->receive({&none, 1}), 0u);
  }
  EXPECT_EQ(peer2.receive(silence), std::nullopt);
  ASSERT_TRUE(peer.send(largest));
  ASSERT_NO_FATAL_FAILURE(send_on_with(worker, 0));
  EXPECT_EQ(peer2.receive(patience), largest);
}

/// What each worker of the echo test does with a packet depends on its number.
enum class Way { send_here, send_there, copy_there };

constexpr std::size_t number_offset = 14 + 20 + 8;

std::uint32_t number_of(const std::uint8_t* frame) { return net::load<std::uint32_t>(frame + number_offset); }

class EchoWorker {
 public:
  EchoWorker(WorkerPorts& own, Ring<Frame>& in, Ring<Frame>& out) : own_(own), in_(in), out_(out) {}

  void run(const std::atomic<bool>& stop) {
    std::array<Frame, burst_max> frames;
    while (!stop.load(std::memory_order_relaxed)) {
      const auto received = own_.ports[0]->receive(frames);
      for (const Frame& frame : std::span(frames).first(received)) {
        ++received_;
        if (Way(number_of(frame.data) % 3) == Way::send_here) {
          send(frame);
        } else {
          // Here or nowhere: the ring is as large as what is under way.
          EXPECT_TRUE(out_.push(frame));
        }
      }
      const auto crossed = in_.pop(frames);
      for (const Frame& frame : std::span(frames).first(crossed)) {
        if (Way(number_of(frame.data) % 3) == Way::send_there) send(frame);
        if (Way(number_of(frame.data) % 3) == Way::copy_there) send_copy(frame);
      }
      own_.ports[0]->flush();
      if (received + crossed == 0) readable(*own_.ports[0], 1ms);
    }
  }
  [[nodiscard]] std::size_t received() const { return received_; }

 private:
  void send(const Frame& frame) {
    net::EthernetHeader header = net::load<net::EthernetHeader>(frame.data);
    std::swap(header.source, header.destination);
    net::store(frame.data, header);
    EXPECT_EQ(own_.ports[0]->transmit({&frame, 1}), 1u);
  }
  void send_copy(const Frame& frame) {
    Frame copy;
    ASSERT_EQ(own_.pool->allocate({&copy, 1}), 1u);
    std::memcpy(copy.data, frame.data, frame.length);
    copy.length = frame.length;
    own_.pool->release({&frame, 1});
    send(copy);
  }

  WorkerPorts& own_;
  Ring<Frame>& in_;
  Ring<Frame>& out_;
  std::size_t received_ = 0;
};

TEST_F(AfXdpTest, TenThousandFramesEchoOverTwoQueuesAndTwoWorkersWithoutALoss) {
  constexpr std::uint32_t packets = 10'000;
  constexpr std::uint32_t window = 256;
  network_->wire("dir", "peer", 2);
  auto set = open({.interfaces = {{.name = "dir"}}, .workers = 2, .ring_size = 512});
  ASSERT_TRUE(set) << set.error().text();
  std::vector<std::size_t> frames_at_start;
  const auto held = [](WorkerPorts& worker) {
    return static_cast<UmemPool&>(*worker.pool).available() +
           static_cast<const AfXdpPort&>(*worker.ports[0]).frames_lent();
  };
  for (auto& worker : set->workers) frames_at_start.push_back(held(worker));

  std::array<Ring<Frame>, 2> rings{Ring<Frame>(window), Ring<Frame>(window)};
  EchoWorker first(set->workers[0], rings[0], rings[1]), second(set->workers[1], rings[1], rings[0]);
  std::atomic<bool> stop = false;
  std::thread first_thread([&] { first.run(stop); }), second_thread([&] { second.run(stop); });

  RawSocket peer("peer");
  std::vector<int> seen(packets);
  std::uint32_t sent = 0;
  std::uint32_t back = 0;
  while (back < packets) {
    for (; sent < packets && sent - back < window; ++sent) {
      auto frame = PacketBuilder().from("10.0.1.1", static_cast<std::uint16_t>(sent)).to(service).payload(64).udp();
      net::store(frame.data() + number_offset, sent);
      if (!peer.send(frame)) break;
    }
    const auto echo = peer.receive(patience);
    if (!echo) break;
    ASSERT_LT(number_of(echo->data()), packets);
    ++seen[number_of(echo->data())];
    ++back;
  }
  stop = true;
  first_thread.join();
  second_thread.join();
  EXPECT_EQ(std::ranges::count(seen, 1), packets) << sent << " sent, " << back << " came back";
  EXPECT_EQ(first.received() + second.received(), packets);
  EXPECT_GT(first.received(), packets / 4) << "the wire didn't use both queues";
  EXPECT_GT(second.received(), packets / 4) << "the wire didn't use both queues";

  // At rest every frame is at home, or lent to the kernel by its home's own sockets for receiving.
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (std::size_t w = 0; w < 2;) {
    std::array<Frame, 1> none;
    for (auto& worker : set->workers) EXPECT_EQ(worker.ports[0]->receive(none), 0u);
    if (held(set->workers[w]) == frames_at_start[w]) {
      ++w;
    } else {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline)
          << "worker " << w << " has " << held(set->workers[w]) << " of " << frames_at_start[w];
      std::this_thread::sleep_for(1ms);
    }
  }
  for (auto& worker : set->workers) EXPECT_EQ(worker.ports[0]->lost(), 0u);
}

TEST_F(AfXdpTest, AFullTransmitRingTakesNoMoreThanItHoldsAndLosesNothing) {
  network_->wire("dir", "peer");
  auto set = open({.interfaces = {{.name = "dir"}}, .ring_size = 64});
  ASSERT_TRUE(set) << set.error().text();
  auto& worker = set->workers.at(0);
  network_->run("ip link set dev dir down");
  const auto available = [&] { return static_cast<UmemPool&>(*worker.pool).available(); };
  const auto at_start = available();
  std::vector<Frame> frames(200);
  ASSERT_EQ(worker.pool->allocate(frames), 200u);
  const auto packet = PacketBuilder().from(client).to(service).udp();
  for (Frame& frame : frames) {
    std::ranges::copy(packet, frame.data);
    frame.length = static_cast<std::uint16_t>(packet.size());
  }
  std::size_t taken = 0;
  for (std::size_t at = 0; at < frames.size(); at += 50) {
    const auto part = std::span(frames).subspan(at, 50);
    const auto sent = worker.ports[0]->transmit(part);
    worker.ports[0]->flush();
    worker.pool->release(part.subspan(sent));
    taken += sent;
  }
  EXPECT_EQ(taken, 64u);

  network_->run("ip link set dev dir up");
  RawSocket peer("peer");
  worker.ports[0]->flush();
  for (std::size_t i = 0; i < taken; ++i) ASSERT_EQ(peer.receive(patience), packet) << i;
  Frame none;
  for (int i = 0; i < 1000 && available() < at_start; ++i) {
    worker.ports[0]->receive({&none, 1});
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(available(), at_start);
}

TEST_F(AfXdpTest, LargeMtusGetLargeFramesOrAClearError) {
  network_->wire("dir", "peer");
  network_->run("ip link set dev dir mtu 3000");
  {
    const auto set = open({.interfaces = {{.name = "dir"}}, .ring_size = 64});
    ASSERT_TRUE(set) << set.error().text();
    EXPECT_NE(said_.find("frames of 4096 bytes"), std::string::npos) << said_;
  }
  steer_->detach("dir");
  network_->run("ip link set dev dir mtu 9000");
  expect_error({.interfaces = {{.name = "dir"}}},
               "dir: its MTU of 9000 is too large for AF_XDP, which takes up to 3822");
}

TEST_F(AfXdpTest, WhatCannotBeGetsAnErrorThatSaysWhatToDo) {
  network_->wire("dir", "peer");
  expect_error({}, "no interface to run on");
  expect_error({.interfaces = {{.name = "nosuch0"}}}, "nosuch0: there is no such interface");
  expect_error({.interfaces = {{.name = "dir", .queues = 2}}}, "2 queues are wanted, the interface has 1");
  expect_error({.interfaces = {{.name = "dir"}}, .ring_size = 100}, "must be a power of two from 64 to 16384");
  expect_error({.interfaces = {{.name = "dir"}}, .frames_per_worker = 100}, "100 frames per worker are too few");
  expect_error({.interfaces = {{.name = "dir"}}, .frames_per_worker = std::size_t{1} << 31}, "use fewer queues");
  expect_error({.interfaces = {{.name = "dir"}}, .mode = AfXdpMode::zero_copy}, "no zero-copy AF_XDP");
  // And after all that a good one.
  EXPECT_TRUE(open({.interfaces = {{.name = "dir"}}}));
}

TEST_F(AfXdpTest, AQueueThatSomebodyElseHasIsAnError) {
  network_->wire("dir", "peer");
  const auto first = open({.interfaces = {{.name = "dir"}}});
  ASSERT_TRUE(first);
  expect_error({.interfaces = {{.name = "dir"}}}, "another program has an AF_XDP socket on this queue");
}

TEST_F(AfXdpTest, FewerQueuesThanThereAreIsAWarning) {
  network_->wire("dir", "peer", 2);
  EXPECT_TRUE(open({.interfaces = {{.name = "dir", .queues = 1}}}));
  EXPECT_NE(said_.find("ethtool -X dir equal 1"), std::string::npos) << said_;
}

TEST_F(AfXdpTest, OpeningAgainRightAfterClosingWorks) {
  network_->wire("dir", "peer", 2);
  for (int i = 0; i < 5; ++i) {
    const auto set = open({.interfaces = {{.name = "dir"}}, .workers = 2, .ring_size = 64});
    ASSERT_TRUE(set) << set.error().text();
  }
}

}  // namespace
}  // namespace sluice::dataplane
