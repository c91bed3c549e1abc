// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The XDP program that decides, packet by packet, whether the engine or the kernel gets it. To the engine go
//   (a) IPv4 packets to a service (protocol, VIP, port), and fragments and ICMP errors to a VIP;
//   (b) packets that a classify rule may give the mark of a service, their fragments, and ICMP errors about replies;
//   (c) replies of NAT destinations that aren't addressed to this host, and ICMP errors about packets sent to them.
// Everything else passes. What belongs to the engine while no engine listens is dropped, so that the kernel never
// answers a client of a VIP with a RST. The maps are filled by dataplane/port/steer.cc; nothing is decided here about
// where a packet goes next. Frames for other MACs than this host's pass, for the kernel to ignore. Only what steering
// needs is parsed: a malformed packet passes or is steered, and is judged by whoever gets it.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/steer_maps.h"

struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, STEER_SOCKETS_MAX);
  __type(key, __u32);
  __type(value, __u32);
} xsks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_INTERFACES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __u32);    // ifindex
  __type(value, __u32);  // slot
} interfaces SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_SERVICES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct steer_endpoint);
  __type(value, __u8);
} services SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_NAT_DESTINATIONS_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct steer_endpoint);
  __type(value, __u8);
} nat_destinations SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_VIPS_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __be32);
  __type(value, __u8);
} vips SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(max_entries, STEER_PREFIXES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct steer_prefix);
  __type(value, struct steer_rules);
} classified SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} features SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_LOCAL_ADDRESSES_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, __be32);
  __type(value, __u8);
} local_addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, STEER_MACS_MAX);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct steer_mac);
  __type(value, __u8);
} macs SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, STEER_COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} counters SEC(".maps");

// <linux/icmp.h> would pull in the C library's headers, which have no BPF flavour.
struct icmp_header {
  __u8 type;
  __u8 code;
  __be16 checksum;
  __be32 rest;
};
enum { ICMP_UNREACHABLE = 3, ICMP_SOURCE_QUENCH = 4, ICMP_TIME_EXCEEDED = 11 };

struct vlan_tag {
  __be16 control;
  __be16 ether_type;
};

// TCP, UDP and SCTP all begin with these.
struct l4_ports {
  __be16 source;
  __be16 destination;
};

#define IP_MORE_FRAGMENTS 0x2000
#define IP_FRAGMENT_OFFSET 0x1fff

static __always_inline int has_ports(__u8 protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static __always_inline int is_icmp_error(__u8 type) {
  return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_TIME_EXCEEDED;
}

// What follows an IPv4 header (options included), when `needed` bytes of it are in the packet; else null.
// length: what the header claims: Ethernet padding must not be taken for ports. 0xffff for a packet quoted by an ICMP
// error, which is cut short (RFC 792).
static __always_inline void* ip_payload(struct iphdr* ip, void* end, __u32 length, __u32 needed) {
  __u32 header = ip->ihl * 4;
  if (ip->version != 4 || header < sizeof(*ip) || length < header + needed) return 0;
  void* payload = (void*)ip + header;
  if (payload + needed > end) return 0;
  return payload;
}

static __always_inline int is_listed(void* map, __u8 protocol, __be32 address, __be16 port) {
  struct steer_endpoint key = {.address = address, .port = port, .protocol = protocol, .zero = 0};
  return bpf_map_lookup_elem(map, &key) != 0;
}

// (a): the destination is a VIP.
static __always_inline int is_for_service(struct iphdr* ip, void* end) {
  __u32 length = bpf_ntohs(ip->tot_len);
  if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)) return 1;
  if (ip->protocol == IPPROTO_ICMP) {
    struct icmp_header* icmp = ip_payload(ip, end, length, sizeof(*icmp));
    return icmp && is_icmp_error(icmp->type);
  }
  if (!has_ports(ip->protocol)) return 0;
  struct l4_ports* ports = ip_payload(ip, end, length, sizeof(*ports));
  return ports && is_listed(&services, ip->protocol, ip->daddr, ports->destination);
}

