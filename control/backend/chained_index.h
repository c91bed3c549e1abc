// Finds entries of an array by what they hold: a hash table whose chains run through the entries themselves, so that an
// entry costs two small numbers here, and no allocation. For tables of a hundred thousand entries that are kept anyway.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::control {

/// Entries are numbered 0.. by whoever holds them. Access: hash_of(n), the hash of an entry that is in, and next_of(n),
/// a std::uint32_t& in entry n which belongs to the index while the entry is in it.
class ChainedIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;

  template <typename Access>
  void insert(std::uint32_t entry, Access&& access) {
    if (2 * count_ >= heads_.size()) grow(access);
    ++count_;
    link(entry, access);
  }

  /// The entry must be in.
  template <typename Access>
  void erase(std::uint32_t entry, Access&& access) {
    std::uint32_t* at = &heads_[access.hash_of(entry) & (heads_.size() - 1)];
    while (*at != entry) at = &access.next_of(*at);
    *at = access.next_of(entry);
    --count_;
  }

  /// The first entry with this hash that is_it(n) says yes to; none if there is none.
  template <typename Access, typename IsIt>
  [[nodiscard]] std::uint32_t find(std::size_t hash, Access&& access, IsIt&& is_it) const {
    if (heads_.empty()) return none;
    std::uint32_t entry = heads_[hash & (heads_.size() - 1)];
    while (entry != none && !is_it(entry)) entry = access.next_of(entry);
    return entry;
  }

 private:
  template <typename Access>
  void link(std::uint32_t entry, Access&& access) {
    std::uint32_t& head = heads_[access.hash_of(entry) & (heads_.size() - 1)];
    access.next_of(entry) = head;
    head = entry;
  }
  template <typename Access>
  void grow(Access&& access) {
    const std::vector<std::uint32_t> old = std::move(heads_);
    heads_.assign(old.empty() ? 64 : 2 * old.size(), none);
    for (std::uint32_t entry : old) {
      while (entry != none) {
        const std::uint32_t next = access.next_of(entry);
        link(entry, access);
        entry = next;
      }
    }
  }

  std::vector<std::uint32_t>
      heads_;  // a power of two of them, at least twice as many as entries: most chains are empty or one long
  std::size_t count_ = 0;
};

}  // namespace sluice::control
