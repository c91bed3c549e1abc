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

/* Key of `xsks` is slot * STEER_QUEUES_MAX + queue, where slot comes from `interfaces`. */
#define STEER_INTERFACES_MAX 64
#define STEER_QUEUES_MAX 64
#define STEER_SOCKETS_MAX (STEER_INTERFACES_MAX * STEER_QUEUES_MAX)

/* Twice what one engine may hold, as a hash map that is nearly full gets slow. */
#define STEER_SERVICES_MAX 131072
#define STEER_VIPS_MAX 131072
#define STEER_NAT_DESTINATIONS_MAX 262144
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
