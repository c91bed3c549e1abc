// The loader of bpf/steer.bpf.c: puts the program on interfaces and keeps its maps equal to what the engine serves.
// It knows nothing of sockets but their descriptor, and nothing of configuration: control says what is a service, a
// NAT destination, a local address; port/af_xdp.cc registers the sockets.
//
// Order matters at start: fill the maps first, then attach (open_af_xdp() does). A program that a crashed director left
// behind keeps dropping what is for VIPs until ours takes its place, so no client sees a RST in between.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/classify/rule.h"
#include "dataplane/port/log.h"
#include "net/address.h"
#include "net/error.h"

struct bpf_object;

namespace sluice::dataplane {

enum class XdpMode : std::uint8_t {
  native,   ///< in the driver, before the kernel has built an skb
  generic,  ///< in the network stack: any driver, slower
};

/// Sums over all CPUs since load(). Each packet seen is in exactly one.
struct SteerCounters {
  std::uint64_t steered = 0;
  std::uint64_t passed = 0;
  std::uint64_t dropped_no_engine = 0;

  bool operator==(const SteerCounters&) const = default;
};

/// Control thread only. Errors name what to do about them.
class Steer {
 public:
  /// Loads program and maps into the kernel; touches no interface. Fails without AF_XDP in the kernel or without
  /// the capabilities (CAP_NET_ADMIN, CAP_BPF, CAP_NET_RAW).
  static Result<std::unique_ptr<Steer>> load(Log log = {});
  /// A clean stop: detaches from every interface. (A crash doesn't get here: the program stays and drops.)
  ~Steer();
  Steer(const Steer&) = delete;
  Steer& operator=(const Steer&) = delete;

  /// Services and local addresses are sets: adding twice is adding once, removing what isn't there does nothing.
  /// An address is a VIP, whose fragments and ICMP errors are steered too, while it has a service.
  Result<> add_service(net::Protocol protocol, net::Endpoint endpoint);
  void remove_service(net::Protocol protocol, net::Endpoint endpoint);
  Result<> add_local_address(net::Ipv4Addr address);
  void remove_local_address(net::Ipv4Addr address);
  /// A destination MAC that is this host's; only such frames are steered. attach() adds the interface's own.
  Result<> add_mac(net::MacAddr mac);
  void remove_mac(net::MacAddr mac);
  /// Packets that one of these rules may match are steered from now on, and those of the rules set before, but not of
  /// these, no more. Of more than 16 rules for one address the conditions other than the destination are forgotten: the
  /// engine gets more than it needs and gives it to the host.
  Result<> set_classify(std::span<const ClassifyRule> rules);
  /// Counted: several services may share a real server; its replies are steered until it was removed as often. Port 0:
  /// replies from any port.
  Result<> add_nat_destination(net::Protocol protocol, net::Endpoint endpoint);
  void remove_nat_destination(net::Protocol protocol, net::Endpoint endpoint);

  /// Attaches to an interface of this network namespace, in exactly this mode. A steering program that is already
  /// there, left behind by a crash, is replaced (without a gap, if the mode is the same); any other program is an
  /// error.
  Result<> attach(const std::string& interface, XdpMode mode);
  void detach(const std::string& interface);

  /// Packets of this queue go to the AF_XDP socket `fd` from now on, until the socket is closed.
  /// The interface is attached; queue < queues_max.
  Result<> register_socket(const std::string& interface, unsigned queue, int fd);

  [[nodiscard]] SteerCounters counters() const;
  /// For tests that run the program on made-up packets (BPF_PROG_TEST_RUN).
  [[nodiscard]] int program_fd() const { return program_fd_; }

  static constexpr unsigned queues_max = 64;

 private:
  struct Attachment {
    int ifindex;
    std::uint32_t slot;
    XdpMode mode;
  };

  explicit Steer(Log log) : log_(std::move(log)) {}
  Result<> load_object();
  [[nodiscard]] int map_fd(const char* name) const;
  Result<> replace_or_attach(const std::string& interface, int ifindex, XdpMode mode);
  Result<std::uint32_t> take_slot(const std::string& interface, int ifindex);
  void detach(const Attachment& attachment);
  void set_features() const;

  Log log_;
  bpf_object* object_ = nullptr;
  int program_fd_ = -1;
  int xsks_fd_ = -1;
  int interfaces_fd_ = -1;
  int services_fd_ = -1;
  int vips_fd_ = -1;
  int nat_destinations_fd_ = -1;
  int classified_fd_ = -1;
  int features_fd_ = -1;
  int local_addresses_fd_ = -1;
  int macs_fd_ = -1;
  int counters_fd_ = -1;

  std::map<std::string, Attachment> attachments_;
  std::map<net::Ipv4Addr, std::uint32_t> services_of_vip_;
  std::map<std::pair<net::Endpoint, net::Protocol>, std::uint32_t> nat_destination_users_;
  std::size_t nat_destinations_without_port_ = 0;
  std::map<Ipv4Prefix, std::vector<ClassifyRule>> classified_;  // what the kernel has: rules that cover the prefix
};

}  // namespace sluice::dataplane
