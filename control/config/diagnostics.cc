// Complaints and positions; see diagnostics.h.
#include "control/config/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace sluice::control::config {

namespace {

/// A complaint shows this much of its line, bytes; a longer line was refused anyway (lexer.h).
constexpr std::size_t line_text_max = 1024;

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::notice: return "notice";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "";
}

}  // namespace

namespace {

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string quoted(std::string_view word) {
  return "'" + printable(word.substr(0, quoted_bytes_max)) + (word.size() > quoted_bytes_max ? "..." : "") + "'";
}

std::string Complaint::text() const {
  std::string where = file;
  if (line != 0) where += fmt::format(":{}", line);
  if (line != 0 && column != 0) where += fmt::format(":{}", column);
  return fmt::format("{}: {}: {}", where, name_of(severity), message);
}

std::uint32_t Diagnostics::add_file(std::string name, std::shared_ptr<const std::string> text, Place included_from) {
  files_.push_back({std::make_shared<const std::string>(std::move(name)), std::move(text), included_from, {}});
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string Diagnostics::included_from(std::uint32_t file) const {
  std::string chain;
  for (Place from = files_[file].included_from; from.line != 0; from = files_[from.file].included_from) {
    chain += fmt::format("{}{}:{}", chain.empty() ? "" : ", ", file_name(from.file), from.line);
  }
  return chain;
}

Position Diagnostics::position(Place place) const { return {files_[place.file].name, place.line, place.column}; }

Place Diagnostics::place(const Position& position) const {
  for (std::uint32_t file = 0; file < files_.size(); ++file) {
    if (files_[file].name == position.file) return {file, position.line, position.column};
  }
  return {0, position.line, position.column};
}

void Diagnostics::notice(Place place, std::string message) {
  if (!notices_muted_) add(Severity::notice, place, std::move(message), exit_status_clean);
}

void Diagnostics::add(Severity severity, Place place, std::string message, int exit_status) {
  message = printable(message);  // where a word stands in it without quotes
  // A line that a generator repeats goes wrong in the same way each time.
  if (!complaints_.empty() && complaints_.back().first == place && complaints_.back().second.message == message) return;
  include_failed_ = include_failed_ || exit_status == exit_status_include;
  if (++(severity == Severity::notice ? notices_ : problems_) > complaints_max) {
    ++dropped_;
    // -t must not turn green because the decisive complaint came too late.
    if (exit_status == exit_status_fatal || dropped_status_ == exit_status_fatal) {
      dropped_status_ = exit_status_fatal;
    } else {
      dropped_status_ = std::max(dropped_status_, exit_status);
    }
    return;
  }
  complaints_.emplace_back(
      place, Complaint{severity, file_name(place.file), place.line, place.column, std::move(message), line_text(place),
                       exit_status, included_from(place.file)});
}

bool Diagnostics::mute_notices(bool muted) { return std::exchange(notices_muted_, muted); }

void Diagnostics::finish(ParseOutcome& outcome) {
  std::stable_sort(complaints_.begin(), complaints_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.file, a.first.line, a.first.column) < std::tie(b.first.file, b.first.line, b.first.column);
  });
  outcome.complaints.reserve(complaints_.size() + 1);
  for (auto& entry : complaints_) outcome.complaints.push_back(std::move(entry.second));
  outcome.complaints_dropped = dropped_;
  if (dropped_ > 0) {
    outcome.complaints.push_back(
        Complaint{dropped_status_ == 0 ? Severity::notice : Severity::warning, *files_.front().name, 0, 0,
                  fmt::format("{} more complaints are not shown", dropped_), "", dropped_status_});
  }
  outcome.include_failed = include_failed_;
  for (const File& file : files_) outcome.files.push_back(*file.name);
}

std::string Diagnostics::line_text(Place place) {
  File& file = files_[place.file];
  const std::string& bytes = *file.text;
  if (file.line_starts.empty()) {
    file.line_starts.push_back(0);
    for (std::size_t at = bytes.find('\n'); at != std::string::npos; at = bytes.find('\n', at + 1)) {
      file.line_starts.push_back(at + 1);
    }
  }
  if (place.line == 0 || place.line > file.line_starts.size()) return {};
  const std::size_t start = file.line_starts[place.line - 1];
  std::string_view line = std::string_view(bytes).substr(start, line_text_max);
  if (start == 0 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);  // columns don't count it
  return std::string(line.substr(0, line.find_first_of("\r\n")));
}

}  // namespace sluice::control::config
