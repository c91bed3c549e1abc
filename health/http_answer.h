// Reads an HTTP answer as it arrives, in pieces of any size: status, Content-Length, and which bytes are body. As
// keepalived reads it: the body is whatever follows the first empty line, as far as Content-Length says; chunks are not
// decoded, redirects not followed. Pure and bounded, so it can be fuzzed; sockets, digest and verdict are
// http_get.cc's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::health {

/// Not thread-safe; one per answer.
class HttpAnswer {
 public:
  /// head_bytes_max: for status line and headers together. body_bytes_max: for what follows them, counted or not.
  HttpAnswer(std::uint32_t head_bytes_max, std::uint64_t body_bytes_max)
      : head_bytes_max_(head_bytes_max), body_bytes_max_(body_bytes_max) {}

  /// Takes the next bytes. Gives the part of them that is body (a view into `bytes`, at most up to Content-Length).
  /// After a limit is passed (see problem()) everything is ignored.
  std::string_view feed(std::string_view bytes);

  /// Why nothing good can come any more: a limit was passed. Empty while all is well.
  [[nodiscard]] const std::string& problem() const { return problem_; }

  /// The empty line after the headers was seen.
  [[nodiscard]] bool head_complete() const { return in_body_; }
  /// 100..999 once the head is complete and starts with a status line; nothing otherwise.
  [[nodiscard]] std::optional<std::uint16_t> status() const { return status_; }
  /// The first Content-Length header that is a number.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const { return content_length_; }
  /// Bytes after the head, beyond Content-Length too.
  [[nodiscard]] std::uint64_t body_bytes() const { return body_bytes_; }

 private:
  void read_head();

  std::uint32_t head_bytes_max_;
  std::uint64_t body_bytes_max_;
  std::string head_;  // until it is complete; then given back
  std::string problem_;
  bool in_body_ = false;
  std::optional<std::uint16_t> status_;
  std::optional<std::uint64_t> content_length_;
  std::uint64_t body_bytes_ = 0;
};

}  // namespace sluice::health
