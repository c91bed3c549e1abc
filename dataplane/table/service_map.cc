#include "dataplane/table/service_map.h"

namespace sluice::dataplane {

Result<ProbeTable> ProbeTable::create(std::size_t capacity, const std::string& name) {
  auto memory = Mapping::create(capacity * sizeof(Entry), Mapping::Kind::private_memory, name);
  if (!memory) return std::unexpected(memory.error());
  return ProbeTable(std::move(*memory));
}

std::uint32_t& ProbeTable::at(std::uint64_t key) {
  std::size_t i = home(key);
  while (entries_[i].used != 0 && entries_[i].key != key) i = (i + 1) & mask_;
  Entry& entry = entries_[i];
  if (entry.used == 0) entry = {key, 0, 1};
  return entry.value;
}

// Backward shift: entries behind the hole move up if the hole lies between their home and them, so that no probe ends
// early and no tombstones gather.
void ProbeTable::erase(std::uint64_t key) {
  std::size_t hole = home(key);
  while (true) {
    if (entries_[hole].used == 0) return;
    if (entries_[hole].key == key) break;
    hole = (hole + 1) & mask_;
  }
  for (std::size_t i = (hole + 1) & mask_; entries_[i].used != 0; i = (i + 1) & mask_) {
    const std::size_t distance_from_home = (i - home(entries_[i].key)) & mask_;
    if (distance_from_home >= ((i - hole) & mask_)) {
      entries_[hole] = entries_[i];
      hole = i;
    }
  }
  entries_[hole] = {};
}

// Twice services_max, rounded to a power of two: at most half full.
static constexpr std::size_t table_capacity = 1u << 17;
static_assert(table_capacity >= 2 * services_max);

Result<ServiceMap> ServiceMap::create() {
  auto services = ProbeTable::create(table_capacity, "service table");
  if (!services) return std::unexpected(services.error());
  auto addresses = ProbeTable::create(table_capacity, "virtual address table");
  if (!addresses) return std::unexpected(addresses.error());
  auto marks = ProbeTable::create(table_capacity, "table of marks");
  if (!marks) return std::unexpected(marks.error());
  return ServiceMap(std::move(*services), std::move(*addresses), std::move(*marks));
}

void ServiceMap::insert(const ServiceKey& key, ServiceId id, bool has_nat) {
  if (key.mark != 0) {
    marks_.at(key.mark) = std::uint32_t(index(id));
    nat_marks_ += has_nat ? 1 : 0;
    return;
  }
  services_.at(key_bits(key)) = std::uint32_t(index(id));
  const std::size_t bit = filter_bit(key.address);
  filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  addresses_.at(key.address.value.raw()) += one_use + (has_nat ? one_nat_use : 0);
}

void ServiceMap::change_nat(const ServiceKey& key, bool has_nat) {
  if (key.mark != 0) {
    nat_marks_ = has_nat ? nat_marks_ + 1 : nat_marks_ - 1;
    return;
  }
  std::uint32_t& uses = addresses_.at(key.address.value.raw());
  uses = has_nat ? uses + one_nat_use : uses - one_nat_use;
}

void ServiceMap::erase(const ServiceKey& key, bool has_nat) {
  if (key.mark != 0) {
    marks_.erase(key.mark);
    nat_marks_ -= has_nat ? 1 : 0;
    return;
  }
  services_.erase(key_bits(key));
  std::uint32_t& uses = addresses_.at(key.address.value.raw());
  uses -= one_use + (has_nat ? one_nat_use : 0);
  if (uses == 0) addresses_.erase(key.address.value.raw());
}

}  // namespace sluice::dataplane
