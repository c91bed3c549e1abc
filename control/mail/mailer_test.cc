// The mailer against a mail server of a few lines on loopback, whose answers each test writes.
#include "control/mail/mailer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <thread>

namespace sluice::control {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

struct Seen {
  std::vector<std::string> commands;
  std::vector<std::string> messages;
  int connections = 0;
};

/// answer: to a command; empty: none at all.
class Server {
 public:
  using Answer = std::function<std::string(const std::string& command)>;

  Server(asio::io_context& io, std::uint16_t port = 0)
      : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), port}) {
    asio::co_spawn(io_, accept(), asio::detached);
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  static std::string well(const std::string& command) {
    if (command == "DATA") return "354 go on";
    return command == "QUIT" ? "221 bye" : "250 fine";
  }

  Seen seen;
  Answer answer = well;
  std::atomic<bool> speaks_first = true;

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      tcp::socket socket(io_);
      const auto [error] = co_await acceptor_.async_accept(socket, no_throw);
      if (error) co_return;
      ++seen.connections;
      asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
    }
  }
  asio::awaitable<void> serve(tcp::socket socket) {
    std::string buffer;
    if (speaks_first)
      co_await asio::async_write(socket, asio::buffer(std::string("220-hello\r\n220 you\r\n")), no_throw);
    for (bool in_data = false;;) {
      const auto [error, size] = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer),
                                                                 in_data ? "\r\n.\r\n" : "\r\n", no_throw);
      if (error) co_return;
      std::string line = buffer.substr(0, size - 2);
      buffer.erase(0, size);
      std::string reply;
      if (in_data) {
        seen.messages.push_back(line.substr(0, line.size() - 1));
        reply = answer("the message");
        in_data = false;
      } else {
        seen.commands.push_back(line);
        reply = answer(line);
        in_data = reply.starts_with("354");
      }
      if (reply.empty()) continue;
      reply += "\r\n";
      co_await asio::async_write(socket, asio::buffer(reply), no_throw);
      if (reply.starts_with("221") || reply.starts_with("421")) co_return;
    }
  }

  asio::io_context& io_;
  tcp::acceptor acceptor_;
};

class MailerTest : public testing::Test {
 protected:
  explicit MailerTest(MailerLimits limits =
                          {.queue_max = 4, .retry_first = 20ms, .retry_most = 40ms, .tries_max = 3, .log_interval = 1h})
      : mailer_(
            io_, [this](const MailLine& line) { log_.push_back(line.text); }, limits) {}

  void use(const Server& server, std::vector<std::string> to = {"a@b"}) {
    mailer_.configure(settings(server.port(), std::move(to)));
  }
  static MailerSettings settings(std::uint16_t port, std::vector<std::string> to = {"a@b"}) {
    return {.router_id = "lb1",
            .from = "Director <lb@example.com>",
            .recipients = std::move(to),
            .server = "127.0.0.1",
            .port = net::L4Port::of(port),
            .timeout = 200ms,
            .helo_name = "lb1.example.com"};
  }
  void send(const std::string& subject) { mailer_.send({subject, "=> " + subject + " <="}); }
  template <typename Condition>
  bool until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!condition() && std::chrono::steady_clock::now() < end) io_.run_one_for(20ms);
    return condition();
  }
  bool until_sent(std::uint64_t count) {
    return until([&] { return mailer_.counters().sent >= count; });
  }
  [[nodiscard]] std::size_t logged(std::string_view words) const {
    return std::size_t(std::count_if(log_.begin(), log_.end(),
                                     [&](const std::string& line) { return line.find(words) != std::string::npos; }));
  }
  /// A port where nobody listens.
  std::uint16_t closed_port() {
    tcp::acceptor closed(io_, {asio::ip::address_v4::loopback(), 0});
    return closed.local_endpoint().port();
  }

  asio::io_context io_{1};
  std::vector<std::string> log_;
  Mailer mailer_;
};

TEST_F(MailerTest, SendsToAllRecipientsAsTheFileNamesThem) {
  Server server(io_);
  use(server, {"a@b", "Night Shift <night@example.com>"});
  send("VRRP Instance VI - Entering MASTER state");
  ASSERT_TRUE(until_sent(1));
  ASSERT_TRUE(until([&] { return server.seen.commands.size() == 6; }));
  EXPECT_EQ(server.seen.commands,
            (std::vector<std::string>{"HELO lb1.example.com", "MAIL FROM:<lb@example.com>", "RCPT TO:<a@b>",
                                      "RCPT TO:<night@example.com>", "DATA", "QUIT"}));
  const std::string& message = server.seen.messages.at(0);
  EXPECT_NE(
      message.find("\r\nFrom: Director <lb@example.com>\r\nSubject: [lb1] VRRP Instance VI - Entering MASTER state\r\n"
                   "X-Mailer: Keepalived\r\nTo: a@b, Night Shift <night@example.com>\r\n\r\n"),
      std::string::npos)
      << message;
  EXPECT_EQ(logged("SMTP alert successfully sent."), 1u);
}

