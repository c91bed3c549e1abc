// The connection table of one worker: from a packet to its connection in two cache lines.
//
//   hash(client address, client port, protocol)
//        |  low bits: bucket                     high 16 bits: tag
//        v
//   bucket, one line:  | 10 tags of 16 bits | next | 10 record indices of 32 bits |
//        |  tags compared at once; a match names a record     `next`: an overflow bucket, for the few that need it
//        v
//   slab of records, one line each (record.h)            links: 8 bytes per record (timer wheel, free list)
//
// - The hash takes the client's endpoint only: in packets carry it as source, out packets of NAT as destination, so one
//   entry serves both directions (IPVS's table does the same). The client's several connections from one port to
//   several services share a chain; it is cut off at a length that no honest client reaches (chain_max).
// - The hash is keyed with a random seed: nobody outside can aim at one bucket.
// - A tag matches by accident once in 65,536: reading the wrong record is rare, and only costs its line.
// - Sizes: buckets for 3 to 6 records each at capacity, so that one in 25 records at most lies in an overflow bucket.
//   Per connection: 64 (record) + 8 (links) + 11..21 (bucket) + 1 (overflow) <= 94 bytes. Everything is mapped lazily.
//
// What was considered: cuckoo hashing (two lines for every miss, moves on insert), chaining through records (a line per
// step), open addressing over tags (deletes leave traces). Chained buckets keep the hit at one line, the miss at one
// line, and deletion clean; the price is the memory of half-empty buckets.
//
// One thread owns a table. Steps of a batch: hash all, prefetch_bucket all, candidate all + prefetch_record, find all.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <optional>

#include "dataplane/flow/record.h"
#include "dataplane/flow/timer_wheel.h"
#include "dataplane/mapping.h"

namespace sluice::dataplane {

using FlowHash = std::uint64_t;

enum class InsertFailure : std::uint8_t { table_full, bucket_full };

class FlowTable {
 public:
  static constexpr std::size_t capacity_min = 1024;
  static constexpr std::size_t capacity_max = std::size_t{1} << 28;

  /// capacity: records, capacity_min..capacity_max. seed: random, secret. now_s: coarse monotonic seconds.
  /// memory: kind of the slab; index and links are always private.
  static Result<FlowTable> create(std::size_t capacity, std::uint64_t seed, std::uint32_t now_s, Mapping::Kind memory);

  // --- look-up, in the order of a batch's steps

  /// Folded 64x64 multiplication (as in wyhash): every input bit reaches every output bit, in a few cycles.
  [[nodiscard]] FlowHash hash(net::Endpoint client, net::Protocol protocol) const {
    const std::uint64_t key = (std::uint64_t{client.address.value.raw()} << 32) |
                              (std::uint64_t{client.port.value.raw()} << 8) | std::uint64_t(protocol);
    const auto first = Wide{key ^ seed_} * 0x9e3779b97f4a7c15ull;
    const std::uint64_t folded = std::uint64_t(first) ^ std::uint64_t(first >> 64);
    const auto second = Wide{folded ^ 0xe7037ed1a0b428dbull} * seed_;
    return std::uint64_t(second) ^ std::uint64_t(second >> 64);
  }
  void prefetch_bucket(FlowHash hash) const { __builtin_prefetch(&buckets_[hash & bucket_mask_]); }
  /// The first record in the home bucket whose tag matches: nearly always the right one. no_flow: none there.
  [[nodiscard]] FlowIndex candidate(FlowHash hash) const {
    const Bucket& bucket = buckets_[hash & bucket_mask_];
    const std::uint32_t bits = matches(bucket, tag_of(hash));
    return bits == 0 ? no_flow : FlowIndex{bucket.records[std::countr_zero(bits)]};
  }
  void prefetch_record(FlowIndex flow) const { __builtin_prefetch(&records_[index(flow)], 1); }

  /// The connection of an in packet: source = client, destination = virtual endpoint. guess: candidate(hash).
  [[nodiscard]] FlowIndex find_in(const net::FiveTuple& tuple, FlowHash hash, FlowIndex guess) const;
  /// The connection of an out packet: source = destination's endpoint (NAT) or virtual endpoint (others),
  /// destination = client.
  [[nodiscard]] FlowIndex find_out(const net::FiveTuple& tuple, FlowHash hash, FlowIndex guess) const;

  [[nodiscard]] FlowRecord& operator[](FlowIndex flow) { return records_[index(flow)]; }
  [[nodiscard]] const FlowRecord& operator[](FlowIndex flow) const { return records_[index(flow)]; }

