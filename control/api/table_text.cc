#include "control/api/table_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace sluice::control::api {

std::string aligned(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.cells.size()));
    for (std::size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < row.cells.size(); ++i) line += fmt::format("{:<{}} ", row.cells[i], widths[i]);
    line += row.cells.back();
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n" + row.details;
  }
  return text;
}

std::string counts_text(const Json& counts, bool zeros) {
  std::string text;
  for (const auto& [name, value] : counts.items()) {
    if (zeros || value.get<std::uint64_t>() != 0) text += fmt::format(" {}={}", name, value.get<std::uint64_t>());
  }
  return text.empty() ? " none" : text;
}

std::string duration_text(double seconds) {
  const auto whole = std::int64_t(seconds);
  const std::string clock = fmt::format("{:02}:{:02}:{:02}", whole / 3600 % 24, whole / 60 % 60, whole % 60);
  return whole < 86'400 ? clock : fmt::format("{}d {}", whole / 86'400, clock);
}

}  // namespace sluice::control::api
