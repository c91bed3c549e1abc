#include "control/api/request.h"

#include <charconv>

namespace sluice::control::api {

namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    unsigned byte = 0;
    const char* end = text.data() + i + 3;
    const auto [stop, error] = std::from_chars(text.data() + i + 1, end, byte, 16);
    if (error != std::errc() || stop != end || byte == 0) return std::nullopt;
    decoded += char(byte);
    i += 2;
  }
  return decoded;
}

}  // namespace

std::optional<Request> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return std::nullopt;
  const auto question = target.find('?');
  auto path = percent_decoded(target.substr(0, question));
  if (!path) return std::nullopt;
  Request request{.path = std::move(*path)};
  auto rest = question == std::string_view::npos ? std::string_view() : target.substr(question + 1);
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals));
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    request.query.insert_or_assign(std::move(*name), std::move(*value));
  }
  return request;
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF", plain = "-._~/";
  std::string encoded;
  for (const char byte : text) {
    const bool is_alphanumeric =
        (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
    if (is_alphanumeric || plain.find(byte) != std::string_view::npos) {
      encoded += byte;
    } else {
      const auto value = static_cast<unsigned char>(byte);
      encoded += {'%', digits[value >> 4], digits[value & 15]};
    }
  }
  return encoded;
}

std::size_t Request::number(const std::string& name, std::size_t fallback) const {
  const auto found = query.find(name);
  if (found == query.end()) return fallback;
  const auto& text = found->second;
  std::size_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stop == text.data() + text.size() ? value : fallback;
}

}  // namespace sluice::control::api
