// What the language takes for a blank, a name, a comment. One table, so that a line is classified in one pass.
// Internal to the lexer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::control::config {

inline constexpr std::uint8_t blank_char = 1;
inline constexpr std::uint8_t brace_char = 2;
inline constexpr std::uint8_t comment_char = 4;
/// Needs more than cutting at blanks: definitions, conditions, generators, quotes, escapes, NUL, foreign bytes.
inline constexpr std::uint8_t special_char = 8;
inline constexpr std::uint8_t name_char = 16;
inline constexpr std::uint8_t digit_char = 32;

inline constexpr auto char_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  for (const char c : std::string_view(" \t\f\v\r\n")) classes[static_cast<unsigned char>(c)] = blank_char;
  for (const char c : std::string_view("{}")) classes[static_cast<unsigned char>(c)] = brace_char;
  for (const char c : std::string_view("#!")) classes[static_cast<unsigned char>(c)] = comment_char;
  for (const char c : std::string_view("$@~\"'\\\0", 7)) classes[static_cast<unsigned char>(c)] = special_char;
  for (std::size_t c = 0x80; c < 256; ++c) classes[c] = special_char;
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = name_char;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) classes[c] = name_char;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = name_char | digit_char;
  classes['_'] = name_char;
  return classes;
}();

constexpr std::uint8_t class_of(char c) { return char_classes[static_cast<unsigned char>(c)]; }
constexpr bool is_blank(char c) { return (class_of(c) & blank_char) != 0; }
constexpr bool is_comment(char c) { return (class_of(c) & comment_char) != 0; }
constexpr bool is_name(char c) { return (class_of(c) & name_char) != 0; }
constexpr bool is_name_start(char c) { return (class_of(c) & (name_char | digit_char)) == name_char; }

constexpr std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace sluice::control::config