// What a rule is asked about. port: of the destination, host order, or any_port. ifindex: any_interface for ICMP
// errors, which may come from elsewhere than the packets they are about.
struct question {
  __be32 source;
  __u32 ifindex;
  __u32 port;
  __u16 vlan;
  __u8 protocol;
};
enum { any_port = 0xffffffff, any_interface = 0xffffffff };

static __always_inline int may_match(const struct steer_rule* rule, const struct question* packet) {
  if (rule->protocol && rule->protocol != packet->protocol) return 0;
  if ((packet->source & rule->source_mask) != rule->source) return 0;
  if (packet->port != any_port && (packet->port < rule->port_first || packet->port > rule->port_last)) return 0;
  if (!rule->ifindex || packet->ifindex == any_interface) return 1;
  return rule->ifindex == packet->ifindex && rule->vlan == packet->vlan;
}

static __always_inline int is_tcp_or_udp(__u8 protocol) { return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP; }

// (b): some rule may mark the packet, or the packet that an ICMP error is about, seen from its other end. The engine
// decides which, in the rules' order.
static __always_inline int is_classified(struct iphdr* ip, void* end, __u32 ifindex, __u16 vlan) {
  __u32 length = bpf_ntohs(ip->tot_len);
  struct question packet = {
      .source = ip->saddr, .ifindex = ifindex, .port = any_port, .vlan = vlan, .protocol = ip->protocol};
  if (ip->protocol == IPPROTO_ICMP) {
    if (ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET)) return 0;
    struct icmp_header* icmp = ip_payload(ip, end, length, sizeof(*icmp) + sizeof(struct iphdr));
    if (!icmp || !is_icmp_error(icmp->type)) return 0;
    struct iphdr* quoted = (void*)(icmp + 1);
    if ((quoted->frag_off & bpf_htons(IP_FRAGMENT_OFFSET)) || quoted->saddr != ip->daddr) return 0;
    struct l4_ports* ports = ip_payload(quoted, end, 0xffff, sizeof(*ports));
    if (!ports) return 0;
    packet.source = quoted->daddr;
    packet.ifindex = any_interface;
    packet.port = bpf_ntohs(ports->source);
    packet.protocol = quoted->protocol;
  } else if (!(ip->frag_off & bpf_htons(IP_MORE_FRAGMENTS | IP_FRAGMENT_OFFSET))) {
    struct l4_ports* ports = ip_payload(ip, end, length, sizeof(*ports));
    if (!ports) return 0;
    packet.port = bpf_ntohs(ports->destination);
  }
  if (!is_tcp_or_udp(packet.protocol)) return 0;

  struct steer_prefix key = {.length = 32, .address = ip->daddr};
  struct steer_rules* rules = bpf_map_lookup_elem(&classified, &key);
  if (!rules) return 0;
  for (__u32 i = 0; i < STEER_RULES_OF_PREFIX; i++) {
    if (i >= rules->count) break;
    if (may_match(&rules->rules[i], &packet)) return 1;
  }
  return 0;
}

// A real server of a fwmark service without a port of its own answers from any.
static __always_inline int is_nat_destination(__u8 protocol, __be32 address, __be16 port, __u32 used) {
  if (is_listed(&nat_destinations, protocol, address, port)) return 1;
  return (used & STEER_NAT_WITHOUT_PORT) && is_listed(&nat_destinations, protocol, address, 0);
}

