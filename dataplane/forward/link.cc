#include "dataplane/forward/link.h"

#include "net/headers.h"

namespace sluice::dataplane {

void write_link(Frame& frame, const Packet& packet, const NextHop& hop) {
  constexpr int ethernet = sizeof(net::EthernetHeader);
  constexpr int tag = sizeof(net::VlanTag);
  const int wanted = hop.vlan != 0 ? ethernet + tag : ethernet;
  extend_front(frame, wanted - int{packet.l3});
  const net::Be16 type = hop.vlan != 0 ? net::ether_type_vlan : net::ether_type_ipv4;
  net::store(frame.data, net::EthernetHeader{hop.destination, hop.source, type});
  if (hop.vlan != 0) net::store(frame.data + ethernet, net::VlanTag{net::Be16(hop.vlan), net::ether_type_ipv4});
}

}  // namespace sluice::dataplane
