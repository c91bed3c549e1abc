#include "control/netlink/link_changes.h"

#include <linux/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <string_view>

#include "control/netlink/request.h"
#include "net/byte_order.h"

namespace sluice::control::netlink {

namespace {

template <typename Header>
Request request_of(std::uint16_t type, int flags, const Header& header) {
  Request request(type, flags);
  request.header(header);
  return request;
}

ifinfomsg header_of(int ifindex) {
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = ifindex;
  return header;
}

template <typename New, typename Fill>
Bytes add_request(const New& link, std::string_view kind, Fill&& fill) {
  Request request = request_of(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header_of(0));
  request.put_text(IFLA_IFNAME, link.name);
  request.put(IFLA_LINK, link.parent_ifindex);
  if (link.master_ifindex != 0) request.put(IFLA_MASTER, link.master_ifindex);
  if (link.group) request.put(IFLA_GROUP, *link.group);
  fill(request);
  request.nest(IFLA_LINKINFO, [&] {
    request.put_text(IFLA_INFO_KIND, kind);
    request.nest(IFLA_INFO_DATA, [&] {
      if constexpr (std::is_same_v<New, NewMacvlan>) {
        request.put(IFLA_MACVLAN_MODE, std::uint32_t{MACVLAN_MODE_PRIVATE});
      } else {
        request.put(IFLA_IPVLAN_MODE, std::uint16_t{IPVLAN_MODE_L2});
        if (link.flags != 0) request.put(IFLA_IPVLAN_FLAGS, link.flags);
      }
    });
  });
  return request.bytes();
}

}  // namespace

Bytes add_macvlan_request(const NewMacvlan& macvlan) {
  return add_request(macvlan, "macvlan", [&](Request& request) { request.put(IFLA_ADDRESS, macvlan.mac.bytes); });
}

Bytes add_ipvlan_request(const NewIpvlan& ipvlan) {
  return add_request(ipvlan, "ipvlan", [](Request&) {});
}

Bytes remove_link_request(int ifindex) { return request_of(RTM_DELLINK, 0, header_of(ifindex)).bytes(); }

Bytes set_up_request(int ifindex) {
  ifinfomsg header = header_of(ifindex);
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  return request_of(RTM_NEWLINK, 0, header).bytes();
}

Bytes no_generated_address_request(int ifindex) {
  Request request = request_of(RTM_NEWLINK, 0, header_of(ifindex));
  request.nest(IFLA_AF_SPEC, [&] {
    request.nest(AF_INET6, [&] { request.put(IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE}); });
  });
  return request.bytes();
}

Bytes add_filter_hook_request(int ifindex) {
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = ifindex;
  header.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0u);
  header.tcm_parent = TC_H_CLSACT;
  Request request = request_of(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, header);
  request.put_text(TCA_KIND, "clsact");
  return request.bytes();
}

Bytes add_egress_filter_request(int ifindex, std::span<const sock_filter> program) {
  constexpr std::uint32_t priority = 1;
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = ifindex;
  header.tcm_handle = 1;
  header.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
  header.tcm_info = TC_H_MAKE(priority << 16, std::uint32_t{net::Be16(ETH_P_ALL).raw()});
  Request request = request_of(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, header);
  request.put_text(TCA_KIND, "bpf");
  request.nest(TCA_OPTIONS, [&] {
    request.put(TCA_BPF_OPS_LEN, std::uint16_t(program.size()));
    request.put_bytes(TCA_BPF_OPS, program.data(), program.size_bytes());
    request.put(TCA_BPF_FLAGS, std::uint32_t{TCA_BPF_FLAG_ACT_DIRECT});
  });
  return request.bytes();
}

}  // namespace sluice::control::netlink
