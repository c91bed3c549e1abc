#include "dataplane/port/link.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice::dataplane {

namespace {

/// Drivers without ethtool channels: what sysfs shows, if it shows this namespace's interface (it is mounted once, and
/// a thread may have moved on to another namespace).
unsigned queues_in_sysfs(const std::string& name, int index) {
  const std::filesystem::path device = "/sys/class/net/" + name;
  int index_there = 0;
  if (!(std::ifstream(device / "ifindex") >> index_there) || index_there != index) return 1;
  std::error_code ignored;
  unsigned receive = 0;
  unsigned transmit = 0;
  for (const auto& entry : std::filesystem::directory_iterator(device / "queues", ignored)) {
    const auto queue = entry.path().filename().string();
    receive += queue.starts_with("rx-");
    transmit += queue.starts_with("tx-");
  }
  return std::max(1u, std::min(receive, transmit));
}

}  // namespace

Result<LinkInfo> link_info(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return fail(name, "is not a name of an interface");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(name, std::string("no socket to ask about the interface: ") + std::strerror(errno));

  LinkInfo info;
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  if (ioctl(fd, SIOCGIFINDEX, &request) != 0) {
    close(fd);
    return fail(name, "there is no such interface: check its name with: ip -br link");
  }
  info.index = request.ifr_ifindex;
  if (ioctl(fd, SIOCGIFMTU, &request) == 0) info.mtu = static_cast<unsigned>(request.ifr_mtu);

  if (ioctl(fd, SIOCGIFHWADDR, &request) == 0) {
    std::memcpy(info.mac.bytes.data(), request.ifr_hwaddr.sa_data, info.mac.bytes.size());
  }

  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  request.ifr_data = reinterpret_cast<char*>(&channels);
  if (ioctl(fd, SIOCETHTOOL, &request) == 0) {
    info.queues = std::max(1u, channels.combined_count + std::min(channels.rx_count, channels.tx_count));
  } else {
    info.queues = queues_in_sysfs(name, info.index);
  }
  close(fd);
  return info;
}

}  // namespace sluice::dataplane
