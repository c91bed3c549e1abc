// A virtual service as a worker sees it: immutable, built by control, swapped in whole between two bursts.
// Which destinations there are and how they weigh is here; where a destination is and how to reach it is in
// table/destination.h; what the scheduler remembers is in sched/.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/ids.h"
#include "net/address.h"

namespace sluice::dataplane {

/// One line of a service's list, as schedulers walk it.
struct Candidate {
  DestinationId destination;
  std::uint32_t weight;  ///< 0: quiesced, no new connections
};

struct ServiceKey {
  net::Protocol protocol;
  net::Ipv4Addr address;
  net::L4Port port;
  std::uint32_t mark = 0;  ///< not 0: packets with this mark, whatever their protocol, address and port

  constexpr auto operator<=>(const ServiceKey&) const = default;
};

enum class SchedulerKind : std::uint8_t { rr, wrr, lc, wlc, sh, dh, lblc };

/// candidates: in LVS's list order, which decides ties and where rr starts: newest destination first.
struct Service {
  ServiceId id;
  ServiceKey key;
  SchedulerKind scheduler;
  bool sh_fallback = false;
  bool sh_port = false;
  bool has_nat = false;  ///< some destination is reached by NAT: replies come through the director
  std::vector<Candidate> candidates;
};

}  // namespace sluice::dataplane
