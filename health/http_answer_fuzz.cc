// Fuzzes the HTTP answer parser against itself: the same bytes whole, and in pieces whose sizes come from the input,
// must give the same answer; limits hold, and the body is a part of what came in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "health/http_answer.h"

namespace {

constexpr std::uint32_t head_max = 512;
constexpr std::uint64_t body_max = 1024;

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t stride = data[0] % 64 + 1u;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  sluice::health::HttpAnswer whole(head_max, body_max);
  const std::string_view whole_body = whole.feed(bytes);
  require(whole_body.empty() ||
          (whole_body.data() >= bytes.data() && whole_body.data() + whole_body.size() <= bytes.data() + bytes.size()));

  sluice::health::HttpAnswer pieces(head_max, body_max);
  std::string body;
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(stride, rest.size()))) {
    body += pieces.feed(rest.substr(0, stride));
  }

  require(whole.problem() == pieces.problem());
  require(whole.head_complete() == pieces.head_complete());
  require(whole.status() == pieces.status());
  require(whole.content_length() == pieces.content_length());
  require(body.size() <= body_max);
  if (whole.problem().empty()) {
    require(whole.body_bytes() == pieces.body_bytes());
    require(whole_body == body);
  }
  return 0;
}
