#include "health/http_answer.h"

#include <algorithm>
#include <charconv>

namespace sluice::health {

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// "HTTP/1.1 200 OK" gives 200.
std::optional<std::uint16_t> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/")) return std::nullopt;
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const std::string_view rest = trimmed(line.substr(space));
  const auto status = whole_number<std::uint16_t>(rest.substr(0, rest.find(' ')));
  return status && *status >= 100 && *status <= 999 ? status : std::nullopt;
}

}  // namespace

std::string_view HttpAnswer::feed(std::string_view bytes) {
  if (!problem_.empty()) return {};
  if (!in_body_) {
    const std::size_t had = head_.size();
    // One byte past the limit is kept, to tell a head of exactly the limit from one that goes on.
    head_.append(bytes.substr(0, std::size_t{head_bytes_max_} + 1 - had));
    const std::size_t search_from = had < head_end.size() ? 0 : had - (head_end.size() - 1);
    const std::size_t end = head_.find(head_end, search_from);
    if (end == std::string::npos || end + head_end.size() > head_bytes_max_) {
      if (head_.size() > head_bytes_max_) {
        problem_ = "the headers are over " + std::to_string(head_bytes_max_) + " bytes";
        head_ = {};
      }
      return {};
    }
    bytes.remove_prefix(end + head_end.size() - had);
    head_.resize(end);
    read_head();
    head_ = {};
    in_body_ = true;
  }

  const std::uint64_t wanted =
      content_length_ ? *content_length_ - std::min(*content_length_, body_bytes_) : UINT64_MAX;
  body_bytes_ += bytes.size();
  if (body_bytes_ > body_bytes_max_) {
    problem_ = "the body is over " + std::to_string(body_bytes_max_) + " bytes";
    return {};
  }
  return bytes.substr(0, std::min<std::uint64_t>(bytes.size(), wanted));
}

void HttpAnswer::read_head() {
  std::string_view rest = head_;
  for (bool first_line = true; !rest.empty(); first_line = false) {
    const auto line_end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, line_end);
    rest.remove_prefix(line_end == std::string_view::npos ? rest.size() : line_end + 2);
    if (first_line) {
      status_ = status_of(line);
      continue;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || content_length_) continue;
    if (!equal_ignoring_case(line.substr(0, colon), "content-length")) continue;
    content_length_ = whole_number<std::uint64_t>(trimmed(line.substr(colon + 1)));
  }
}

}  // namespace sluice::health