TEST_F(MailerTest, MailsThatWaitShareAConnectionInTheirOrder) {
  Server server(io_);
  use(server);
  for (const char* subject : {"one", "two", "three"}) send(subject);
  ASSERT_TRUE(until_sent(3));
  EXPECT_EQ(server.seen.connections, 1);
  ASSERT_EQ(server.seen.messages.size(), 3u);
  EXPECT_NE(server.seen.messages[0].find("[lb1] one\r\n"), std::string::npos);
  EXPECT_NE(server.seen.messages[2].find("[lb1] three\r\n"), std::string::npos);
}

TEST_F(MailerTest, WithoutServerOrRecipientNothingWaits) {
  send("nobody hears of it");
  mailer_.configure(settings(25, {}));
  send("nor of this");
  EXPECT_EQ(mailer_.counters(), MailCounters{});
}

TEST_F(MailerTest, AServerThatIsDownGetsTheMailOnceItIsUp) {
  const std::uint16_t port = closed_port();
  mailer_.configure(settings(port));
  send("one");
  ASSERT_TRUE(until([&] { return logged("connection refused; 1 mail waiting") == 1; })) << testing::PrintToString(log_);
  io_.run_for(200ms);
  EXPECT_EQ(logged("connection refused"), 1u) << "once in an hour";
  EXPECT_EQ(mailer_.counters().waiting, 1u);
  Server server(io_, port);
  ASSERT_TRUE(until_sent(1));
  ASSERT_TRUE(until([&] { return logged("takes mail again") == 1; }));
}

TEST_F(MailerTest, TheOldestGivesWayWhenTooManyWaitAndTheirNumberIsLogged) {
  const std::uint16_t port = closed_port();
  mailer_.configure(settings(port));
  for (int i = 0; i < 10; ++i) send(std::to_string(i));
  EXPECT_EQ(mailer_.counters(), (MailCounters{.sent = 0, .dropped = 6, .waiting = 4}));
  EXPECT_EQ(logged("1 mail dropped, the oldest first: more than 4 would wait"), 1u);
  Server server(io_, port);
  ASSERT_TRUE(until_sent(4));
  EXPECT_NE(server.seen.messages.at(0).find("[lb1] 6\r\n"), std::string::npos) << "the newest are the ones that count";
  ASSERT_TRUE(until([&] { return logged("takes mail again") == 1 || server.seen.connections == 1; }));
  EXPECT_LE(logged("dropped, the oldest first"), 2u);
}

TEST_F(MailerTest, AServerThatSaysNothingIsLeftAfterTheTimeout) {
  Server server(io_);
  server.speaks_first = false;
  use(server);
  send("one");
  ASSERT_TRUE(until([&] { return logged("no answer within") == 1; }));
  server.speaks_first = true;
  ASSERT_TRUE(until_sent(1));
}

TEST_F(MailerTest, ARefusedRecipientIsLoggedAndTheOthersGetIt) {
  Server server(io_);
  server.answer = [](const std::string& command) {
    return command == "RCPT TO:<a@b>" ? "550 unknown" : Server::well(command);
  };
  use(server, {"a@b", "c@d"});
  send("one");
  ASSERT_TRUE(until_sent(1));
  EXPECT_EQ(logged("SMTP recipient refused: RCPT TO:<a@b> answered with 550 unknown"), 1u);
}

TEST_F(MailerTest, AMailThatIsRefusedDoesntHoldUpTheNext) {
  Server server(io_);
  int messages = 0;
  server.answer = [&](const std::string& command) {
    return command == "the message" && ++messages == 1 ? "554 looks like spam" : Server::well(command);
  };
  use(server);
  send("one");
  send("two");
  ASSERT_TRUE(until_sent(1));
  EXPECT_EQ(mailer_.counters(), (MailCounters{.sent = 1, .dropped = 1, .waiting = 0}));
  EXPECT_EQ(logged("SMTP alert '[lb1] one' is dropped: the message answered with 554 looks like spam"), 1u);
}

TEST_F(MailerTest, ARecipientWhoMustWaitGetsItLaterAndTheOthersOnce) {
  Server server(io_);
  int asked = 0;
  server.answer = [&](const std::string& command) {
    return command == "RCPT TO:<c@d>" && ++asked <= 2 ? "450 greylisted" : Server::well(command);
  };
  use(server, {"a@b", "c@d"});
  send("one");
  ASSERT_TRUE(until([&] { return asked == 3 && mailer_.counters().waiting == 0; }));
  EXPECT_EQ(std::count(server.seen.commands.begin(), server.seen.commands.end(), "RCPT TO:<a@b>"), 1);
  EXPECT_EQ(server.seen.messages.size(), 2u);
  EXPECT_EQ(logged("isn't taken yet"), 1u);
}

