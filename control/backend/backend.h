// What a director can do to a table of virtual services. Health, quorum and reload drive this and don't know which
// implementation is behind it: the engine (user space), or kernel IPVS. Called on the control thread only.
// Specs are plain values, in the terms of LVS; order of add_destination is the order of LVS's list.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"

namespace sluice::control {

enum class ForwardingMethod : std::uint8_t { nat, direct, tunnel };

/// "Masq", "Route", "Tunnel": as ipvsadm prints them.
[[nodiscard]] std::string to_string(ForwardingMethod method);

/// What a service takes: packets to an address and port, or packets with a mark.
struct VirtualServiceKey {
  net::Protocol protocol = net::Protocol::tcp;
  net::IpAddr address;
  net::L4Port port{};
  /// Not 0: packets with this mark, whatever their protocol, address and port; only the address's family counts.
  std::uint32_t mark = 0;

  /// IPv4 unless said otherwise. Keys with a mark are made by this, so that equal ones compare equal.
  [[nodiscard]] static VirtualServiceKey of_mark(std::uint32_t mark, bool is_v6 = false);
  [[nodiscard]] bool has_mark() const { return mark != 0; }

  auto operator<=>(const VirtualServiceKey&) const = default;
  [[nodiscard]] std::string text() const;  ///< "TCP 10.0.0.1:80", "FWM 5", "FWM 5 IPv6"
};

struct VirtualServiceSpec {
  VirtualServiceKey key;
  std::string scheduler = "wlc";
  bool sh_fallback = false;
  bool sh_port = false;

  bool operator==(const VirtualServiceSpec&) const = default;
};

struct DestinationKey {
  net::IpAddr address;
  net::L4Port port{};

  auto operator<=>(const DestinationKey&) const = default;
  [[nodiscard]] std::string text() const;  ///< "10.0.2.11:80"
};

struct DestinationSpec {
  DestinationKey key;
  ForwardingMethod method = ForwardingMethod::nat;
  std::uint32_t weight = 1;
  std::uint32_t upper_threshold = 0;  ///< connections; 0 = none
  std::uint32_t lower_threshold = 0;

  bool operator==(const DestinationSpec&) const = default;
};

/// Since the destination or service was made; survives edits and reload. Bytes are layer-3 bytes (IPVS).
struct TrafficCounters {
  std::uint64_t connections = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t in_bytes = 0;
  std::uint64_t out_packets = 0;
  std::uint64_t out_bytes = 0;
};

struct DestinationStatus {
  DestinationSpec spec;
  std::uint32_t active = 0;
  std::uint32_t inactive = 0;
  TrafficCounters counters;
  std::string next_hop;  ///< "eth1 02:00:00:00:02:0b", "local", "unresolved: no route to host"; empty for IPVS
};

struct VirtualServiceStatus {
  VirtualServiceSpec spec;
  TrafficCounters counters;
  std::vector<DestinationStatus> destinations;  ///< in list order, newest first
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// Between begin() and the commit() that belongs to it, changes are gathered: packets see none of them or, but for
  /// the moment that it takes, all; and what many changes touch is built once. Everything else is as without: each call
  /// says at once whether the change is possible, services() shows it at once. They nest. See Batch.
  virtual void begin() {}
  virtual void commit() {}

  virtual Result<> add_service(const VirtualServiceSpec& spec) = 0;
  virtual Result<> change_service(const VirtualServiceSpec& spec) = 0;
  virtual Result<> remove_service(const VirtualServiceKey& key) = 0;

  virtual Result<> add_destination(const VirtualServiceKey& service, const DestinationSpec& spec) = 0;
  virtual Result<> change_destination(const VirtualServiceKey& service, const DestinationSpec& spec) = 0;
  virtual Result<> remove_destination(const VirtualServiceKey& service, const DestinationKey& key) = 0;

  [[nodiscard]] virtual std::vector<VirtualServiceStatus> services() const = 0;
  [[nodiscard]] virtual std::string name() const = 0;  ///< "engine", "ipvs"
};

/// A begin() that can't miss its commit().
class Batch {
 public:
  explicit Batch(Backend& backend) : backend_(backend) { backend_.begin(); }
  ~Batch() { backend_.commit(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  Backend& backend_;
};

}  // namespace sluice::control
