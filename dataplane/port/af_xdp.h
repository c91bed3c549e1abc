// Opens the engine's interfaces over AF_XDP: how many workers, which queues belong to whom, how much memory, and which
// mode the drivers allow. What it returns is handed to the workers, one WorkerPorts each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/log.h"
#include "dataplane/port/port.h"
#include "dataplane/port/steer.h"
#include "net/error.h"

namespace sluice::dataplane {

enum class AfXdpMode : std::uint8_t {
  automatic,    ///< the best that all interfaces allow
  zero_copy,    ///< the driver writes into our frames; all interfaces or none, as they share one memory
  native_copy,  ///< steered in the driver, copied once
  generic,      ///< steered in the network stack, copied once: any driver
};

/// "zero-copy", "native copy", "generic".
[[nodiscard]] std::string to_string(AfXdpMode mode);

struct InterfaceRequest {
  std::string name;
  unsigned queues = 0;  ///< 0: all that it has. Fewer: the operator keeps packets off the others (ethtool -X)
};

struct AfXdpConfig {
  std::vector<InterfaceRequest> interfaces;  ///< in the order of PortId; at least one
  unsigned workers = 0;                      ///< 0: as many as cores and the interface with the fewest queues allow
  unsigned cores = 1;                        ///< cores that workers may have
  std::size_t frames_per_worker = 0;         ///< 0: what rings and bursts need
  unsigned ring_size = 2048;                 ///< descriptors per ring; a power of two, 64..16384
  AfXdpMode mode = AfXdpMode::automatic;
};

/// What was made of an InterfaceRequest.
struct InterfaceChoice {
  std::string name;
  int ifindex = 0;
  unsigned queues = 0;
  AfXdpMode mode = AfXdpMode::generic;
};

struct AfXdpSet {
  std::vector<WorkerPorts> workers;
  std::vector<InterfaceChoice> interfaces;
};

/// Attaches the steering program to each interface, then binds every queue: worker w gets those with
/// queue % workers == w. Never more workers than the interface with the fewest queues has, as each must be able to send
/// on each. What was chosen, and why nothing better, goes to the log.
/// The sockets are closed with the ports; the program stays attached (and drops what is for VIPs) until Steer goes.
/// After an error some interfaces may be attached: destroying `steer` clears them. Control thread.
[[nodiscard]] Result<AfXdpSet> open_af_xdp(const AfXdpConfig& config, Steer& steer, const Log& log);

}  // namespace sluice::dataplane
