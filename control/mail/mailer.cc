#include "control/mail/mailer.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <deque>
#include <optional>
#include <utility>

#include "control/mail/message.h"
#include "control/mail/name_lookup.h"
#include "control/mail/smtp_dialogue.h"

namespace sluice::control {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

constexpr const char* nobody_left = "no smtp_server or notification_email is left";

/// Nothing: all went well. Otherwise why not, in words.
using Problem = std::optional<std::string>;

struct Waiting {
  Alert alert;
  std::chrono::system_clock::time_point at;
  std::vector<std::string> only_to = {};  // addresses that still want it; empty: all recipients
  unsigned tries = 0;                     // that ended with "not now"
};

std::string words_of(const boost::system::error_code& error) {
  std::string words = error.message();
  if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0) {
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  }
  return words;
}

std::string mails(std::uint64_t count) { return count == 1 ? "1 mail" : fmt::format("{} mails", count); }

}  // namespace

/// Held by its coroutine, too: that may live on until the io_context ends.
class Mailer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, Log log, MailerLimits limits)
      : io_(io), log_(std::move(log)), limits_(limits), pause_(io), lookup_(std::in_place, io) {}

  void configure(MailerSettings settings) {
    if (settings == settings_) return;
    settings_ = std::move(settings);
    retry_in_ = limits_.retry_first;
    pause_.cancel();
    if (settings_.sends()) return;
    drop_all(nobody_left);
  }

  void send(Alert alert) {
    if (is_stopped_ || !settings_.sends()) return;
    alert.subject = fmt::format("[{}] {}", settings_.router_id, alert.subject);
    queue_.push_back({std::move(alert), std::chrono::system_clock::now()});
    if (queue_.size() + later_.size() > limits_.queue_max) {
      (later_.empty() ? queue_ : later_).pop_front();
      ++counters_.dropped;
      ++dropped_untold_;
      tell_dropped();
    }
    wake();
  }

  void stop(milliseconds time_max) {
    if (is_stopped_) return;
    is_stopped_ = true;
    lookup_.reset();
    pause_.cancel();
    boost::system::error_code ignored;
    if (socket_ != nullptr) socket_->close(ignored);
    if (in_flight_) queue_.push_front(std::move(*std::exchange(in_flight_, std::nullopt)));
    take_up_later();
    if (time_max > milliseconds(0) && !queue_.empty()) send_last(time_max);
    drop_all("the time to stop is over");
  }

  [[nodiscard]] MailCounters counters() const {
    MailCounters counters = counters_;
    counters.waiting = queue_.size() + later_.size() + (in_flight_ ? 1 : 0);
    return counters;
  }

 private:
  void say(std::string text) { log_({.text = std::move(text)}); }
  void detail(std::string text) { log_({.text = std::move(text), .is_detail = true}); }
  void warn(std::string text) { log_({.text = std::move(text), .is_warning = true}); }

  void wake() {
    if (is_resting_) pause_.cancel();
    if (is_running_) return;
    is_running_ = true;
    asio::co_spawn(
        io_, [self = shared_from_this()] { return self->run(); }, asio::detached);
  }

  // --- the coroutines, from the outermost to the innermost. After each wait, is_stopped_ may have become true.

  asio::awaitable<void> run() {
    const auto self = shared_from_this();
    while (!is_stopped_ && !(queue_.empty() && later_.empty())) {
      if (!settings_.sends()) {
        drop_all(nobody_left);
        break;
      }
      if (queue_.empty()) {
        if (is_last_) break;
        co_await rest();
        continue;
      }
      const Problem problem = co_await session();
      if (is_stopped_) break;
      if (!problem) {
        server_works();
        continue;
      }
      tell_problem(*problem);
      if (is_last_) break;
      pause_.expires_after(retry_in_);
      retry_in_ = std::min(retry_in_ * 2, limits_.retry_most);
      co_await pause_.async_wait(no_throw);
    }
    is_running_ = false;
  }

  /// Until what the server wanted later is due, or there is something new.
  asio::awaitable<void> rest() {
    is_resting_ = true;
    pause_.expires_after(later_in_);
    const auto [cancelled] = co_await pause_.async_wait(no_throw);
    is_resting_ = false;
    if (is_stopped_ || cancelled) co_return;
    later_in_ = std::min(later_in_ * 2, limits_.retry_most);
    take_up_later();
  }

  void take_up_later() {
    queue_.insert(queue_.begin(), std::make_move_iterator(later_.begin()), std::make_move_iterator(later_.end()));
    later_.clear();
  }

  /// One connection, and as many mails over it as wait.
  asio::awaitable<Problem> session() {
    const MailerSettings server = settings_;
    tcp::socket socket(io_);
    socket_ = &socket;
    Problem problem = co_await connect(socket, server);
    if (!problem && !is_stopped_) {
      detail(fmt::format("Remote SMTP server {} connected.", server.server_text()));
      problem = co_await converse(socket, server);
    }
    socket_ = nullptr;
    if (in_flight_) put_back(problem.value_or("the connection ended"));
    co_return problem;
  }

  asio::awaitable<Problem> connect(tcp::socket& socket, const MailerSettings& server) {
    const auto found = co_await lookup_->find(server.server, server.port.host(), server.timeout);
    if (is_stopped_) co_return "stopped";
    if (!found) co_return found.error().text();
    Problem problem;
    for (const tcp::endpoint& endpoint : *found) {
      boost::system::error_code error;
      socket.close(error);
      socket.open(endpoint.protocol(), error);
      if (error) co_return words_of(error);
      asio::steady_timer timer(io_, server.timeout);
      const auto first = co_await (socket.async_connect(endpoint, no_throw) || timer.async_wait(no_throw));
      if (is_stopped_) co_return "stopped";
      if (first.index() == 1) {
        problem = fmt::format("no connection within {} s", server.timeout.count() / 1000);
      } else if (const auto result = std::get<0>(std::get<0>(first)); result) {
        problem = words_of(result);
      } else {
        co_return std::nullopt;
      }
    }
    co_return problem;
  }

  asio::awaitable<Problem> converse(tcp::socket& socket, const MailerSettings& server) {
    is_leaving_ = false;
    SmtpDialogue dialogue(server.helo_name);
    SmtpReplyReader replies;
    while (!dialogue.over()) {
      auto reply = co_await read_reply(socket, replies, server.timeout);
      if (is_stopped_) co_return "stopped";
      // Once all is sent, how the server takes its leave doesn't matter.
      if (!reply) co_return is_leaving_&& dialogue.problem().empty() ? std::nullopt : Problem(reply.error().what);
      std::string next = dialogue.on_reply(*reply);
      while (dialogue.ready() && next.empty()) next = next_mail(dialogue, server);
      if (next.empty()) continue;
      const Problem problem = co_await write(socket, next, server.timeout);
      if (is_stopped_) co_return "stopped";
      if (problem) co_return problem;
    }
    co_return dialogue.problem().empty() ? std::nullopt : Problem(dialogue.problem());
  }

  asio::awaitable<Result<SmtpReply>> read_reply(tcp::socket& socket, SmtpReplyReader& replies, milliseconds timeout) {
    // For the whole reply: a byte now and then must not keep us.
    asio::steady_timer timer(io_, timeout);
    std::array<char, 1024> buffer{};
    for (;;) {
      if (auto reply = replies.take()) co_return std::move(*reply);
      if (!replies.problem().empty()) co_return fail("", "the server says " + replies.problem());
      const auto first =
          co_await (socket.async_read_some(asio::buffer(buffer), no_throw) || timer.async_wait(no_throw));
      if (is_stopped_) co_return fail("", "stopped");
      if (first.index() == 1) co_return fail("", fmt::format("no answer within {} s", timeout.count() / 1000));
      const auto& [error, bytes] = std::get<0>(first);
      if (error == asio::error::eof) co_return fail("", "the server closed the connection");
      if (error) co_return fail("", words_of(error));
      replies.feed({buffer.data(), bytes});
    }
  }

  asio::awaitable<Problem> write(tcp::socket& socket, const std::string& bytes, milliseconds timeout) {
    asio::steady_timer timer(io_, timeout);
    const auto first =
        co_await (asio::async_write(socket, asio::buffer(bytes), no_throw) || timer.async_wait(no_throw));
    if (first.index() == 1) co_return fmt::format("nothing could be sent for {} s", timeout.count() / 1000);
    if (const auto error = std::get<0>(std::get<0>(first)); error) co_return words_of(error);
    co_return std::nullopt;
  }

  // --- between the mails

  /// Settles the mail that was in flight, and says what begins the next one, or the end.
  std::string next_mail(SmtpDialogue& dialogue, const MailerSettings& server) {
    if (in_flight_) settle(dialogue.outcome());
    const bool go_on = !queue_.empty() && settings_ == server;
    is_leaving_ = !go_on;
    if (!go_on) return dialogue.quit();
    in_flight_ = std::move(queue_.front());
    queue_.pop_front();
    return dialogue.begin(mail_of(*in_flight_, server));
  }

  static Mail mail_of(const Waiting& waiting, const MailerSettings& server) {
    Mail mail{.from = address_of(server.from), .to = waiting.only_to, .message = {}};
    if (mail.to.empty()) {
      for (const std::string& recipient : server.recipients) mail.to.push_back(address_of(recipient));
    }
    mail.message = message_text(waiting.alert, waiting.at, server.from, server.recipients);
    return mail;
  }

  void settle(const MailOutcome& outcome) {
    Waiting mail = std::move(*std::exchange(in_flight_, std::nullopt));
    for (const std::string& refused : outcome.refused) warn(fmt::format("SMTP recipient refused: {}", refused));
    if (outcome.kind == MailOutcome::Kind::taken) {
      say("SMTP alert successfully sent.");
      ++counters_.sent;
      if (outcome.deferred.empty()) return;
      mail.only_to = outcome.deferred;
    } else if (outcome.kind == MailOutcome::Kind::refused) {
      ++counters_.dropped;
      return warn(fmt::format("SMTP alert '{}' is dropped: {}", mail.alert.subject, outcome.reason));
    }
    const std::string reason = outcome.reason.empty() ? "some recipients aren't taken for now" : outcome.reason;
    if (++mail.tries >= limits_.tries_max) return give_up(mail, reason);
    if (mail.tries == 1) warn(fmt::format("SMTP alert '{}' isn't taken yet: {}", mail.alert.subject, reason));
    later_.push_back(std::move(mail));
  }

  /// The connection ended under it.
  void put_back(const std::string& reason) {
    Waiting mail = std::move(*std::exchange(in_flight_, std::nullopt));
    if (++mail.tries >= limits_.tries_max) return give_up(mail, reason);
    queue_.push_front(std::move(mail));
  }

  void give_up(const Waiting& mail, const std::string& reason) {
    ++counters_.dropped;
    warn(fmt::format("SMTP alert '{}' is dropped after {} tries: {}", mail.alert.subject, mail.tries, reason));
  }

  // --- what is said of the server, so rarely that it floods no log

  void tell_problem(const std::string& problem) {
    const auto now = steady_clock::now();
    if (down_since_ && now < next_line_) return tell_dropped();
    next_line_ = now + limits_.log_interval;
    const std::string again =
        is_last_ ? ""
                 : fmt::format("; {} waiting, next try in {} s", mails(counters().waiting), retry_in_.count() / 1000);
    warn(fmt::format("SMTP server {}: {}{}", settings_.server_text(), problem, again));
    if (!down_since_) down_since_ = now;
  }

  void server_works() {
    retry_in_ = limits_.retry_first;
    if (later_.empty()) later_in_ = limits_.retry_first;
    if (!std::exchange(down_since_, std::nullopt)) return;
    tell_dropped_now();
    say(fmt::format("SMTP server {} takes mail again", settings_.server_text()));
  }

  void tell_dropped() {
    if (dropped_untold_ > 0 && steady_clock::now() >= next_dropped_line_) tell_dropped_now();
  }
  void tell_dropped_now() {
    if (dropped_untold_ == 0) return;
    next_dropped_line_ = steady_clock::now() + limits_.log_interval;
    warn(fmt::format("{} dropped, the oldest first: more than {} would wait for SMTP server {}",
                     mails(std::exchange(dropped_untold_, 0)), limits_.queue_max, settings_.server_text()));
  }

  void drop_all(const char* why) {
    tell_dropped_now();
    take_up_later();
    if (queue_.empty()) return;
    counters_.dropped += queue_.size();
    warn(fmt::format("{} dropped: {}", mails(queue_.size()), why));
    queue_.clear();
  }

  // --- the end

  /// On a loop of its own, by a mailer of its own that tries once.
  void send_last(milliseconds time_max) {
    asio::io_context io{1};
    const auto last = std::make_shared<Impl>(io, log_, limits_);
    last->is_last_ = true;
    last->settings_ = settings_;
    last->queue_ = std::exchange(queue_, {});
    last->wake();
    io.run_for(time_max);
    last->is_stopped_ = true;
    last->lookup_.reset();
    if (last->in_flight_) last->put_back("the time to stop is over");
    last->take_up_later();
    queue_ = std::exchange(last->queue_, {});
    counters_.sent += last->counters_.sent;
    counters_.dropped += last->counters_.dropped;
  }

  asio::io_context& io_;
  Log log_;
  MailerLimits limits_;
  MailerSettings settings_;
  MailCounters counters_;
  std::deque<Waiting> queue_;
  std::deque<Waiting> later_;  // what the server has asked for at another time; older than the queue
  std::optional<Waiting> in_flight_;
  asio::steady_timer pause_;
  std::optional<NameLookup> lookup_;
  tcp::socket* socket_ = nullptr;                // the coroutine's, while it has one
  milliseconds retry_in_ = limits_.retry_first;  // of a server that is down
  milliseconds later_in_ = limits_.retry_first;
  bool is_running_ = false;
  bool is_stopped_ = false;
  bool is_last_ = false;     // no second try
  bool is_leaving_ = false;  // QUIT was said
  bool is_resting_ = false;  // nothing is due before later_
  std::optional<steady_clock::time_point> down_since_;
  steady_clock::time_point next_line_, next_dropped_line_;
  std::uint64_t dropped_untold_ = 0;
};

Mailer::Mailer(asio::io_context& io, Log log, MailerLimits limits)
    : impl_(std::make_shared<Impl>(io, std::move(log), limits)) {}
Mailer::~Mailer() { stop(milliseconds(0)); }
void Mailer::configure(MailerSettings settings) { impl_->configure(std::move(settings)); }
void Mailer::send(Alert alert) { impl_->send(std::move(alert)); }
void Mailer::stop(milliseconds time_max) { impl_->stop(time_max); }
MailCounters Mailer::counters() const { return impl_->counters(); }

}  // namespace sluice::control
