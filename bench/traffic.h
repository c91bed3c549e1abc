// Packets out of thin air for benches: 64-byte TCP packets of any number of flows, in an order that looks random, made
// by arithmetic alone, so that making them touches no memory but the frame. Both the engine and the probe get them.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "dataplane/port/port.h"
#include "net/address.h"
#include "net/headers.h"

namespace sluice::bench {

/// Which way a generated packet goes.
enum class Side : std::uint8_t { client, server };

class Traffic {
 public:
  static constexpr std::uint32_t flows_max = 1u << 29;

  /// flows: up to flows_max. server: the real server's endpoint, source of the packets of Side::server.
  Traffic(std::uint32_t flows, Side side, net::Endpoint virtual_endpoint, net::Endpoint server, std::uint8_t tcp_flags);

  /// From here on one flow after the other, from `first` on; otherwise in an order that looks random.
  void in_order_from(std::uint32_t first) {
    in_order_ = true;
    flow_ = first;
  }
  /// From here on these flows, over and over. A power of two of them; they outlive the traffic.
  void follow(std::span<const std::uint32_t> flows) { followed_ = flows; }

  /// Writes the next packet.
  void next(dataplane::Frame& frame) {
    if (!followed_.empty()) return write(frame, followed_[flow_++ & (followed_.size() - 1)]);
    if (in_order_) return write(frame, flow_++);
    // Full period modulo a power of two (Hull-Dobell), brought down to the number of flows: every flow once per round,
    // or twice.
    flow_ = (flow_ * 1664525u + 1013904223u) & mask_;
    write(frame, std::uint32_t((std::uint64_t{flow_} * flows_) >> bits_));
  }
  void write(dataplane::Frame& frame, std::uint32_t flow) const;

  /// The client of a flow: 10.128.0.0/9 and a port.
  static net::Endpoint client(std::uint32_t flow) {
    return {net::Ipv4Addr::from_host(0x0a800000u | (flow & 0x7fffffu)),
            net::L4Port::of(std::uint16_t(1024 + (flow >> 23)))};
  }

 private:
  static constexpr std::size_t length = 64;

  std::array<std::uint8_t, length> template_{};
  std::uint32_t flows_;
  unsigned bits_;
  std::uint32_t mask_;
  std::uint32_t flow_ = 0;
  bool in_order_ = false;
  std::span<const std::uint32_t> followed_;
  std::uint32_t base_sum_;  // of the IPv4 header without the client's address
  std::size_t client_address_;
  std::size_t client_port_;
};

/// A port that receives generated packets and swallows what is sent. Frames come from one small pool, as a NIC's would
/// that is served as fast as it fills.
class TrafficPort final : public dataplane::Port, public dataplane::FramePool {
 public:
  TrafficPort(dataplane::PortId id, std::size_t frames);

  /// Receives from this traffic from now on; null: nothing comes.
  void play(Traffic* traffic) { traffic_ = traffic; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

  std::size_t receive(std::span<dataplane::Frame> frames) override;
  std::size_t transmit(std::span<const dataplane::Frame> frames) override;
  void flush() override {}
  [[nodiscard]] int wait_fd() const override { return -1; }
  [[nodiscard]] dataplane::PortStatus status() const override { return {"traffic", "memory", 0}; }

  std::size_t allocate(std::span<dataplane::Frame> frames) override;
  void release(std::span<const dataplane::Frame> frames) override;

 private:
  static constexpr std::size_t frame_size = 2048;
  static constexpr std::size_t headroom = 256;

  dataplane::PortId id_;
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint64_t> free_;
  Traffic* traffic_ = nullptr;
  std::uint64_t sent_ = 0;
};

}  // namespace sluice::bench
