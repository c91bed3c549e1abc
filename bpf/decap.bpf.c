/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For real servers behind lb_kind TUN: takes the outer header off IPIP packets (RFC 2003) as they arrive, so that the
 * server needs no tunnel device. The VIP sits on lo, as with DR. Everything that isn't IPIP passes untouched.
 * Attach with: ip link set dev eth0 xdp obj decap.bpf.o sec xdp */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define IPV4_FRAGMENT 0x3fff /* more fragments, or an offset */

SEC("xdp")
int sluice_decap(struct xdp_md* context) {
  void* data = (void*)(long)context->data;
  void* end = (void*)(long)context->data_end;
  struct ethhdr* ethernet = data;
  struct iphdr* outer = data + sizeof *ethernet;
  struct ethhdr kept;
  __u32 outer_bytes;

  if ((void*)(outer + 1) > end) return XDP_PASS;
  if (ethernet->h_proto != bpf_htons(ETH_P_IP) || outer->protocol != IPPROTO_IPIP) return XDP_PASS;
  /* A fragment holds only a part of the inner packet: the kernel would have to put it together first. */
  if (outer->frag_off & bpf_htons(IPV4_FRAGMENT)) return XDP_PASS;
  outer_bytes = outer->ihl * 4;
  if (outer_bytes < sizeof *outer || data + sizeof *ethernet + outer_bytes + sizeof(struct iphdr) > end) {
    return XDP_DROP;
  }

  kept = *ethernet;
  if (bpf_xdp_adjust_head(context, (int)outer_bytes)) return XDP_DROP;
  data = (void*)(long)context->data;
  end = (void*)(long)context->data_end;
  ethernet = data;
  if ((void*)(ethernet + 1) > end) return XDP_DROP;
  *ethernet = kept;
  return XDP_PASS;
}

char decap_license[] SEC("license") = "Dual BSD/GPL";
