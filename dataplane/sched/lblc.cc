// Locality-based least connection: an address (of a cache cluster's content, say) stays with the destination that
// served it last, until that is gone, quiesced, or overloaded while another one idles; then wlc decides anew.
//
// What is remembered is one table of fixed size per service: 1024 chains of 16-byte entries, 256 KiB in all, of which
// the kernel gives us pages only as entries are made. A service with a single virtual address uses one entry. IPVS lets
// its table grow past 16384 entries and collects every minute what was unused for six; here a new address takes the
// place of its chain's least recently used one instead, so memory and the work of a pick have a limit, and no timer is
// needed.
#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "dataplane/sched/arithmetic.h"
#include "dataplane/sched/scheduler.h"

namespace sluice::dataplane {
namespace {

constexpr unsigned bucket_bits = 10;
constexpr std::uint16_t entries_max = 16384;   // IPVS's max_size: 16 per chain
constexpr std::uint16_t chain_max = 64;        // bounds a look-up; even hashing at the limit of entries stays below 45
constexpr std::uint32_t expiry_s = 24 * 3600;  // IPVS's default lblc_expiration

/// Which destination serves an address. Owned by one scheduler; never allocates after construction.
class LocalityCache {
 public:
  struct Entry {
    std::uint32_t address;  // host order
    DestinationId destination;
    std::uint32_t last_use_s;
    std::uint16_t next;
  };

  /// The entry for the address if it was used within the expiry time. Stays valid until the next remember().
  Entry* find(std::uint32_t address, std::uint32_t now_s) {
    Entry* entry = lookup(address);
    return entry != nullptr && idle_s(*entry, now_s) <= expiry_s ? entry : nullptr;
  }

  /// Makes or rewrites the address's entry. When the table is full and its chain empty, it isn't remembered.
  void remember(std::uint32_t address, DestinationId destination, std::uint32_t now_s) {
    if (used_ == 0) storage_->heads.fill(none);
    Entry* entry = nullptr;
    Entry* least_recent = nullptr;
    std::uint16_t length = 0;
    for (std::uint16_t i = head(address); i != none; i = storage_->entries[i].next, ++length) {
      Entry* member = &storage_->entries[i];
      if (member->address == address) entry = member;
      if (least_recent == nullptr || idle_s(*member, now_s) > idle_s(*least_recent, now_s)) least_recent = member;
    }
    if (entry == nullptr) entry = used_ < entries_max && length < chain_max ? fresh(address) : least_recent;
    if (entry == nullptr) return;
    entry->address = address;
    entry->destination = destination;
    entry->last_use_s = now_s;
  }

  /// Costs what the other one holds: 16 bytes an entry, 258 KiB at most.
  void copy_from(const LocalityCache& other) {
    used_ = other.used_;
    if (used_ == 0) return;
    storage_->heads = other.storage_->heads;
    std::copy_n(other.storage_->entries.begin(), used_, storage_->entries.begin());
  }

 private:
  static constexpr std::uint16_t none = 0xffff;
  static_assert(sizeof(Entry) == 16 && entries_max < none);

  struct Storage {
    std::array<std::uint16_t, 1u << bucket_bits> heads;
    std::array<Entry, entries_max> entries;  // [0, used_) are in chains, the others untouched
  };
  static_assert(std::is_trivially_default_constructible_v<Storage>, "creating one must not touch its pages");

  std::uint16_t& head(std::uint32_t address) { return storage_->heads[hash32(address, bucket_bits)]; }

  Entry* lookup(std::uint32_t address) {
    if (used_ == 0) return nullptr;
    for (std::uint16_t i = head(address); i != none; i = storage_->entries[i].next) {
      if (storage_->entries[i].address == address) return &storage_->entries[i];
    }
    return nullptr;
  }

  Entry* fresh(std::uint32_t address) {
    Entry* entry = &storage_->entries[used_];
    entry->next = head(address);
    head(address) = used_++;
    return entry;
  }

  static std::uint32_t idle_s(const Entry& entry, std::uint32_t now_s) { return now_s - entry.last_use_s; }

  std::uint16_t used_ = 0;
  std::unique_ptr<Storage> storage_ = std::make_unique_for_overwrite<Storage>();
};

class LocalityLeastConnection final : public Scheduler {
 public:
  std::optional<DestinationId> pick(const Service& service, const ScheduleRequest& request, Loads loads) override {
    const std::uint32_t address = request.virtual_endpoint.address.host();
    if (LocalityCache::Entry* entry = cache_.find(address, request.now_s); entry != nullptr) {
      entry->last_use_s = request.now_s;
      if (still_good(service, entry->destination, loads)) return entry->destination;
    }
    const auto chosen = least_overhead_per_weight(service, loads);
    if (chosen.has_value()) cache_.remember(address, *chosen, request.now_s);
    return chosen;
  }

  /// Entries of a destination that was removed stay: should it come back under its identity, they hold again (IPVS
  /// revives a removed destination in the same way).
  void adopt(const Service&, const Scheduler& old, const Service&) override {
    cache_.copy_from(static_cast<const LocalityLeastConnection&>(old).cache_);
  }

 private:
  /// IPVS doesn't ask for the upper threshold here: a remembered destination may exceed it.
  static bool still_good(const Service& service, DestinationId destination, Loads loads) {
    const auto position = position_of(service, destination);
    if (!position.has_value()) return false;
    const Candidate& candidate = service.candidates[*position];
    if (candidate.weight == 0) return false;
    if (load_of(candidate, loads).active <= candidate.weight) return true;
    const auto idles = [&](const Candidate& other) {
      return std::uint64_t{load_of(other, loads).active} * 2 < other.weight;
    };
    return std::ranges::none_of(service.candidates, idles);
  }

  LocalityCache cache_;
};

}  // namespace

std::unique_ptr<Scheduler> make_lblc(const Service&) { return std::make_unique<LocalityLeastConnection>(); }

}  // namespace sluice::dataplane
