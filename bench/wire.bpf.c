// Generator and sink of bench/wire.py. `flood` runs over frames that the kernel makes for it (BPF_PROG_TEST_RUN with
// live frames), turns each into the next UDP packet of the flows that `settings` describes and sends it off, unpaced or
// at a rate; `sink` ends what comes back and, for frames that carry a time stamp, counts how old they are. A sender in
// user space would need most of the core that it shares with the sink.
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define FRAME_SIZE 60  // 64 on a wire, with the check sequence
#define SOURCE_PORT 34
#define UDP_SUM 40
#define STAMP 42
#define MAGIC 50
#define MAGIC_VALUE 0x51u
#define BUCKETS 4096
#define BUCKET_NS 500  // 4096 of them reach to 2 ms; what is older is in the last

struct settings {
  __u32 interface;
  __u32 flows;
  __u32 interval_ns;  // 0: as fast as it goes, without time stamps
  __u32 partial_sum;  // of the UDP packet, source port and stamp being 0
  __u8 frame[FRAME_SIZE];
};

struct progress {
  __u64 number;
  __u64 next_ns;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct settings);
} settings SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct progress);
} progress SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, BUCKETS);
  __type(key, __u32);
  __type(value, __u64);
} ages SEC(".maps");

SEC("xdp")
int flood(struct xdp_md* context) {
  __u8* data = (__u8*)(long)context->data;
  if (data + FRAME_SIZE > (__u8*)(long)context->data_end) return XDP_ABORTED;
  __u32 zero = 0;
  struct settings* set = bpf_map_lookup_elem(&settings, &zero);
  struct progress* now_at = bpf_map_lookup_elem(&progress, &zero);
  if (!set || !now_at) return XDP_ABORTED;

  __u64 stamp = 0;
  if (set->interval_ns) {
    stamp = bpf_ktime_get_ns();
    if (stamp < now_at->next_ns) return XDP_DROP;  // not yet; the frame goes back to its pool
    // After a pause (the core was needed elsewhere) no burst makes up for it.
    if (now_at->next_ns + 32ull * set->interval_ns < stamp) now_at->next_ns = stamp;
    now_at->next_ns += set->interval_ns;
  }
  // Every byte anew: frames come back from their pool as whoever had them last left them.
  __builtin_memcpy(data, set->frame, FRAME_SIZE);
  __u16 port = 1024 + now_at->number++ % set->flows;
  __u32 sum = set->partial_sum + port;
  *(__u16*)(data + SOURCE_PORT) = bpf_htons(port);
  if (stamp) {
    __builtin_memcpy(data + STAMP, &stamp, sizeof(stamp));
    data[MAGIC] = MAGIC_VALUE;
    for (int i = 0; i < 4; ++i) sum += bpf_ntohs((__u16)(stamp >> 16 * i));
    sum += MAGIC_VALUE << 8;
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  *(__u16*)(data + UDP_SUM) = bpf_htons((__u16)~sum);
  return bpf_redirect(set->interface, 0);
}

SEC("xdp")
int sink(struct xdp_md* context) {
  __u8* data = (__u8*)(long)context->data;
  if (data + FRAME_SIZE > (__u8*)(long)context->data_end) return XDP_PASS;
  if (data[12] != 0x08 || data[13] != 0x00 || data[23] != 17) return XDP_PASS;  // ARP and what else hosts say
  if (data[MAGIC] == MAGIC_VALUE) {
    __u64 stamp;
    __builtin_memcpy(&stamp, data + STAMP, sizeof(stamp));
    __u64 bucket = (bpf_ktime_get_ns() - stamp) / BUCKET_NS;
    __u32 key = bucket < BUCKETS ? bucket : BUCKETS - 1;
    __u64* count = bpf_map_lookup_elem(&ages, &key);
    if (count) __sync_fetch_and_add(count, 1);
  }
  return XDP_DROP;
}

char wire_license[] SEC("license") = "GPL";
