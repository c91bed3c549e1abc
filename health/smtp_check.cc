#include "health/smtp_check.h"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "health/conversation.h"
#include "health/smtp_reply.h"

namespace sluice::health {

namespace {

using State = StreamStep::State;

/// Takes what the connection has, into `reply`. Why it can't go on, or nothing. Not a coroutine: its buffer is
/// short-lived.
std::optional<std::string> read_what_is_there(Conversation& conversation, SmtpReply& reply) {
  char buffer[1024];
  StreamStep step = conversation.receive(buffer);
  if (step.state == State::closed) return "the server closed the connection";
  if (step.state == State::failed) return std::move(step.reason);
  if (step.state == State::done) reply.feed({buffer, step.bytes});
  if (reply.too_long()) return fmt::format("a line of over {} bytes", SmtpReply::line_bytes_max);
  return std::nullopt;
}

Task<std::optional<std::string>> read_reply(Conversation& conversation, const Connect& connect, SmtpReply& reply) {
  while (!reply.complete()) {
    const auto waited = co_await conversation.something_to_receive();
    if (waited == Conversation::Waited::too_long) co_return conversation.too_long();
    if (waited == Conversation::Waited::silence) co_return "nothing came for " + to_words(connect.timeout);
    if (auto problem = read_what_is_there(conversation, reply)) co_return problem;
  }
  co_return std::nullopt;
}

}  // namespace

Task<ProbeResult> SmtpCheck::probe(EventLoop& loop) {
  Socket socket(loop);
  ProbeResult connected = co_await connect(socket, spec_.connect);
  if (connected.verdict != Verdict::success) co_return connected;

  struct Exchange {
    std::string_view name;
    std::string command;  ///< empty: the server speaks first
    std::optional<std::uint16_t> wanted;
  };
  const Exchange exchanges[] = {
      {"greeting", "", 220}, {"HELO", fmt::format("HELO {}\r\n", spec_.helo_name), 250}, {"QUIT", "QUIT\r\n", {}}};

  Conversation conversation(socket, spec_.connect.timeout, spec_.conversation_time_max);
  for (const Exchange& exchange : exchanges) {
    std::optional<std::string> problem = co_await conversation.send(exchange.command);
    SmtpReply reply;
    if (!problem) problem = co_await read_reply(conversation, spec_.connect, reply);
    if (problem) co_return failure(fmt::format("{}: {}", exchange.name, *problem));
    if (exchange.wanted && reply.code() != exchange.wanted) {
      co_return failure(
          fmt::format("{}: expected {}, the server said \"{}\"", exchange.name, *exchange.wanted, reply.text()));
    }
  }
  co_return success("greeted and took HELO");
}

}  // namespace sluice::health
