// From a packet's destination or mark to its virtual service, and from an address to "is it a virtual address". Small
// hash tables with linear probing in lazily mapped memory; owned by one worker; insert and erase move entries but never
// allocate.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/ids.h"
#include "dataplane/mapping.h"
#include "dataplane/table/service.h"

namespace sluice::dataplane {

/// Key: 64 bits, any value. Value: 32 bits. capacity: entries, a power of two; fill at most half of it.
class ProbeTable {
 public:
  static Result<ProbeTable> create(std::size_t capacity, const std::string& name);

  [[nodiscard]] const std::uint32_t* find(std::uint64_t key) const {
    for (std::size_t i = home(key);; i = (i + 1) & mask_) {
      const Entry& entry = entries_[i];
      if (!entry.used) return nullptr;
      if (entry.key == key) return &entry.value;
    }
  }
  /// The value for key, made zero if it wasn't there. The table must not be full.
  std::uint32_t& at(std::uint64_t key);
  void erase(std::uint64_t key);

 private:
  struct Entry {
    std::uint64_t key;
    std::uint32_t value;
    std::uint32_t used;
  };
  explicit ProbeTable(Mapping memory)
      : memory_(std::move(memory)), entries_(memory_.as<Entry>()), mask_(entries_.size() - 1) {}
  [[nodiscard]] std::size_t home(std::uint64_t key) const {
    return std::size_t((key * 0x9e3779b97f4a7c15ull) >> 32) & mask_;
  }

  Mapping memory_;
  std::span<Entry> entries_;
  std::size_t mask_;
};

class ServiceMap {
 public:
  static Result<ServiceMap> create();

  [[nodiscard]] std::optional<ServiceId> find(const ServiceKey& key) const {
    const std::uint32_t* id = services_.find(key_bits(key));
    if (id == nullptr) return std::nullopt;
    return ServiceId{*id};
  }

  /// The service that takes packets with this mark. mark: not 0.
  [[nodiscard]] std::optional<ServiceId> find_mark(std::uint32_t mark) const {
    const std::uint32_t* id = marks_.find(mark);
    if (id == nullptr) return std::nullopt;
    return ServiceId{*id};
  }
  /// Some service with a mark translates.
  [[nodiscard]] bool marks_have_nat() const { return nat_marks_ > 0; }

  /// What a worker must know of a destination address before anything else.
  struct VirtualAddress {
    bool is_virtual;  ///< some service has it: the packet goes to servers
    bool has_nat;     ///< one of them translates: both directions must meet at one worker
  };
  [[nodiscard]] VirtualAddress virtual_address(net::Ipv4Addr address) const {
    if (!may_be_virtual(address)) return {false, false};
    const std::uint32_t* uses = addresses_.find(address.value.raw());
    if (uses == nullptr) return {false, false};
    return {true, (*uses >> 16) != 0};
  }

  void insert(const ServiceKey& key, ServiceId id, bool has_nat);
  /// A service that is there begins or ceases to have NAT destinations.
  void change_nat(const ServiceKey& key, bool has_nat);
  void erase(const ServiceKey& key, bool has_nat);

 private:
  ServiceMap(ProbeTable services, ProbeTable addresses, ProbeTable marks)
      : services_(std::move(services)), addresses_(std::move(addresses)), marks_(std::move(marks)) {}
  static std::uint64_t key_bits(const ServiceKey& key) {
    return (std::uint64_t{key.address.value.raw()} << 32) | (std::uint64_t{key.port.value.raw()} << 8) |
           std::uint64_t(key.protocol);
  }

  // A packet to a client asks too, and the table is large and cold for any client: one bit of 4 KiB says no to nearly
  // all.
  static constexpr std::size_t filter_bits = 1u << 15;
  static std::size_t filter_bit(net::Ipv4Addr address) {
    return std::size_t((address.value.raw() * 0x9e3779b97f4a7c15ull) >> 49);
  }
  [[nodiscard]] bool may_be_virtual(net::Ipv4Addr address) const {
    const std::size_t bit = filter_bit(address);
    return (filter_[bit / 64] >> (bit % 64) & 1) != 0;
  }

  static constexpr std::uint32_t one_use = 1;
  static constexpr std::uint32_t one_nat_use = 1u << 16;

  ProbeTable services_;   // ServiceKey -> ServiceId
  ProbeTable addresses_;  // virtual address -> services that have it (low half), those with NAT (high half)
  ProbeTable marks_;      // mark -> ServiceId
  std::uint32_t nat_marks_ = 0;
  // Of addresses that are virtual, or were: a bit too many costs one look into the table.
  std::array<std::uint64_t, filter_bits / 64> filter_{};
};

}  // namespace sluice::dataplane
