// Tables of objects: rows with an index, columns with a number, a value where both meet. A table is declared as a list
// of columns, each with the function that reads it from a row; values are read when somebody asks, because a walk over
// 100,000 real servers has five million of them. Pure data, made from one snapshot and never changed.
//
//   OID of a value = the entry's OID, the column's number, the row's index
//
// What stands alone (a scalar) is a column of a table with one row, whose index is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "control/snmp/value.h"

namespace sluice::control::snmp {

template <typename Row>
struct Column {
  std::uint32_t number;
  Cell (*get)(const Row&);
};

/// A row and its index.
template <typename Row>
struct Indexed {
  Oid index;
  Row row;
};

class Table {
 public:
  /// columns: by number; they outlive the table. rows are put in order; of two with the same index the first counts.
  template <typename Row>
  Table(Oid entry, std::span<const Column<Row>> columns, std::vector<Indexed<Row>> rows) : entry_(std::move(entry)) {
    std::ranges::stable_sort(rows, {}, &Indexed<Row>::index);
    const auto twice = std::ranges::unique(rows, {}, &Indexed<Row>::index);
    rows.erase(twice.begin(), twice.end());
    for (const Column<Row>& column : columns) numbers_.push_back(column.number);
    auto values = std::make_shared<std::vector<Row>>();
    values->reserve(rows.size());
    indices_.reserve(rows.size());
    for (Indexed<Row>& each : rows) {
      indices_.push_back(std::move(each.index));
      values->push_back(std::move(each.row));
    }
    get_ = [columns, values](std::size_t column, std::size_t row) { return columns[column].get((*values)[row]); };
  }

  [[nodiscard]] Cell find(const Oid& oid) const;
  /// The first object after `oid`, which needn't exist.
  [[nodiscard]] std::optional<std::pair<Oid, Value>> next(const Oid& oid) const;

 private:
  [[nodiscard]] Oid oid_of(std::size_t column, std::size_t row) const;

  Oid entry_;
  std::vector<std::uint32_t> numbers_;  // of the columns, ascending
  std::vector<Oid> indices_;            // ascending
  std::function<Cell(std::size_t column, std::size_t row)> get_;
};

/// All objects there are.
class View {
 public:
  /// keeps: what the tables' rows point to.
  explicit View(std::shared_ptr<const void> keeps = nullptr) : keeps_(std::move(keeps)) {}

  void add(Table table) { tables_.push_back(std::move(table)); }
  template <typename Row>
  void add(Oid entry, std::span<const Column<Row>> columns, std::vector<Indexed<Row>> rows) {
    add(Table(std::move(entry), columns, std::move(rows)));
  }
  /// Scalars: `row` is what they are read from.
  template <typename Row>
  void add_scalars(Oid group, std::span<const Column<Row>> columns, Row row) {
    std::vector<Indexed<Row>> rows;
    rows.push_back({{0}, std::move(row)});
    add(Table(std::move(group), columns, std::move(rows)));
  }

  /// Nothing: there is no such object.
  [[nodiscard]] Cell find(const Oid& oid) const;
  /// Nothing: it was the last.
  [[nodiscard]] std::optional<std::pair<Oid, Value>> next(const Oid& oid) const;

 private:
  std::shared_ptr<const void> keeps_;
  std::vector<Table> tables_;
};

}  // namespace sluice::control::snmp
