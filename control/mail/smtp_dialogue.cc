#include "control/mail/smtp_dialogue.h"

#include <fmt/format.h>

#include <utility>

namespace sluice::control {

namespace {

/// The server closes the connection, whatever it was asked (RFC 5321 4.2.3).
constexpr std::uint16_t service_not_available = 421;
constexpr std::uint16_t go_on_with_data = 354;

MailOutcome::Kind kind_of(const SmtpReply& reply) {
  return reply.is_temporary() ? MailOutcome::Kind::later : MailOutcome::Kind::refused;
}

}  // namespace

std::string SmtpDialogue::on_reply(const SmtpReply& reply) {
  if (reply.code == service_not_available && step_ != Step::quit) return give_up_connection(reply);
  switch (step_) {
    case Step::banner:
      if (reply.code != 220) return give_up_connection(reply);
      return say(Step::helo, "HELO " + helo_name_);
    case Step::helo:
      if (!reply.is_good()) return give_up_connection(reply);
      step_ = Step::ready;
      return {};
    case Step::from:
      if (!reply.is_good()) return give_up_mail(kind_of(reply), answered(reply));
      recipient_ = 0;
      return say(Step::recipients, fmt::format("RCPT TO:<{}>", mail_.to.front()));
    case Step::recipients: return on_recipient(reply);
    case Step::data:
      if (reply.code != go_on_with_data) {
        return give_up_mail(reply.is_good() ? MailOutcome::Kind::later : kind_of(reply), answered(reply));
      }
      last_command_ = "the message";
      step_ = Step::message;
      return dot_stuffed(mail_.message);
    case Step::message:
      if (!reply.is_good()) {
        outcome_.kind = kind_of(reply);
        outcome_.reason = answered(reply);
      }
      step_ = Step::ready;  // the mail is over, whatever it said
      return {};
    case Step::reset:
      if (!reply.is_good()) return give_up_connection(reply);
      step_ = Step::ready;
      return {};
    case Step::ready: return give_up_connection(reply);  // nobody asked
    case Step::quit:
    case Step::over: break;
  }
  step_ = Step::over;
  return {};
}

std::string SmtpDialogue::begin(Mail mail) {
  mail_ = std::move(mail);
  outcome_ = {};
  recipients_taken_ = 0;
  if (mail_.to.empty()) {
    outcome_ = {MailOutcome::Kind::refused, "it has no recipient", {}, {}};
    return {};
  }
  return say(Step::from, fmt::format("MAIL FROM:<{}>", mail_.from));
}

std::string SmtpDialogue::quit() { return say(Step::quit, "QUIT"); }

std::string SmtpDialogue::say(Step step, std::string command) {
  step_ = step;
  last_command_ = command;
  return std::move(command) + "\r\n";
}

std::string SmtpDialogue::answered(const SmtpReply& reply) const {
  return fmt::format("{} answered with {}", last_command_, reply.words());
}

std::string SmtpDialogue::give_up_connection(const SmtpReply& reply) {
  problem_ = answered(reply);
  if (in_mail()) outcome_ = {MailOutcome::Kind::later, problem_, {}, {}};
  if (reply.code != service_not_available) return say(Step::quit, "QUIT");
  step_ = Step::over;
  return {};
}

std::string SmtpDialogue::give_up_mail(MailOutcome::Kind kind, std::string reason) {
  outcome_.kind = kind;
  outcome_.reason = std::move(reason);
  return say(Step::reset, "RSET");
}

std::string SmtpDialogue::on_recipient(const SmtpReply& reply) {
  if (reply.is_good()) {
    ++recipients_taken_;
  } else if (reply.is_temporary()) {
    outcome_.deferred.push_back(mail_.to[recipient_]);
    outcome_.reason = answered(reply);
  } else {
    outcome_.refused.push_back(answered(reply));
    if (outcome_.deferred.empty()) outcome_.reason = answered(reply);
  }
  if (++recipient_ < mail_.to.size()) return say(Step::recipients, fmt::format("RCPT TO:<{}>", mail_.to[recipient_]));
  return after_recipients();
}

std::string SmtpDialogue::after_recipients() {
  if (recipients_taken_ > 0) {
    outcome_.reason.clear();
    return say(Step::data, "DATA");
  }
  const bool later = !outcome_.deferred.empty();
  return give_up_mail(later ? MailOutcome::Kind::later : MailOutcome::Kind::refused, outcome_.reason);
}

}  // namespace sluice::control
