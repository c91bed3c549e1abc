#include "control/snmp/table.h"

namespace sluice::control::snmp {

namespace {

bool is_prefix(const Oid& prefix, const Oid& oid) {
  return prefix.size() <= oid.size() && std::equal(prefix.begin(), prefix.end(), oid.begin());
}

std::string bytes_text(std::span<const std::uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

Value address(const net::IpAddr& address) {
  return text(address.is_v6() ? bytes_text(address.v6().bytes) : ip_address(address.v4()).octets);
}

Value ip_address(const net::Ipv4Addr& address) {
  const std::uint32_t host = address.host();
  std::string octets;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) octets.push_back(char(host >> shift & 0xff));
  return {Type::ip_address, 0, std::move(octets)};
}

Value mac_address(const net::MacAddr& address) { return text(bytes_text(address.bytes)); }

void append(Oid& oid, const net::IpAddr& from) {
  for (const char byte : address(from).octets) oid.push_back(std::uint8_t(byte));
}

Oid Table::oid_of(std::size_t column, std::size_t row) const {
  Oid oid = entry_;
  oid.push_back(numbers_[column]);
  oid.insert(oid.end(), indices_[row].begin(), indices_[row].end());
  return oid;
}

Cell Table::find(const Oid& oid) const {
  if (oid.size() <= entry_.size() || !is_prefix(entry_, oid)) return std::nullopt;
  const auto column = std::ranges::lower_bound(numbers_, oid[entry_.size()]);
  if (column == numbers_.end() || *column != oid[entry_.size()]) return std::nullopt;
  const Oid index(oid.begin() + std::ptrdiff_t(entry_.size()) + 1, oid.end());
  const auto row = std::ranges::lower_bound(indices_, index);
  if (row == indices_.end() || *row != index) return std::nullopt;
  return get_(std::size_t(column - numbers_.begin()), std::size_t(row - indices_.begin()));
}

std::optional<std::pair<Oid, Value>> Table::next(const Oid& oid) const {
  std::size_t column = 0, row = 0;
  if (oid > entry_) {
    if (!is_prefix(entry_, oid)) return std::nullopt;  // beyond the table
    const auto at = std::ranges::lower_bound(numbers_, oid[entry_.size()]);
    column = std::size_t(at - numbers_.begin());
    if (at != numbers_.end() && *at == oid[entry_.size()] && oid.size() > entry_.size() + 1) {
      const Oid index(oid.begin() + std::ptrdiff_t(entry_.size()) + 1, oid.end());
      row = std::size_t(std::ranges::upper_bound(indices_, index) - indices_.begin());
    }
  }
  for (; column < numbers_.size(); ++column, row = 0) {
    for (; row < indices_.size(); ++row) {
      if (Cell cell = get_(column, row)) return std::pair(oid_of(column, row), std::move(*cell));
    }
  }
  return std::nullopt;
}

Cell View::find(const Oid& oid) const {
  for (const Table& table : tables_) {
    if (Cell cell = table.find(oid)) return cell;
  }
  return std::nullopt;
}

std::optional<std::pair<Oid, Value>> View::next(const Oid& oid) const {
  std::optional<std::pair<Oid, Value>> first;
  for (const Table& table : tables_) {
    auto next = table.next(oid);
    if (next && (!first || next->first < first->first)) first = std::move(next);
  }
  return first;
}

}  // namespace sluice::control::snmp
