#include "health/body_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::health {

namespace {

/// Some ten milliseconds of searching, and its memory.
constexpr std::uint32_t match_steps_max = 300'000;
constexpr std::uint32_t match_kibibytes_max = 1024;

std::string words(int error) {
  std::array<PCRE2_UCHAR, 160> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

bool goes_on_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// How much of `text` is whole UTF-8 characters: less than all if the last one has only begun.
std::size_t whole_characters(std::string_view text) {
  const std::size_t shortest = text.size() - std::min<std::size_t>(text.size(), 3);
  for (std::size_t at = text.size(); at > shortest; --at) {
    const auto byte = static_cast<unsigned char>(text[at - 1]);
    if ((byte & 0xc0) == 0x80) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return at - 1 + length > text.size() ? at - 1 : text.size();
  }
  return text.size();
}

}  // namespace

std::optional<std::uint32_t> regex_option(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 24> options{{
      {"allow_empty_class", PCRE2_ALLOW_EMPTY_CLASS},
      {"alt_bsux", PCRE2_ALT_BSUX},
      {"alt_circumflex", PCRE2_ALT_CIRCUMFLEX},
      {"alt_verbnames", PCRE2_ALT_VERBNAMES},
      {"auto_callout", PCRE2_AUTO_CALLOUT},
      {"caseless", PCRE2_CASELESS},
      {"dollar_endonly", PCRE2_DOLLAR_ENDONLY},
      {"dotall", PCRE2_DOTALL},
      {"dupnames", PCRE2_DUPNAMES},
      {"extended", PCRE2_EXTENDED},
      {"firstline", PCRE2_FIRSTLINE},
      {"match_unset_backref", PCRE2_MATCH_UNSET_BACKREF},
      {"multiline", PCRE2_MULTILINE},
      {"never_backslash_c", PCRE2_NEVER_BACKSLASH_C},
      {"never_ucp", PCRE2_NEVER_UCP},
      {"never_utf", PCRE2_NEVER_UTF},
      {"no_auto_capture", PCRE2_NO_AUTO_CAPTURE},
      {"no_auto_possess", PCRE2_NO_AUTO_POSSESS},
      {"no_dotstar_anchor", PCRE2_NO_DOTSTAR_ANCHOR},
      {"no_start_optimize", PCRE2_NO_START_OPTIMIZE},
      {"ucp", PCRE2_UCP},
      {"ungreedy", PCRE2_UNGREEDY},
      {"use_offset_limit", PCRE2_USE_OFFSET_LIMIT},
      {"utf", PCRE2_UTF},
  }};
  const auto found = std::find_if(options.begin(), options.end(), [&](const auto& one) { return one.first == word; });
  return found == options.end() ? std::nullopt : std::optional(found->second);
}

void Regex::Free::operator()(pcre2_code* code) const { pcre2_code_free(code); }
void RegexSearch::Free::operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
void RegexSearch::Free::operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }

Result<Regex> Regex::compile(RegexSpec spec) {
  std::uint32_t options = spec.options;
  if (spec.max_offset) options |= PCRE2_USE_OFFSET_LIMIT;
  // A body may hold anything; what isn't UTF-8 matches nothing instead of ending the search.
  if ((options & PCRE2_UTF) != 0) options |= PCRE2_MATCH_INVALID_UTF;
  int error = 0;
  PCRE2_SIZE offset = 0;
  Regex regex;
  regex.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spec.pattern.data()), spec.pattern.size(), options,
                                  &error, &offset, nullptr));
  if (!regex.code_) return fail("regex", words(error) + " at offset " + std::to_string(offset));

  std::uint32_t lookbehind = 0;
  std::uint32_t all_options = 0;
  pcre2_pattern_info(regex.code_.get(), PCRE2_INFO_MAXLOOKBEHIND, &lookbehind);
  pcre2_pattern_info(regex.code_.get(), PCRE2_INFO_ALLOPTIONS, &all_options);
  regex.utf_ = (all_options & PCRE2_UTF) != 0;  // the pattern may say so itself
  // At least one character, so that the window's start is never taken for the body's.
  regex.lookbehind_bytes_ = std::max<std::size_t>(lookbehind, 1) * (regex.utf_ ? 4 : 1);
  regex.spec_ = std::move(spec);
  return regex;
}

RegexSearch::RegexSearch(const Regex& regex)
    : regex_(regex), context_(pcre2_match_context_create(nullptr)), data_(pcre2_match_data_create(1, nullptr)) {
  if (!context_ || !data_) {
    give_up("no memory for the regex");
    return;
  }
  pcre2_set_match_limit(context_.get(), match_steps_max);
  pcre2_set_heap_limit(context_.get(), match_kibibytes_max);
}

void RegexSearch::feed(std::string_view body) {
  // In pieces, so that the window stays small whatever the caller's are.
  constexpr std::size_t piece = 4096;
  for (; state_ == State::searching && !body.empty(); body.remove_prefix(std::min(piece, body.size()))) {
    window_.append(body.substr(0, piece));
    search(false);
    drop_what_is_done();
  }
}

void RegexSearch::end() {
  if (state_ == State::searching) search(true);
  if (state_ == State::searching) state_ = State::over;
  window_ = {};
}

void RegexSearch::search(bool is_last) {
  const RegexSpec& spec = regex_.spec();
  const std::size_t size = regex_.utf_ && !is_last ? whole_characters(window_) : window_.size();
  const std::uint64_t min = spec.min_offset > window_at_ ? spec.min_offset - window_at_ : 0;
  if (min > size) {
    from_ = size;
    return;
  }
  std::size_t start = std::max<std::size_t>(from_, min);
  while (regex_.utf_ && start < size && goes_on_a_character(window_[start])) ++start;
  if (spec.max_offset) {
    if (window_at_ + start > *spec.max_offset) {
      state_ = State::over;
      return;
    }
    pcre2_set_offset_limit(context_.get(), *spec.max_offset - window_at_);
  }

  const int result = pcre2_match(regex_.code_.get(), reinterpret_cast<PCRE2_SPTR>(window_.data()), size, start,
                                 is_last ? 0 : PCRE2_PARTIAL_HARD, data_.get(), context_.get());
  if (result >= 0) {
    state_ = State::matched;
  } else if (result == PCRE2_ERROR_PARTIAL) {
    from_ = pcre2_get_ovector_pointer(data_.get())[0];
  } else if (result == PCRE2_ERROR_NOMATCH) {
    from_ = size;
    const bool first_line_only = (spec.options & PCRE2_FIRSTLINE) != 0;
    if (first_line_only && std::string_view(window_).substr(start).find('\n') != std::string_view::npos) {
      state_ = State::over;
    }
  } else {
    give_up("the regex gave up: " + words(result));
  }
}

void RegexSearch::drop_what_is_done() {
  if (state_ != State::searching) {
    window_ = {};
    return;
  }
  std::size_t done = from_ - std::min(from_, regex_.lookbehind_bytes_);
  while (regex_.utf_ && done > 0 && goes_on_a_character(window_[done])) --done;
  window_.erase(0, done);
  window_at_ += done;
  from_ -= done;
  if (window_.size() > window_bytes_max) {
    give_up("the regex needs more than " + std::to_string(window_bytes_max) + " bytes of the body at once");
  }
}

void RegexSearch::give_up(std::string why) {
  problem_ = std::move(why);
  state_ = State::over;
  window_ = {};
}

}  // namespace sluice::health
