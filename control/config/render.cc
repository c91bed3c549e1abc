// A complaint as an operator wants to see it: the line, the word marked, who included the file; see parse.h.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/characters.h"
#include "control/config/parse.h"

namespace sluice::control::config {

namespace {

constexpr std::string_view indent = "    ";
/// Columns of a line that are shown, and how many of them before the word.
constexpr std::size_t shown_columns = 100;
constexpr std::size_t shown_before = 40;
constexpr std::size_t tab_columns = 4;

/// One column or several: what a byte, or a letter of several bytes, looks like.
struct Cell {
  std::string text;
  std::size_t byte = 0;  ///< where it comes from
  std::size_t columns = 0;
};

/// Bytes of the letter at the start of `text` if it is one that every terminal shows in one column: Latin, Greek,
/// Cyrillic. 0: no such letter.
std::size_t foreign_letter(std::string_view text) {
  if (text.size() < 2 || (text[1] & 0xc0) != 0x80 || (text[0] & 0xe0) != 0xc0) return 0;
  const unsigned code = (text[0] & 0x1fu) << 6 | (text[1] & 0x3fu);
  const bool is_latin = code >= 0xa1 && code < 0x300 && code != 0xad;
  const bool is_greek_or_cyrillic = code >= 0x386 && code < 0x483;
  return is_latin || is_greek_or_cyrillic ? 2 : 0;
}

std::vector<Cell> cells_of(std::string_view line) {
  std::vector<Cell> cells;
  std::size_t columns = 0;
  for (std::size_t at = 0; at < line.size();) {
    std::string text;
    std::size_t width = 1;
    std::size_t bytes = 1;
    if (line[at] == '\t') {
      width = tab_columns - columns % tab_columns;
      text = std::string(width, ' ');
    } else if (line[at] >= 0x20 && line[at] < 0x7f) {
      text = std::string(line.substr(at, 1));
    } else if (const std::size_t letter = foreign_letter(line.substr(at)); letter > 0) {
      bytes = letter;
      text = std::string(line.substr(at, bytes));
    } else {
      text = fmt::format("\\x{:02x}", static_cast<unsigned char>(line[at]));
      width = text.size();
    }
    cells.push_back({std::move(text), at, width});
    columns += width;
    at += bytes;
  }
  return cells;
}

/// Where the word at `from` ends: a quoted one with its quotes, a brace alone.
std::size_t word_end(std::string_view line, std::size_t from) {
  if (from >= line.size()) return from;
  if (line[from] == '"') {
    const std::size_t close = line.find('"', from + 1);
    return close == std::string_view::npos ? line.size() : close + 1;
  }
  std::size_t end = from;
  while (end < line.size() && (class_of(line[end]) & (blank_char | brace_char | comment_char)) == 0) ++end;
  return std::max(end, from + 1);
}

/// The line and the mark below it.
std::string excerpt(std::string_view line, std::size_t from) {
  const std::size_t to = word_end(line, from);
  const std::vector<Cell> cells = cells_of(line);
  const auto first_of = [&](std::size_t byte) {
    return static_cast<std::size_t>(
        std::find_if(cells.begin(), cells.end(), [&](const Cell& cell) { return cell.byte >= byte; }) - cells.begin());
  };
  const std::size_t word = first_of(from);
  std::size_t first = 0;
  std::size_t columns = 0;
  for (const Cell& cell : cells) columns += cell.columns;
  if (columns > shown_columns) first = word < shown_before ? 0 : word - shown_before;

  std::string shown = first > 0 ? "..." : "";
  std::string mark(shown.size(), ' ');
  columns = shown.size();
  std::size_t at = first;
  for (; at < cells.size() && columns + cells[at].columns <= shown_columns; ++at) {
    shown += cells[at].text;
    columns += cells[at].columns;
    if (at < word) mark.append(cells[at].columns, ' ');
    if (at >= word && cells[at].byte < to) mark.append(cells[at].columns, '~');
  }
  if (at < cells.size()) shown += "...";
  const std::size_t caret = mark.find_first_not_of(' ');
  if (caret == std::string::npos) {
    mark += '^';
  } else {
    mark[caret] = '^';
  }
  shown.erase(shown.find_last_not_of(' ') + 1);
  return fmt::format("{}{}\n{}{}\n", indent, shown, indent, mark);
}

}  // namespace

std::string render(const Complaint& complaint) {
  std::string out = complaint.text() + "\n";
  if (complaint.line != 0 && complaint.column != 0 && !trimmed(complaint.line_text).empty()) {
    out += excerpt(complaint.line_text, complaint.column - 1);
  }
  if (!complaint.included_from.empty()) {
    out += fmt::format("{}included from {}\n", indent, complaint.included_from);
  }
  return out;
}

}  // namespace sluice::control::config
