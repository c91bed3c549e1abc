// Fuzzes the reader of a mail server's replies against itself (the same bytes whole and in pieces give the same
// replies), and lets the dialogue answer them: limits hold, and all it ever says are whole lines.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "control/mail/smtp_dialogue.h"
#include "control/mail/smtp_reply.h"

namespace {

using sluice::control::SmtpDialogue;
using sluice::control::SmtpReply;
using sluice::control::SmtpReplyReader;

void require(bool condition) {
  if (!condition) std::abort();
}

std::vector<SmtpReply> read(std::string_view bytes, std::size_t stride, std::string& problem) {
  SmtpReplyReader reader;
  std::vector<SmtpReply> replies;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(stride, bytes.size()))) {
    reader.feed(bytes.substr(0, stride));
    while (auto reply = reader.take()) replies.push_back(std::move(*reply));
  }
  problem = reader.problem();
  return replies;
}

void converse(const std::vector<SmtpReply>& replies) {
  SmtpDialogue dialogue("lb1");
  int mails = 0;
  for (const SmtpReply& reply : replies) {
    if (dialogue.over()) return;
    std::string said = dialogue.on_reply(reply);
    if (dialogue.ready() && said.empty()) {
      said = ++mails < 3 ? dialogue.begin({"a@b", {"c@d", "e@f"}, ".\r\n"}) : dialogue.quit();
    }
    require(said.empty() ? dialogue.over() : said.ends_with("\r\n"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t stride = data[0] % 64 + 1u;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  std::string problem, problem_in_pieces;
  const auto whole = read(bytes, std::max<std::size_t>(bytes.size(), 1), problem);
  const auto pieces = read(bytes, stride, problem_in_pieces);
  require(whole == pieces);
  require(problem == problem_in_pieces);
  for (const SmtpReply& reply : whole) {
    require(reply.code >= 200 && reply.code < 600);
    require(reply.text.size() <= SmtpReplyReader::text_bytes_max);
  }
  converse(whole);
  return 0;
}
