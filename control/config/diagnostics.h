// Collects complaints while a configuration is read, and remembers the text of every file so that a complaint can
// show the line it is about. Internal to control/config; the outside sees Complaint (parse.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/config.h"
#include "control/config/parse.h"

namespace sluice::control::config {

/// A position before it becomes text: file is an index into the Diagnostics' files.
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const Place&) const = default;
};

/// Longest part of a foreign word that a message quotes, bytes.
inline constexpr std::size_t quoted_bytes_max = 80;

/// The word in single quotes, cut to quoted_bytes_max, control and non-ASCII bytes as \xHH: messages go to terminals.
[[nodiscard]] std::string quoted(std::string_view word);

class Diagnostics {
 public:
  /// Remembers a file; `text` is kept alive. included_from: the place of the include, line 0 if there is none. Returns
  /// its index.
  std::uint32_t add_file(std::string name, std::shared_ptr<const std::string> text, Place included_from = {});
  [[nodiscard]] const std::string& file_name(std::uint32_t file) const { return *files_[file].name; }
  [[nodiscard]] std::string_view file_text(std::uint32_t file) const { return *files_[file].text; }
  /// Line 0 for a main file.
  [[nodiscard]] Place place_of_include(std::uint32_t file) const { return files_[file].included_from; }
  /// "FILE:LINE, FILE:LINE ...": who included it, innermost first. Empty for a main file.
  [[nodiscard]] std::string included_from(std::uint32_t file) const;
  [[nodiscard]] Position position(Place place) const;
  /// The other way round, for complaints about the model once all of it is known.
  [[nodiscard]] Place place(const Position& position) const;

  /// Notices are not recorded while muted (inside what is skipped as a whole, and said so once).
  void notice(Place place, std::string message);
  void warning(Place place, std::string message) {
    add(Severity::warning, place, std::move(message), exit_status_config);
  }
  void error(Place place, std::string message) { add(Severity::error, place, std::move(message), exit_status_config); }
  /// keepalived gives up at such a mistake; we go on, but -t answers as it does.
  void missing_argument(Place place, std::string message) {
    add(Severity::error, place, std::move(message), exit_status_fatal);
  }
  void add(Severity severity, Place place, std::string message, int exit_status);

  /// Warnings and errors are only counted from now on: what their messages would cost can be saved.
  [[nodiscard]] bool is_full() const { return problems_ >= complaints_max; }

  /// Returns the previous state.
  bool mute_notices(bool muted);

  /// Moves what was collected into the outcome, in the order of files and lines.
  void finish(ParseOutcome& outcome);

 private:
  struct File {
    std::shared_ptr<const std::string> name;
    std::shared_ptr<const std::string> text;
    Place included_from;
    std::vector<std::size_t> line_starts;  ///< found when first asked for
  };

  [[nodiscard]] std::string line_text(Place place);

  std::vector<File> files_;
  std::vector<std::pair<Place, Complaint>> complaints_;
  std::size_t problems_ = 0;
  std::size_t notices_ = 0;
  std::size_t dropped_ = 0;
  int dropped_status_ = 0;
  bool include_failed_ = false;
  bool notices_muted_ = false;
};

}  // namespace sluice::control::config
