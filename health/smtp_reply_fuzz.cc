// Fuzzes the SMTP reply reader against itself: the same bytes whole and in pieces give the same reply; it stays small,
// and its text can go into a log.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/smtp_reply.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t stride = data[0] % 64 + 1u;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  sluice::health::SmtpReply whole;
  whole.feed(bytes);
  sluice::health::SmtpReply pieces;
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(stride, rest.size()))) {
    pieces.feed(rest.substr(0, stride));
  }
  require(whole.complete() == pieces.complete() && whole.too_long() == pieces.too_long());
  require(whole.code() == pieces.code() && whole.text() == pieces.text());
  require(!whole.code() || *whole.code() <= 999);
  require(whole.text().size() <= 80);
  for (const char c : whole.text()) require(c >= ' ' && c <= '~');
  return 0;
}
