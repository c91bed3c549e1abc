#include "dataplane/port/af_xdp.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "dataplane/port/af_xdp_port.h"
#include "dataplane/port/link.h"
#include "dataplane/port/umem.h"
#include "dataplane/port/xsk.h"

namespace sluice::dataplane {

namespace {

constexpr unsigned ring_size_min = 64;
constexpr unsigned ring_size_max = 16384;
/// Ethernet header and one VLAN tag.
constexpr std::size_t layer2_max = 18;
/// The kernel takes frames of up to a page.
constexpr std::size_t frame_size_small = 2048;
constexpr std::size_t frame_size_large = 4096;
/// Frames that a worker has in hand at once, beside those in rings: bursts received, made, and crossing to others.
constexpr std::size_t frames_in_hand = 16 * burst_max;

struct Interface {
  InterfaceChoice choice;
  unsigned mtu = 0;
  XdpMode attached = XdpMode::native;
};

/// Everything that is decided before the kernel is asked for anything.
struct Plan {
  std::vector<Interface> interfaces;
  UmemGeometry geometry;
  unsigned ring_size = 0;
};

void say(const Log& log, LogLevel level, const std::string& line) {
  if (log) log(level, line);
}

Result<Interface> inspect(const InterfaceRequest& request, const Log& log) {
  const auto link = link_info(request.name);
  if (!link) return std::unexpected(link.error());
  const unsigned queues = request.queues == 0 ? link->queues : request.queues;
  if (queues > link->queues) {
    return fail(request.name, fmt::format("{} queues are wanted, the interface has {}: ask for fewer, or raise them "
                                          "with: ethtool -L {} combined {}",
                                          queues, link->queues, request.name, queues));
  }
  if (queues > Steer::queues_max) {
    return fail(request.name, fmt::format("{} queues are more than the {} that can be steered: reduce them with: "
                                          "ethtool -L {} combined {}",
                                          queues, Steer::queues_max, request.name, Steer::queues_max));
  }
  if (queues < link->queues) {
    say(log, LogLevel::warning,
        fmt::format("{}: {} of {} queues are served; packets for virtual servers that arrive on the others are "
                    "dropped, unless the card spreads over the first ones only: ethtool -X {} equal {}",
                    request.name, queues, link->queues, request.name, queues));
  }
  return Interface{.choice = {.name = request.name, .ifindex = link->index, .queues = queues}, .mtu = link->mtu};
}

Result<std::size_t> frame_size_for(const std::vector<Interface>& interfaces) {
  std::size_t size = frame_size_small;
  for (const auto& interface : interfaces) {
    const std::size_t needed = frame_headroom + layer2_max + interface.mtu;
    if (needed > frame_size_large) {
      return fail(interface.choice.name,
                  fmt::format("its MTU of {} is too large for AF_XDP, which takes up to {}: ip link set dev {} mtu {}",
                              interface.mtu, frame_size_large - frame_headroom - layer2_max, interface.choice.name,
                              frame_size_large - frame_headroom - layer2_max));
    }
    if (needed > size) size = frame_size_large;
  }
  return size;
}

unsigned worker_count(const AfXdpConfig& config, const std::vector<Interface>& interfaces, const Log& log) {
  const auto fewest = std::ranges::min_element(interfaces, {}, [](const auto& i) { return i.choice.queues; });
  const unsigned queues = fewest->choice.queues;
  if (config.workers > queues) {
    say(log, LogLevel::warning,
        fmt::format("{} workers are wanted, but {} has {} queue(s), and each worker needs one on each interface: "
                    "{} worker(s) start",
                    config.workers, fewest->choice.name, queues, queues));
  }
  const unsigned wanted = config.workers != 0 ? config.workers : std::max(1u, config.cores);
  return std::min(wanted, queues);
}

/// Queues of an interface that worker w serves: w, w + workers, ...
unsigned queues_of(unsigned queues, unsigned worker, unsigned workers) {
  return (queues - worker + workers - 1) / workers;
}

Result<Plan> plan(const AfXdpConfig& config, const Log& log) {
  if (config.interfaces.empty()) return fail("AF_XDP", "no interface to run on: name one in dataplane { }");
  if (config.interfaces.size() >= ports_max) {
    return fail("AF_XDP", fmt::format("{} interfaces are too many: an engine takes up to {}", config.interfaces.size(),
                                      ports_max - 1));
  }
  if (!std::has_single_bit(config.ring_size) || config.ring_size < ring_size_min || config.ring_size > ring_size_max) {
    return fail("AF_XDP", fmt::format("a ring of {} isn't possible: it must be a power of two from {} to {}",
                                      config.ring_size, ring_size_min, ring_size_max));
  }
  Plan made;
  made.ring_size = config.ring_size;
  for (const auto& request : config.interfaces) {
    auto interface = inspect(request, log);
    if (!interface) return std::unexpected(interface.error());
    made.interfaces.push_back(std::move(*interface));
  }
  const auto frame_size = frame_size_for(made.interfaces);
  if (!frame_size) return std::unexpected(frame_size.error());
  const unsigned workers = worker_count(config, made.interfaces, log);

  // Worker 0 has the most queues. Each is lent two rings of frames; each interface may have one ring full to send.
  std::size_t needed = frames_in_hand;
  for (const auto& interface : made.interfaces) {
    needed += std::size_t{2} * made.ring_size * queues_of(interface.choice.queues, 0, workers) + made.ring_size;
  }
  if (config.frames_per_worker != 0 && config.frames_per_worker < needed) {
    return fail("AF_XDP", fmt::format("{} frames per worker are too few: rings of {} on these queues need {}",
                                      config.frames_per_worker, made.ring_size, needed));
  }
  made.geometry = {
      .workers = workers, .frames_per_worker = std::max(config.frames_per_worker, needed), .frame_size = *frame_size};
  return made;
}

Result<> attach(Interface& interface, AfXdpMode mode, Steer& steer, const Log& log) {
  const auto& name = interface.choice.name;
  if (mode != AfXdpMode::generic) {
    interface.attached = XdpMode::native;
    auto attached = steer.attach(name, XdpMode::native);
    if (attached || mode != AfXdpMode::automatic) return attached;
    say(log, LogLevel::info, fmt::format("{}; trying generic XDP", attached.error().text()));
  }
  interface.attached = XdpMode::generic;
  return steer.attach(name, XdpMode::generic);
}

/// Binds every queue and deals them out. zero_copy: true makes it fail where a driver can't.
Result<std::vector<WorkerPorts>> open_queues(const Plan& plan, const std::shared_ptr<Umem>& memory, bool zero_copy) {
  auto umem = XskUmem::create(memory, plan.ring_size);
  if (!umem) return std::unexpected(umem.error());
  const auto workers = static_cast<unsigned>(plan.geometry.workers);
  std::vector<WorkerPorts> made;
  for (unsigned w = 0; w < workers; ++w) {
    auto pool = std::make_unique<UmemPool>(memory, WorkerId(w));
    std::vector<std::unique_ptr<Port>> ports;
    for (const auto& interface : plan.interfaces) {
      std::vector<std::unique_ptr<XskSocket>> sockets;
      for (unsigned queue = w; queue < interface.choice.queues; queue += workers) {
        auto socket = XskSocket::open(
            *umem,
            {.interface = interface.choice.name, .queue = queue, .transmits = sockets.empty(), .zero_copy = zero_copy});
        if (!socket) return std::unexpected(socket.error());
        sockets.push_back(std::move(*socket));
      }
      PortStatus status{.interface = interface.choice.name, .mode = "af_xdp " + to_string(interface.choice.mode)};
      auto port = AfXdpPort::create(PortId(ports.size()), std::move(status), *pool, std::move(sockets));
      if (!port) return std::unexpected(port.error());
      ports.push_back(std::move(*port));
    }
    made.push_back({.pool = std::move(pool), .ports = std::move(ports)});
  }
  return made;
}

/// Zero-copy if every interface is native and can; else, unless it was demanded, copying.
Result<std::vector<WorkerPorts>> open_queues_best(Plan& plan, const std::shared_ptr<Umem>& memory, AfXdpMode mode,
                                                  const Log& log) {
  const auto is_native = [](const Interface& interface) { return interface.attached == XdpMode::native; };
  const bool may_copy = mode != AfXdpMode::zero_copy;
  if (mode == AfXdpMode::zero_copy ||
      (mode == AfXdpMode::automatic && std::ranges::all_of(plan.interfaces, is_native))) {
    for (auto& interface : plan.interfaces) interface.choice.mode = AfXdpMode::zero_copy;
    auto opened = open_queues(plan, memory, true);
    if (opened || !may_copy) return opened;
    say(log, LogLevel::info, fmt::format("{}; packets will be copied", opened.error().text()));
  }
  for (auto& interface : plan.interfaces) {
    interface.choice.mode = is_native(interface) ? AfXdpMode::native_copy : AfXdpMode::generic;
  }
  return open_queues(plan, memory, false);
}

}  // namespace

std::string to_string(AfXdpMode mode) {
  switch (mode) {
    case AfXdpMode::automatic: return "automatic";
    case AfXdpMode::zero_copy: return "zero-copy";
    case AfXdpMode::native_copy: return "native copy";
    case AfXdpMode::generic: return "generic";
  }
  return "unknown";
}

Result<AfXdpSet> open_af_xdp(const AfXdpConfig& config, Steer& steer, const Log& log) {
  auto made = plan(config, log);
  if (!made) return std::unexpected(made.error());
  const auto memory = Umem::create(made->geometry);
  if (!memory) return std::unexpected(memory.error());

  // Before the sockets, as some drivers set up their zero-copy queues only where a program is attached.
  for (auto& interface : made->interfaces) {
    if (auto attached = attach(interface, config.mode, steer, log); !attached) return std::unexpected(attached.error());
  }
  auto workers = open_queues_best(*made, *memory, config.mode, log);
  if (!workers) return std::unexpected(workers.error());

  AfXdpSet set{.workers = std::move(*workers), .interfaces = {}};
  for (std::size_t port = 0; port < made->interfaces.size(); ++port) {
    const auto& choice = made->interfaces[port].choice;
    for (const auto& worker : set.workers) {
      // open_queues() has put an AfXdpPort there.
      const auto& sockets = static_cast<const AfXdpPort&>(*worker.ports[port]).sockets();
      for (const auto& socket : sockets) {
        if (auto known = steer.register_socket(choice.name, socket->queue(), socket->fd()); !known) {
          return std::unexpected(known.error());
        }
      }
    }
    say(log, LogLevel::info,
        fmt::format("{}: AF_XDP {}, {} queue(s), {} worker(s), frames of {} bytes", choice.name, to_string(choice.mode),
                    choice.queues, set.workers.size(), made->geometry.frame_size));
    set.interfaces.push_back(choice);
  }
  return set;
}

}  // namespace sluice::dataplane