TEST_F(MailerTest, AMailThatIsNeverTakenIsGivenUp) {
  Server server(io_);
  server.answer = [](const std::string& command) {
    return command.starts_with("MAIL") ? "451 later" : Server::well(command);
  };
  use(server);
  send("one");
  ASSERT_TRUE(until([&] { return mailer_.counters().dropped == 1; }));
  EXPECT_EQ(logged("'[lb1] one' is dropped after 3 tries: MAIL FROM:<lb@example.com> answered with 451 later"), 1u);
}

TEST_F(MailerTest, AMailThatBreaksTheConnectionEachTimeIsGivenUp) {
  Server server(io_);
  server.answer = [](const std::string& command) {
    return command == "the message" ? "421 oops" : Server::well(command);
  };
  use(server);
  send("one");
  ASSERT_TRUE(until([&] { return mailer_.counters().dropped == 1; }));
  EXPECT_EQ(server.seen.messages.size(), 3u);
}

TEST_F(MailerTest, WhatWaitsGoesToTheNewRecipientsThroughTheNewServer) {
  mailer_.configure(settings(closed_port()));
  send("one");
  ASSERT_TRUE(until([&] { return logged("connection refused") == 1; }));
  Server server(io_);
  use(server, {"new@example.com"});
  ASSERT_TRUE(until_sent(1));
  EXPECT_EQ(server.seen.commands.at(2), "RCPT TO:<new@example.com>");
}

TEST_F(MailerTest, WithoutAServerWhatWaitsIsDropped) {
  mailer_.configure(settings(closed_port()));
  send("one");
  mailer_.configure({});
  EXPECT_EQ(mailer_.counters(), (MailCounters{.sent = 0, .dropped = 1, .waiting = 0}));
  EXPECT_EQ(logged("1 mail dropped: no smtp_server"), 1u);
}

TEST_F(MailerTest, ANameIsLookedUpOnAThreadOfItsOwn) {
  Server server(io_);
  auto with_name = settings(server.port());
  with_name.server = "localhost";
  with_name.timeout = 3s;
  mailer_.configure(with_name);
  send("one");
  EXPECT_TRUE(until_sent(1)) << testing::PrintToString(log_);
}

/// The server's loop on a thread of its own: stop() runs while ours doesn't.
class MailerStopTest : public MailerTest {
 protected:
  MailerStopTest() : guard_(asio::make_work_guard(far_)), server_(far_), thread_([this] { far_.run(); }) {}
  ~MailerStopTest() override { end(); }
  void end() {
    far_.stop();
    if (thread_.joinable()) thread_.join();
  }

  asio::io_context far_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  Server server_;
  std::thread thread_;
};

TEST_F(MailerStopTest, SendsWhatWaits) {
  use(server_);
  send("stopping");
  mailer_.stop(3s);
  end();
  EXPECT_EQ(server_.seen.messages.size(), 1u);
  EXPECT_EQ(mailer_.counters(), (MailCounters{.sent = 1, .dropped = 0, .waiting = 0}));
  send("too late");
  EXPECT_EQ(mailer_.counters().waiting, 0u);
}

TEST_F(MailerStopTest, GivesUpWhenTheTimeIsOver) {
  server_.speaks_first = false;
  auto patient = settings(server_.port());
  patient.timeout = 30s;
  mailer_.configure(patient);
  send("stopping");
  const auto began = std::chrono::steady_clock::now();
  mailer_.stop(100ms);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
  EXPECT_EQ(logged("1 mail dropped: the time to stop is over"), 1u);
}

TEST_F(MailerStopTest, TriesAServerThatIsDownOnce) {
  mailer_.configure(settings(closed_port()));
  send("stopping");
  mailer_.stop(3s);
  EXPECT_EQ(logged("connection refused"), 1u);
  EXPECT_EQ(mailer_.counters().dropped, 1u);
}

TEST_F(MailerStopTest, TakesOverWhatWasBeingSent) {
  server_.speaks_first = false;
  use(server_);
  send("one");
  io_.run_for(50ms);  // connected, and waiting for a word
  server_.speaks_first = true;
  mailer_.stop(3s);
  end();
  EXPECT_EQ(server_.seen.messages.size(), 1u);
  io_.run_for(20ms);  // what is left of the old conversation does no harm
}

}  // namespace
}  // namespace sluice::control