  // --- life

  /// Adds a record (protocol, client, last_seen_s and timeout_s set) under `hash`, and arms its timer.
  std::expected<FlowIndex, InsertFailure> insert(FlowHash hash, const FlowRecord& record);
  /// Sets the timeout; moves the timer if the end comes nearer by it.
  void set_timeout(FlowIndex flow, std::uint32_t timeout_s);
  /// Removes a record.
  void erase(FlowIndex flow);
  /// Ends connections whose time is up: looks at no more than `budget` records, calls ended(record) for each that goes.
  /// Returns how many it looked at: with the whole budget used, there may be more.
  template <typename Ended>
  std::size_t expire(std::uint32_t now_s, std::size_t budget, Ended&& ended) {
    return wheel_.advance(now_s, budget, [&](std::span<const FlowIndex> flows, std::span<std::uint32_t> deadlines_s) {
      for (const FlowIndex flow : flows) prefetch_record(flow);
      for (std::size_t i = 0; i < flows.size(); ++i) {
        const FlowRecord& record = records_[index(flows[i])];
        const std::uint32_t deadline_s = record.last_seen_s + record.timeout_s;
        deadlines_s[i] = deadline_s > now_s ? deadline_s : 0;
        if (deadlines_s[i] == 0) prefetch_bucket(hash(record.client(), record.protocol));
      }
      for (std::size_t i = 0; i < flows.size(); ++i) {
        if (deadlines_s[i] != 0) continue;
        ended(static_cast<const FlowRecord&>(records_[index(flows[i])]));
        unlink(flows[i]);
      }
    });
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// One past the highest record ever used: the end of a scan over all connections.
  [[nodiscard]] std::size_t scan_end() const { return high_water_; }

  /// Checks every invariant; for tests. Returns what is broken, or nothing. O(capacity).
  [[nodiscard]] std::optional<std::string> check() const;

 private:
  __extension__ using Wide = unsigned __int128;
  static constexpr std::size_t bucket_slots = 10;
  static constexpr std::uint32_t slots_mask = (1u << bucket_slots) - 1;
  static constexpr std::uint32_t no_bucket = 0;  // overflow buckets count from 1 in `next`
  static constexpr unsigned chain_max = 16;      // buckets: 160 connections from one client endpoint

  struct alignas(64) Bucket {
    std::uint16_t tags[bucket_slots];  // 0: empty
    std::uint32_t next;                // overflow bucket, or while free the next free one; no_bucket: none
    std::uint32_t records[bucket_slots];
  };
  static_assert(sizeof(Bucket) == 64);

  FlowTable(std::size_t capacity, std::size_t buckets, std::size_t overflow, std::uint64_t seed, std::uint32_t now_s,
            Mapping slab, Mapping index, Mapping links);

  static std::uint16_t tag_of(FlowHash hash) {
    const auto tag = std::uint16_t(hash >> 48);
    return tag == 0 ? std::uint16_t{1} : tag;
  }
  /// One bit per slot whose tag equals.
  static std::uint32_t matches(const Bucket& bucket, std::uint16_t tag) {
    // Ten tags in sixteen bytes and four: what is read beyond them is cut off.
    const __m128i wanted = _mm_set1_epi16(short(tag));
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i high = _mm_cvtsi32_si128(std::bit_cast<int>(std::array{bucket.tags[8], bucket.tags[9]}));
    const __m128i equal = _mm_packs_epi16(_mm_cmpeq_epi16(low, wanted), _mm_cmpeq_epi16(high, wanted));
    return std::uint32_t(_mm_movemask_epi8(equal)) & slots_mask;
  }
  template <typename Equal>
  FlowIndex find(FlowHash hash, Equal&& equal) const;
  void unlink(FlowIndex flow);  // out of index and slab, not of the wheel

  Mapping slab_, index_, link_memory_;
  std::span<FlowRecord> records_;
  std::span<Bucket> buckets_;  // the home buckets, then the overflow buckets
  std::span<TimerLink> links_;
  std::uint64_t seed_;
  std::uint64_t bucket_mask_;
  std::size_t home_buckets_;
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::uint32_t high_water_ = 0;  // records below were used at least once
  std::uint32_t free_record_ = TimerWheel::none;
  std::uint32_t overflow_high_water_ = 0;
  std::uint32_t free_bucket_ = no_bucket;
  TimerWheel wheel_;
};

}  // namespace sluice::dataplane
