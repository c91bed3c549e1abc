// Our half of a conversation with a mail server: for each reply, what to say next. HELO, then as many mails as there
// are, then QUIT. Pure: bytes and sockets are mailer.cc's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/mail/message.h"
#include "control/mail/smtp_reply.h"

namespace sluice::control {

/// What came of one mail.
struct MailOutcome {
  enum class Kind : std::uint8_t {
    taken,    ///< the server answers for it, at least for those recipients that aren't named below
    later,    ///< it said no for now (4xx)
    refused,  ///< it said no for good (5xx)
  };
  Kind kind = Kind::taken;
  std::string reason;                 ///< unless taken: "RCPT TO:<a@b> answered with 550 no such user"
  std::vector<std::string> refused;   ///< one clause, as `reason`, per recipient who was refused for good
  std::vector<std::string> deferred;  ///< addresses that were refused for now
};

/// Not thread-safe; one per connection. The server speaks first.
class SmtpDialogue {
 public:
  /// helo_name: as whom we introduce ourselves.
  explicit SmtpDialogue(std::string helo_name) : helo_name_(std::move(helo_name)) {}

  /// What to send in answer to a reply; empty: nothing, because ready() or over().
  [[nodiscard]] std::string on_reply(const SmtpReply& reply);

  /// The server waits for begin() or quit().
  [[nodiscard]] bool ready() const { return step_ == Step::ready; }
  /// Nothing more is to be said.
  [[nodiscard]] bool over() const { return step_ == Step::over; }

  /// The first command of a mail. Only when ready(). When it is ready() or over() again, outcome() is this mail's.
  [[nodiscard]] std::string begin(Mail mail);
  [[nodiscard]] std::string quit();

  /// Of the mail that was begun last. If over() came in between, it wasn't taken.
  [[nodiscard]] const MailOutcome& outcome() const { return outcome_; }
  /// Why the server has nothing to do with us, if that is how it ended: "HELO answered with 421 not today".
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  enum class Step : std::uint8_t { banner, helo, ready, from, recipients, data, message, reset, quit, over };

  [[nodiscard]] std::string say(Step step, std::string command);
  [[nodiscard]] std::string give_up_connection(const SmtpReply& reply);
  [[nodiscard]] std::string give_up_mail(MailOutcome::Kind kind, std::string reason);
  [[nodiscard]] std::string on_recipient(const SmtpReply& reply);
  [[nodiscard]] std::string after_recipients();
  [[nodiscard]] std::string answered(const SmtpReply& reply) const;
  [[nodiscard]] bool in_mail() const { return step_ >= Step::from && step_ <= Step::message; }

  std::string helo_name_;
  Step step_ = Step::banner;
  std::string last_command_ = "connecting";  // as it is named in a reason
  Mail mail_;
  std::size_t recipient_ = 0;  // the next reply is about this one
  std::size_t recipients_taken_ = 0;
  MailOutcome outcome_;
  std::string problem_;
};

}  // namespace sluice::control