// (c): the destination is neither a VIP nor this host. Non-first fragments have no port to know them by: they pass.
static __always_inline int is_from_nat_destination(struct iphdr* ip, void* end, __u32 used) {
  __u32 length = bpf_ntohs(ip->tot_len);
  if (ip->frag_off & bpf_htons(IP_FRAGMENT_OFFSET)) return 0;
  if (ip->protocol == IPPROTO_ICMP) {
    struct icmp_header* icmp = ip_payload(ip, end, length, sizeof(*icmp) + sizeof(struct iphdr));
    if (!icmp || !is_icmp_error(icmp->type)) return 0;
    struct iphdr* quoted = (void*)(icmp + 1);
    if ((quoted->frag_off & bpf_htons(IP_FRAGMENT_OFFSET)) || !has_ports(quoted->protocol)) return 0;
    struct l4_ports* ports = ip_payload(quoted, end, 0xffff, sizeof(*ports));
    return ports && is_nat_destination(quoted->protocol, quoted->daddr, ports->destination, used);
  }
  if (!has_ports(ip->protocol)) return 0;
  struct l4_ports* ports = ip_payload(ip, end, length, sizeof(*ports));
  return ports && is_nat_destination(ip->protocol, ip->saddr, ports->source, used);
}

// A switch floods what it doesn't know, DR's frames for a real server among them: those are somebody else's, as are
// broadcast and multicast.
static __always_inline int is_to_this_host(struct ethhdr* ethernet) {
  struct steer_mac key = {};
  __builtin_memcpy(key.bytes, ethernet->h_dest, sizeof(key.bytes));
  return bpf_map_lookup_elem(&macs, &key) != 0;
}

static __always_inline __u32 features_used(void) {
  __u32 key = 0;
  __u32* used = bpf_map_lookup_elem(&features, &key);
  return used ? *used : 0;
}

static __always_inline int is_for_engine(void* data, void* end, __u32 ifindex) {
  struct ethhdr* ethernet = data;
  if ((void*)(ethernet + 1) > end) return 0;

  void* next = ethernet + 1;
  __be16 ether_type = ethernet->h_proto;
  __u16 vlan = 0;
  if (ether_type == bpf_htons(ETH_P_8021Q)) {
    struct vlan_tag* tag = next;
    if ((void*)(tag + 1) > end) return 0;
    ether_type = tag->ether_type;
    vlan = bpf_ntohs(tag->control) & 0x0fff;
    next = tag + 1;
  }
  if (ether_type != bpf_htons(ETH_P_IP)) return 0;

  struct iphdr* ip = next;
  if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl < 5) return 0;

  __be32 destination = ip->daddr;
  __u32 used = features_used();
  int is_vip = bpf_map_lookup_elem(&vips, &destination) != 0;
  int for_engine = is_vip && is_for_service(ip, end);
  if (!for_engine && (used & STEER_CLASSIFY)) for_engine = is_classified(ip, end, ifindex, vlan);
  if (!for_engine && !is_vip && !bpf_map_lookup_elem(&local_addresses, &destination))
    for_engine = is_from_nat_destination(ip, end, used);
  return for_engine && is_to_this_host(ethernet);
}

static __always_inline int count(__u32 which, int action) {
  __u64* counter = bpf_map_lookup_elem(&counters, &which);
  if (counter) *counter += 1;
  return action;
}

SEC("xdp")
int sluice_steer(struct xdp_md* ctx) {
  __u32 ifindex = ctx->ingress_ifindex;
  if (!is_for_engine((void*)(long)ctx->data, (void*)(long)ctx->data_end, ifindex)) return count(STEER_PASSED, XDP_PASS);

  __u32 queue = ctx->rx_queue_index;
  __u32* slot = bpf_map_lookup_elem(&interfaces, &ifindex);
  if (!slot || queue >= STEER_QUEUES_MAX) return count(STEER_DROPPED_NO_ENGINE, XDP_DROP);
  __u32 key = *slot * STEER_QUEUES_MAX + queue;
  if (!bpf_map_lookup_elem(&xsks, &key)) return count(STEER_DROPPED_NO_ENGINE, XDP_DROP);
  count(STEER_STEERED, 0);
  return (int)bpf_redirect_map(&xsks, key, XDP_DROP);
}

// The helpers used need no GPL; the declaration says what SPDX says.
char steer_license[] SEC("license") = "Dual BSD/GPL";
