#include "dataplane/port/private_network.h"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace sluice::dataplane::testing {

namespace {

constexpr std::uint16_t every_protocol = 0x0300;  // htons(ETH_P_ALL)

}  // namespace

std::string PrivateNetwork::why_not() {
  if (geteuid() != 0) return "needs root, for network namespaces and AF_XDP";
  const int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return "this kernel has no AF_XDP";
  close(fd);
  if (system("command -v ip ethtool >/dev/null") != 0) return "needs the commands ip and ethtool";
  return {};
}

PrivateNetwork::PrivateNetwork() {
  if (unshare(CLONE_NEWNET) != 0) throw std::runtime_error("no network namespace of our own");
  run("ip link set dev lo up");
}

void PrivateNetwork::wire(const std::string& a, const std::string& b, unsigned queues) {
  run(
      fmt::format("ip link add {0} numrxqueues {2} numtxqueues {2} type veth peer name {1} numrxqueues {2} "
                  "numtxqueues {2}",
                  a, b, queues));
  for (const auto& end : {a, b}) {
    run(fmt::format("sysctl -qw net.ipv6.conf.{}.disable_ipv6=1", end));
    run(fmt::format("ethtool -K {} tx off tso off gso off gro off >/dev/null", end));
    run(fmt::format("ip link set dev {} up", end));
  }
}

void PrivateNetwork::run(const std::string& command) {
  if (system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

std::string PrivateNetwork::output(const std::string& command) {
  std::string text;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  pclose(pipe);
  return text;
}

RawSocket::RawSocket(const std::string& interface) : fd_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = every_protocol;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no raw socket on " + interface);
  }
  const int buffer_bytes = 16 << 20;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
}

RawSocket::~RawSocket() { close(fd_); }

bool RawSocket::send(const Bytes& frame) { return ::send(fd_, frame.data(), frame.size(), 0) == ssize_t(frame.size()); }

std::optional<Bytes> RawSocket::receive(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, std::max(0, static_cast<int>(left.count()))) <= 0) return std::nullopt;
    Bytes frame(65536);
    sockaddr_ll from{};
    socklen_t from_length = sizeof from;
    const auto length = recvfrom(fd_, frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_length);
    if (length < 0 || from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.resize(static_cast<std::size_t>(length));
    return frame;
  }
}

}  // namespace sluice::dataplane::testing
