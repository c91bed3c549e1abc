// The regular expression that a body must match (or must not): PCRE2, compiled once per checker, searched in a body
// that arrives in pieces and is never kept. Pure, so it can be fuzzed; where the body comes from is http_get.cc's.
//
// Between two pieces only what a match may still need stays in memory: from where a match has begun and could go on in
// the next piece, and before it as many characters as the pattern looks behind. A pattern such as `a.*b` with dotall
// would need the whole body; it gets `window_bytes_max` of it, and past that the search gives up and says so. So it
// does when a match takes more than a bounded number of steps: the health thread must not stand still for one pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/error.h"

struct pcre2_real_code_8;
struct pcre2_real_match_context_8;
struct pcre2_real_match_data_8;

namespace sluice::health {

struct RegexSpec {
  std::string pattern;
  std::uint32_t options = 0;                ///< regex_option() of each word, joined by |
  std::uint64_t min_offset = 0;             ///< bytes of the body; a match begins at or after it
  std::optional<std::uint64_t> max_offset;  ///< and at or before this
  bool no_match = false;                    ///< the body must not match

  bool operator==(const RegexSpec&) const = default;
};

/// PCRE2's option for a word of keepalived's regex_options: "caseless", "dotall". Nothing if there is none.
[[nodiscard]] std::optional<std::uint32_t> regex_option(std::string_view word);

/// A compiled pattern.
class Regex {
 public:
  /// Error: PCRE2's own words and where in the pattern: "regex: missing closing parenthesis at offset 4".
  static Result<Regex> compile(RegexSpec spec);

  [[nodiscard]] const RegexSpec& spec() const { return spec_; }

 private:
  friend class RegexSearch;
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  Regex() = default;

  RegexSpec spec_;
  std::unique_ptr<pcre2_real_code_8, Free> code_;
  std::size_t lookbehind_bytes_ = 1;
  bool utf_ = false;
};

/// One search in one body. The Regex must outlive it.
class RegexSearch {
 public:
  static constexpr std::size_t window_bytes_max = 64 * 1024;

  explicit RegexSearch(const Regex& regex);

  void feed(std::string_view body);
  /// The body is complete.
  void end();

  /// After end(): did it match?
  [[nodiscard]] bool matched() const { return state_ == State::matched; }
  /// Why the search gave up; then nothing is known. Empty while all is well.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class State : std::uint8_t { searching, matched, over };
  struct Free {
    void operator()(pcre2_real_match_context_8* context) const;
    void operator()(pcre2_real_match_data_8* data) const;
  };

  void search(bool is_last);
  void drop_what_is_done();
  void give_up(std::string why);

  const Regex& regex_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  std::string window_;
  std::uint64_t window_at_ = 0;  // where in the body the window begins
  std::size_t from_ = 0;         // in the window: no match begins before
  State state_ = State::searching;
  std::string problem_;
};

}  // namespace sluice::health
