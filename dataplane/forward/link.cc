#include "dataplane/forward/link.h"

#include <cstddef>

#include "net/headers.h"

namespace sluice::dataplane {

// Field by field from where they lie: a header put together on the stack would be read back before its parts are there.
void write_link(Frame& frame, const Packet& packet, const NextHop& hop) {
  constexpr int ethernet = sizeof(net::EthernetHeader);
  constexpr int tag = sizeof(net::VlanTag);
  const int wanted = hop.vlan != 0 ? ethernet + tag : ethernet;
  if (const int grow = wanted - int{packet.l3}; grow != 0) extend_front(frame, grow);
  net::store(frame.data + offsetof(net::EthernetHeader, destination), hop.destination);
  net::store(frame.data + offsetof(net::EthernetHeader, source), hop.source);
  net::store(frame.data + offsetof(net::EthernetHeader, ether_type),
             hop.vlan != 0 ? net::ether_type_vlan : net::ether_type_ipv4);
  if (hop.vlan != 0) net::store(frame.data + ethernet, net::VlanTag{net::Be16(hop.vlan), net::ether_type_ipv4});
}

}  // namespace sluice::dataplane
