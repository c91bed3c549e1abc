/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the steering program and its loader agree on: keys, sizes and counters of the maps. Plain C, read by clang for
 * BPF and by the C++ compiler for the daemon. What the maps mean to a packet is in steer.bpf.c; who fills them is
 * dataplane/port/steer.cc. */
#pragma once

#include <linux/types.h>

/* Key of `services` and `nat_destinations`. Address and port as they lie on the wire. */
struct steer_endpoint {
  __be32 address;
  __be16 port;
  __u8 protocol;
  __u8 zero; /* padding is part of a key: always 0 */
};

/* Key of `macs`: a destination MAC that is this host's. */
struct steer_mac {
  __u8 bytes[6];
  __u8 zero[2];
};

/* Key of `classified`, a trie: the addresses whose first `length` bits are those of `address`. */
struct steer_prefix {
  __u32 length;
  __be32 address;
};

/* What one classify rule wants of a packet to its prefix: TCP or UDP, all conditions together. */
struct steer_rule {
  __be32 source; /* masked */
  __be32 source_mask;
  __u32 ifindex;    /* 0: any, and any VLAN tag */
  __u16 vlan;       /* of the frame; 0: untagged */
  __u16 port_first; /* of the destination, host order, both ends included */
  __u16 port_last;
  __u8 protocol; /* 0: either */
  __u8 zero;
};

/* Value of `classified`: every rule whose prefix covers this one. More than fit are replaced by one that takes all. */
#define STEER_RULES_OF_PREFIX 16
struct steer_rules {
  __u32 count;
  struct steer_rule rules[STEER_RULES_OF_PREFIX];
};

/* Value of `features`: what there is to look for, so that nobody pays for what isn't used. */
#define STEER_CLASSIFY 1u         /* `classified` isn't empty */
#define STEER_NAT_WITHOUT_PORT 2u /* `nat_destinations` has entries of port 0: any port */

/* Key of `xsks` is slot * STEER_QUEUES_MAX + queue, where slot comes from `interfaces`. */
#define STEER_INTERFACES_MAX 64
#define STEER_QUEUES_MAX 64
#define STEER_SOCKETS_MAX (STEER_INTERFACES_MAX * STEER_QUEUES_MAX)

/* Twice what one engine may hold, as a hash map that is nearly full gets slow. */
#define STEER_SERVICES_MAX 131072
#define STEER_VIPS_MAX 131072
#define STEER_NAT_DESTINATIONS_MAX 262144
#define STEER_PREFIXES_MAX 8192
#define STEER_LOCAL_ADDRESSES_MAX 65536
/* The interfaces' own MACs and the virtual routers' (255 per interface at most, rarely more than a few). */
#define STEER_MACS_MAX 16384

/* Index into the per-CPU array `counters`. Every packet seen adds one to exactly one of them. */
enum steer_counter {
  STEER_STEERED,
  STEER_PASSED,
  STEER_DROPPED_NO_ENGINE,
  STEER_COUNTERS,
};
