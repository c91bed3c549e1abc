// Fuzzes the readers of datagrams (DNS answers, ICMP echoes, byte patterns): nothing is read past the end, and only
// what has the right id is taken for an answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "health/byte_pattern.h"
#include "health/dns_message.h"
#include "health/icmp_echo.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::health;
  // A copy of exactly this size, so that the sanitizer sees a read past its end.
  const std::vector<std::uint8_t> bytes(data, data + size);

  const DnsAnswer answer = read_dns_answer(bytes, 0x1234);
  require(!answer.is_answer || (bytes.size() >= 12 && bytes[0] == 0x12 && bytes[1] == 0x34 && answer.rcode < 16));

  for (const bool v6 : {false, true}) {
    for (const bool raw : {false, true}) {
      require(!is_echo_reply(bytes, {v6, 0x1234, 1}, raw) || bytes.size() >= 8);
      require(!is_echo_reply(bytes, {v6, 0x1234, 1}, raw) || !is_echo_reply(bytes, {v6, 0x1234, 2}, raw));
    }
  }

  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto pattern = parse_byte_pattern(text)) {
    require(pattern->bytes.size() == pattern->mask.size() && pattern->bytes.size() <= bytes.size());
    require(matches(*pattern, pattern->bytes));
    matches(*pattern, bytes);
  }
  if (const auto question = dns_question(1, DnsType::a, text)) require(question->size() <= 12 + 255 + 4);
  return 0;
}
