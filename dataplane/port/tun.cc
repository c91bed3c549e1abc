#include "dataplane/port/tun.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/headers.h"

namespace sluice::dataplane {

namespace {

constexpr std::size_t ethernet_length = sizeof(net::EthernetHeader);
constexpr auto no_permission = "no permission to make it: run as root, or with CAP_NET_ADMIN";

Result<int> open_queue() {
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  // Where no udev ran, the node is its owner's alone (0600): the same cause as EPERM below, met one call earlier.
  if (fd < 0 && errno == EACCES) return fail(tun_name, no_permission);
  if (fd < 0) {
    return fail("/dev/net/tun", fmt::format("{}: real servers on this host can't be reached without it (modprobe tun; "
                                            "in a container: pass the device in)",
                                            std::strerror(errno)));
  }
  ifreq request{};
  std::strcpy(request.ifr_name, tun_name);
  request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE;
  if (ioctl(fd, TUNSETIFF, &request) == 0) return fd;
  const int error = errno;
  close(fd);
  if (error == EPERM) return fail(tun_name, no_permission);
  if (error == EBUSY || error == EINVAL) {
    return fail(tun_name, fmt::format("is there already and isn't ours (another engine in this network namespace?): {}",
                                      std::strerror(error)));
  }
  return fail(tun_name, fmt::format("the TUN device can't be made: {}", std::strerror(error)));
}

net::Be16 ether_type_of(std::uint8_t first_byte) {
  return (first_byte >> 4) == 6 ? net::ether_type_ipv6 : net::ether_type_ipv4;
}

/// Where the IP packet begins in an Ethernet frame; 0: there is none.
std::size_t ip_offset(const Frame& frame) {
  if (frame.length < ethernet_length) return 0;
  auto ether_type = net::load<net::EthernetHeader>(frame.data).ether_type;
  std::size_t offset = ethernet_length;
  if (ether_type == net::ether_type_vlan) {
    if (frame.length < offset + sizeof(net::VlanTag)) return 0;
    ether_type = net::load<net::VlanTag>(frame.data + offset).ether_type;
    offset += sizeof(net::VlanTag);
  }
  return ether_type == net::ether_type_ipv4 || ether_type == net::ether_type_ipv6 ? offset : 0;
}

}  // namespace

TunPort::~TunPort() { close(fd_); }

std::size_t TunPort::receive(std::span<Frame> frames) {
  std::size_t received = 0;
  while (received < frames.size() && pool_.allocate(frames.subspan(received, 1)) == 1) {
    Frame& frame = frames[received];
    const ssize_t length = read(fd_, frame.data + ethernet_length, std::size_t{frame.tailroom} - ethernet_length);
    if (length <= 0) {
      pool_.release({&frame, 1});
      break;
    }
    const net::EthernetHeader header{
        .destination = {}, .source = {}, .ether_type = ether_type_of(frame.data[ethernet_length])};
    net::store(frame.data, header);
    frame.length = static_cast<std::uint16_t>(ethernet_length + static_cast<std::size_t>(length));
    frame.tailroom = static_cast<std::uint16_t>(frame.tailroom - frame.length);
    frame.port = id_;
    ++received;
  }
  return received;
}

std::size_t TunPort::transmit(std::span<const Frame> frames) {
  std::uint64_t refused = 0;
  for (const Frame& frame : frames) refused += !write_packet(frame);
  if (refused > 0) lost_.fetch_add(refused, std::memory_order_relaxed);
  pool_.release(frames);
  return frames.size();
}

bool TunPort::write_packet(const Frame& frame) const {
  const std::size_t offset = ip_offset(frame);
  if (offset == 0) return false;
  const std::size_t length = frame.length - offset;
  return write(fd_, frame.data + offset, length) == static_cast<ssize_t>(length);
}

Result<std::vector<std::unique_ptr<Port>>> open_tun(PortId id, std::span<FramePool* const> pools) {
  std::vector<std::unique_ptr<TunPort>> queues;
  for (FramePool* pool : pools) {
    const auto fd = open_queue();
    if (!fd) return std::unexpected(fd.error());
    queues.emplace_back(new TunPort(id, static_cast<std::uint32_t>(queues.size()), *fd, *pool));
  }
  auto routing = TunRouting::set_up(tun_name);
  if (!routing) return std::unexpected(routing.error());
  const std::shared_ptr<TunRouting> shared(std::move(*routing));

  std::vector<std::unique_ptr<Port>> ports;
  for (auto& queue : queues) {
    queue->routing_ = shared;
    ports.push_back(std::move(queue));
  }
  return ports;
}

}  // namespace sluice::dataplane
