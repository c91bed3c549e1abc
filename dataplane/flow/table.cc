#include "dataplane/flow/table.h"

#include <fmt/format.h>

#include <bit>
#include <unordered_map>
#include <unordered_set>

namespace sluice::dataplane {

namespace {

// Records per home bucket at capacity, at most; see the sizes in table.h.
constexpr std::size_t records_per_bucket = 6;

}  // namespace

Result<FlowTable> FlowTable::create(std::size_t capacity, std::uint64_t seed, std::uint32_t now_s,
                                    Mapping::Kind memory) {
  if (capacity < capacity_min || capacity > capacity_max) {
    return fail("connection table",
                fmt::format("{} connections are out of range: {} to {}", capacity, capacity_min, capacity_max));
  }
  const std::size_t buckets = std::bit_ceil((capacity + records_per_bucket - 1) / records_per_bucket);
  const std::size_t overflow = buckets / 16 + 64;
  auto slab = Mapping::create(capacity * sizeof(FlowRecord), memory, "connection table");
  if (!slab) return std::unexpected(slab.error());
  auto index =
      Mapping::create((buckets + overflow) * sizeof(Bucket), Mapping::Kind::private_memory, "connection table's index");
  if (!index) return std::unexpected(index.error());
  auto links = Mapping::create(capacity * sizeof(TimerLink), Mapping::Kind::private_memory, "connection timers");
  if (!links) return std::unexpected(links.error());
  return FlowTable(capacity, buckets, overflow, seed, now_s, std::move(*slab), std::move(*index), std::move(*links));
}

FlowTable::FlowTable(std::size_t capacity, std::size_t buckets, std::size_t overflow, std::uint64_t seed,
                     std::uint32_t now_s, Mapping slab, Mapping index, Mapping links)
    : slab_(std::move(slab)),
      index_(std::move(index)),
      link_memory_(std::move(links)),
      records_(slab_.as<FlowRecord>().first(capacity)),
      buckets_(index_.as<Bucket>().first(buckets + overflow)),
      links_(link_memory_.as<TimerLink>().first(capacity)),
      seed_(seed | 1),
      bucket_mask_(buckets - 1),
      home_buckets_(buckets),
      capacity_(capacity),
      wheel_(links_, now_s) {}

template <typename Equal>
FlowIndex FlowTable::find(FlowHash hash, Equal&& equal) const {
  const std::uint16_t tag = tag_of(hash);
  const Bucket* bucket = &buckets_[hash & bucket_mask_];
  while (true) {
    for (std::uint32_t bits = matches(*bucket, tag); bits != 0; bits &= bits - 1) {
      const std::uint32_t record = bucket->records[std::countr_zero(bits)];
      if (equal(records_[record])) return FlowIndex{record};
    }
    if (bucket->next == no_bucket) return no_flow;
    bucket = &buckets_[home_buckets_ + bucket->next - 1];
  }
}

FlowIndex FlowTable::find_in(const net::FiveTuple& tuple, FlowHash hash, FlowIndex guess) const {
  if (guess != no_flow && is_in(records_[index(guess)], tuple)) return guess;
  return find(hash, [&](const FlowRecord& record) { return is_in(record, tuple); });
}

FlowIndex FlowTable::find_out(const net::FiveTuple& tuple, FlowHash hash, FlowIndex guess) const {
  if (guess != no_flow && is_out(records_[index(guess)], tuple)) return guess;
  return find(hash, [&](const FlowRecord& record) { return is_out(record, tuple); });
}

std::expected<FlowIndex, InsertFailure> FlowTable::insert(FlowHash hash, const FlowRecord& record) {
  if (free_record_ == TimerWheel::none && high_water_ == capacity_) return std::unexpected(InsertFailure::table_full);

  Bucket* bucket = &buckets_[hash & bucket_mask_];
  std::uint32_t empty = matches(*bucket, 0);
  for (unsigned length = 1; empty == 0; ++length) {
    if (bucket->next == no_bucket) {
      if (length == chain_max) return std::unexpected(InsertFailure::bucket_full);
      std::uint32_t added = free_bucket_;
      if (added != no_bucket) {
        free_bucket_ = buckets_[home_buckets_ + added - 1].next;
      } else {
        if (overflow_high_water_ == buckets_.size() - home_buckets_) return std::unexpected(InsertFailure::bucket_full);
        added = ++overflow_high_water_;
      }
      buckets_[home_buckets_ + added - 1] = {};
      bucket->next = added;
    }
    bucket = &buckets_[home_buckets_ + bucket->next - 1];
    empty = matches(*bucket, 0);
  }

  std::uint32_t i = free_record_;
  if (i != TimerWheel::none)
    free_record_ = links_[i].next;
  else
    i = high_water_++;
  const unsigned slot = unsigned(std::countr_zero(empty));
  bucket->tags[slot] = tag_of(hash);
  bucket->records[slot] = i;
  records_[i] = record;
  wheel_.arm(FlowIndex{i}, record.last_seen_s + record.timeout_s);
  ++size_;
  return FlowIndex{i};
}

void FlowTable::set_timeout(FlowIndex flow, std::uint32_t timeout_s) {
  FlowRecord& record = records_[index(flow)];
  const bool nearer = timeout_s < record.timeout_s;
  record.timeout_s = timeout_s;
  if (!nearer) return;
  wheel_.disarm(flow);
  wheel_.arm(flow, record.last_seen_s + timeout_s);
}

void FlowTable::erase(FlowIndex flow) {
  wheel_.disarm(flow);
  unlink(flow);
}

void FlowTable::unlink(FlowIndex flow) {
  FlowRecord& record = records_[index(flow)];
  const auto i = std::uint32_t(index(flow));
  const FlowHash h = hash(record.client(), record.protocol);

  // Find its slot, then fill the hole with the chain's last entry, so that home buckets stay full and chains short.
  Bucket* hole = &buckets_[h & bucket_mask_];
  unsigned slot = 0;
  while (true) {
    std::uint32_t bits = matches(*hole, tag_of(h));
    while (bits != 0 && hole->records[std::countr_zero(bits)] != i) bits &= bits - 1;
    if (bits != 0) {
      slot = unsigned(std::countr_zero(bits));
      break;
    }
    hole = &buckets_[home_buckets_ + hole->next - 1];
  }
  Bucket* last = hole;
  Bucket* before_last = nullptr;
  while (last->next != no_bucket) {
    before_last = last;
    last = &buckets_[home_buckets_ + last->next - 1];
  }
  const std::uint32_t used = ~matches(*last, 0) & ((1u << bucket_slots) - 1);
  const unsigned donor = unsigned(std::bit_width(used)) - 1;
  hole->tags[slot] = last->tags[donor];
  hole->records[slot] = last->records[donor];
  last->tags[donor] = 0;
  if (before_last != nullptr && std::has_single_bit(used)) {
    const std::uint32_t freed = before_last->next;
    before_last->next = no_bucket;
    last->next = free_bucket_;
    free_bucket_ = freed;
  } else if (before_last == nullptr && last != &buckets_[h & bucket_mask_] && std::has_single_bit(used)) {
    // The hole is in the last, now empty, overflow bucket itself: its predecessor must be found from the home bucket.
    Bucket* previous = &buckets_[h & bucket_mask_];
    while (&buckets_[home_buckets_ + previous->next - 1] != last) {
      previous = &buckets_[home_buckets_ + previous->next - 1];
    }
    const std::uint32_t freed = previous->next;
    previous->next = no_bucket;
    last->next = free_bucket_;
    free_bucket_ = freed;
  }

  record.protocol = net::Protocol{0};
  links_[i].next = free_record_;
  free_record_ = i;
  --size_;
}

std::optional<std::string> FlowTable::check() const {
  std::unordered_map<std::uint32_t, FlowHash> indexed;
  std::unordered_set<std::uint32_t> chained;
  for (std::size_t home = 0; home < home_buckets_; ++home) {
    const Bucket* bucket = &buckets_[home];
    while (true) {
      for (std::size_t slot = 0; slot < bucket_slots; ++slot) {
        if (bucket->tags[slot] == 0) continue;
        const std::uint32_t i = bucket->records[slot];
        const FlowRecord& record = records_[i];
        const FlowHash h = hash(record.client(), record.protocol);
        if ((h & bucket_mask_) != home) return fmt::format("record {} is in bucket {}, not in its own", i, home);
        if (tag_of(h) != bucket->tags[slot]) return fmt::format("record {} has a wrong tag", i);
        if (record.protocol == net::Protocol{0}) return fmt::format("record {} is indexed, but free", i);
        if (!indexed.emplace(i, h).second) return fmt::format("record {} is indexed twice", i);
      }
      if (bucket->next == no_bucket) break;
      if (!chained.insert(bucket->next).second) return fmt::format("overflow bucket {} is in two chains", bucket->next);
      bucket = &buckets_[home_buckets_ + bucket->next - 1];
      if (matches(*bucket, 0) == (1u << bucket_slots) - 1) return std::string("an overflow bucket is empty");
    }
  }
  if (indexed.size() != size_) return fmt::format("{} records indexed, size says {}", indexed.size(), size_);
  std::size_t free_records = 0;
  for (std::uint32_t i = free_record_; i != TimerWheel::none; i = links_[i].next) {
    if (records_[i].protocol != net::Protocol{0}) return fmt::format("record {} is in use, but in the free list", i);
    if (++free_records > high_water_) return std::string("the free list has a loop");
  }
  if (free_records + size_ != high_water_) {
    return fmt::format("{} free + {} used records, but {} were ever used", free_records, size_, high_water_);
  }
  std::size_t free_buckets = 0;
  for (std::uint32_t b = free_bucket_; b != no_bucket; b = buckets_[home_buckets_ + b - 1].next) {
    if (++free_buckets > overflow_high_water_) return std::string("the overflow free list has a loop");
  }
  if (free_buckets + chained.size() != overflow_high_water_) return std::string("overflow buckets were lost");
  return std::nullopt;
}

}  // namespace sluice::dataplane
