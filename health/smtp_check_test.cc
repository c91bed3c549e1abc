// SMTP_CHECK against servers on loopback that behave well, badly, and worse; and its replies, line by line.
#include "health/smtp_check.h"

#include "health/check_test.h"
#include "health/smtp_reply.h"

namespace sluice::health {
namespace {

class SmtpChecks : public CheckTest {
 protected:
  ProbeResult smtp_check(const Connect& connect, std::chrono::milliseconds time_max = 5s) {
    SmtpCheck check({.connect = connect, .helo_name = "lb.example.org", .conversation_time_max = time_max}, {}, true);
    return run(check);
  }

  /// Sends the lines one after the other: the first at once, each other one after a command.
  Behaviour speaking(std::vector<std::string> lines) {
    return [this, lines = std::move(lines)](tcp::socket& socket) -> asio::awaitable<void> {
      commands_.clear();
      for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) {
          std::string command;
          char byte[1];
          while (!command.ends_with('\n')) {
            const auto [error, size] = co_await socket.async_read_some(asio::buffer(byte), no_throw);
            if (error) co_return;
            command += byte[0];
          }
          commands_ += command;
        }
        co_await asio::async_write(socket, asio::buffer(lines[i]), no_throw);
      }
      socket.close();
    };
  }

  std::string commands_;
};

TEST_F(SmtpChecks, SucceedsWhenGreetedAndHeard) {
  EXPECT_RESULT(smtp_check(serve(speaking({"220 hello\r\n", "250\r\n", "221 bye\r\n"}))), success,
                "greeted and took HELO");
  EXPECT_EQ(commands_, "HELO lb.example.org\r\nQUIT\r\n");
}

TEST_F(SmtpChecks, TakesAnyLineAsAnswerToQuit) {
  EXPECT_RESULT(smtp_check(serve(speaking({"220 hello\n", "250 you\n", "whatever\n"}))), success,
                "greeted and took HELO");
}

TEST_F(SmtpChecks, JudgesOnlyTheFirstLineSoAGreetingOfManyFails) {
  EXPECT_RESULT(smtp_check(serve(speaking({"220-hello\r\n220 there\r\n", "250 \r\n", "221 \r\n"}))), failure,
                "greeting: expected 220, the server said \"220-hello\"");
}

TEST_F(SmtpChecks, FailsWithTheServersWords) {
  EXPECT_RESULT(smtp_check(serve(speaking({"554 go \x1b[31maway\r\n"}))), failure,
                "greeting: expected 220, the server said \"554 go ?[31maway\"");
  EXPECT_RESULT(smtp_check(serve(speaking({"220 hello\r\n", "501 who?\r\n"}))), failure,
                "HELO: expected 250, the server said \"501 who?\"");
}

TEST_F(SmtpChecks, FailsWhenTheServerAcceptsAndSaysNothing) {
  EXPECT_RESULT(smtp_check(serve(say_nothing)), failure, "greeting: nothing came for 150 ms");
}

TEST_F(SmtpChecks, FailsWhenTheServerClosesBetween) {
  EXPECT_RESULT(smtp_check(serve(speaking({"220 hello\r\n", ""}))), failure, "HELO: the server closed the connection");
  EXPECT_RESULT(smtp_check(serve(speaking({"220 hello\r\n", "250 ok\r\n", ""}))), failure,
                "QUIT: the server closed the connection");
}

TEST_F(SmtpChecks, FailsWhenRefused) { EXPECT_RESULT(smtp_check(at(unused_port())), failure, "connection refused"); }

TEST_F(SmtpChecks, GivesUpOnALineWithoutEnd) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    const std::string piece(4096, '2');
    for (;;) {
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer(piece), no_throw);
      if (error) co_return;
    }
  });
  EXPECT_RESULT(smtp_check(connect), failure, "greeting: a line of over 1024 bytes");
}

TEST_F(SmtpChecks, GivesUpOnAByteNowAndThen) {
  const Connect connect = serve([](tcp::socket& socket) -> asio::awaitable<void> {
    for (;;) {
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer("2", 1), no_throw);
      if (error) co_return;
      asio::steady_timer timer(socket.get_executor(), 40ms);
      co_await timer.async_wait(no_throw);
    }
  });
  EXPECT_RESULT(smtp_check(connect, 400ms), failure, "greeting: the answer took longer than 400 ms");
}

TEST_F(SmtpChecks, UsesItsRetriesBeforeItsFirstSuccessToo) {
  SmtpCheckSpec spec;
  spec.helo_name = "lb";
  SmtpCheck check(spec, {10s, 1s, 2}, true);
  EXPECT_TRUE(check.on(Verdict::failure).up);
  EXPECT_EQ(check.on(Verdict::failure).next_probe, 1s);
  const Outcome outcome = check.on(Verdict::failure);
  EXPECT_FALSE(outcome.up);
  EXPECT_TRUE(outcome.first);
}

TEST(SmtpReply, NeedsThreeDigitsAndABlankOrTheEnd) {
  const auto code = [](std::string_view line) {
    SmtpReply reply;
    reply.feed(line);
    return reply.code();
  };
  EXPECT_EQ(code("220 x\r\n"), 220);
  EXPECT_EQ(code("220\r\n"), 220);
  EXPECT_EQ(code("220\n"), 220);
  for (const auto* bad : {"220", "220-x\r\n", "2200\r\n", "22\r\n", "\r\n", " 220\r\n", "-20 x\r\n", "+220\n"}) {
    EXPECT_EQ(code(bad), std::nullopt) << bad;
  }
}

TEST(SmtpReply, TakesALineOfTheLimitAndNotOneMore) {
  SmtpReply at_limit;
  at_limit.feed("220 " + std::string(SmtpReply::line_bytes_max - 4, 'x') + "\n");
  EXPECT_EQ(at_limit.code(), 220);
  SmtpReply over;
  over.feed("220 " + std::string(SmtpReply::line_bytes_max - 3, 'x') + "\n");
  EXPECT_TRUE(over.too_long());
  EXPECT_EQ(over.code(), std::nullopt);
}

}  // namespace
}  // namespace sluice::health
