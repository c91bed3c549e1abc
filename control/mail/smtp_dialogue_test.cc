#include "control/mail/smtp_dialogue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice::control {
namespace {

using Kind = MailOutcome::Kind;

Mail mail() { return {"lb@example.com", {"a@b", "c@d"}, "Subject: x\r\n\r\n.dot\r\n"}; }

/// After banner and HELO, with a mail begun.
SmtpDialogue in_a_mail() {
  SmtpDialogue dialogue("lb1");
  EXPECT_EQ(dialogue.on_reply({220, "hi"}), "HELO lb1\r\n");
  EXPECT_EQ(dialogue.on_reply({250, "hi"}), "");
  EXPECT_TRUE(dialogue.ready());
  EXPECT_EQ(dialogue.begin(mail()), "MAIL FROM:<lb@example.com>\r\n");
  return dialogue;
}

TEST(SmtpDialogue, SaysWhatKeepalivedSaysInItsOrder) {
  SmtpDialogue dialogue = in_a_mail();
  EXPECT_EQ(dialogue.on_reply({250, ""}), "RCPT TO:<a@b>\r\n");
  EXPECT_EQ(dialogue.on_reply({250, ""}), "RCPT TO:<c@d>\r\n");
  EXPECT_EQ(dialogue.on_reply({251, ""}), "DATA\r\n");
  EXPECT_EQ(dialogue.on_reply({354, ""}), "Subject: x\r\n\r\n..dot\r\n.\r\n");
  EXPECT_EQ(dialogue.on_reply({250, ""}), "");
  EXPECT_TRUE(dialogue.ready());
  EXPECT_EQ(dialogue.outcome().kind, Kind::taken);
  EXPECT_EQ(dialogue.quit(), "QUIT\r\n");
  EXPECT_EQ(dialogue.on_reply({221, ""}), "");
  EXPECT_TRUE(dialogue.over());
  EXPECT_EQ(dialogue.problem(), "");
}

TEST(SmtpDialogue, OneConnectionCarriesSeveralMails) {
  SmtpDialogue dialogue = in_a_mail();
  for (const auto code : {250, 250, 250, 354, 250}) (void)dialogue.on_reply({std::uint16_t(code), ""});
  EXPECT_EQ(dialogue.begin(mail()), "MAIL FROM:<lb@example.com>\r\n");
  EXPECT_EQ(dialogue.on_reply({550, "not from you"}), "RSET\r\n");
  EXPECT_EQ(dialogue.on_reply({250, ""}), "");
  EXPECT_TRUE(dialogue.ready());
  EXPECT_EQ(dialogue.outcome().kind, Kind::refused);
  EXPECT_EQ(dialogue.outcome().reason, "MAIL FROM:<lb@example.com> answered with 550 not from you");
}

TEST(SmtpDialogue, ARefusedRecipientDoesntKeepTheMailFromTheOthers) {
  SmtpDialogue dialogue = in_a_mail();
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.on_reply({550, "unknown"}), "RCPT TO:<c@d>\r\n");
  EXPECT_EQ(dialogue.on_reply({250, ""}), "DATA\r\n");
  (void)dialogue.on_reply({354, ""});
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.outcome().kind, Kind::taken);
  EXPECT_EQ(dialogue.outcome().refused, std::vector<std::string>{"RCPT TO:<a@b> answered with 550 unknown"});
  EXPECT_TRUE(dialogue.outcome().deferred.empty());
}

TEST(SmtpDialogue, ARecipientWhoMustWaitIsNamed) {
  SmtpDialogue dialogue = in_a_mail();
  (void)dialogue.on_reply({250, ""});
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.on_reply({452, "full"}), "DATA\r\n");
  (void)dialogue.on_reply({354, ""});
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.outcome().kind, Kind::taken);
  EXPECT_EQ(dialogue.outcome().deferred, std::vector<std::string>{"c@d"});
}

TEST(SmtpDialogue, WithoutARecipientThereIsNoData) {
  SmtpDialogue dialogue = in_a_mail();
  (void)dialogue.on_reply({250, ""});
  (void)dialogue.on_reply({550, ""});
  EXPECT_EQ(dialogue.on_reply({550, "no"}), "RSET\r\n");
  EXPECT_EQ(dialogue.outcome().kind, Kind::refused);
  EXPECT_EQ(dialogue.outcome().reason, "RCPT TO:<c@d> answered with 550 no");

  SmtpDialogue later = in_a_mail();
  (void)later.on_reply({250, ""});
  (void)later.on_reply({450, "grey"});
  (void)later.on_reply({550, "no"});
  EXPECT_EQ(later.outcome().kind, Kind::later) << "one of them may take it yet";
  EXPECT_EQ(later.outcome().reason, "RCPT TO:<a@b> answered with 450 grey");
}

TEST(SmtpDialogue, TheMessageItselfMayBeRefusedOrPutOff) {
  for (const auto& [code, kind] : {std::pair{554, Kind::refused}, std::pair{451, Kind::later}}) {
    SmtpDialogue dialogue = in_a_mail();
    for (const auto good : {250, 250, 250, 354}) (void)dialogue.on_reply({std::uint16_t(good), ""});
    EXPECT_EQ(dialogue.on_reply({std::uint16_t(code), "x"}), "");
    EXPECT_TRUE(dialogue.ready());
    EXPECT_EQ(dialogue.outcome().kind, kind);
    EXPECT_EQ(dialogue.outcome().reason, fmt::format("the message answered with {} x", code));
  }
}

TEST(SmtpDialogue, AServerThatWantsNothingOfUsIsLeftPolitely) {
  SmtpDialogue dialogue("lb1");
  EXPECT_EQ(dialogue.on_reply({554, "go away"}), "QUIT\r\n");
  EXPECT_EQ(dialogue.on_reply({221, ""}), "");
  EXPECT_TRUE(dialogue.over());
  EXPECT_EQ(dialogue.problem(), "connecting answered with 554 go away");
}

TEST(SmtpDialogue, AServerThatGoesAwayLeavesTheMailForLater) {
  SmtpDialogue dialogue = in_a_mail();
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.on_reply({421, "shutting down"}), "");
  EXPECT_TRUE(dialogue.over());
  EXPECT_EQ(dialogue.outcome().kind, Kind::later);
  EXPECT_EQ(dialogue.problem(), "RCPT TO:<a@b> answered with 421 shutting down");
}

TEST(SmtpDialogue, AMailToNobodyIsNotBegun) {
  SmtpDialogue dialogue("lb1");
  (void)dialogue.on_reply({220, ""});
  (void)dialogue.on_reply({250, ""});
  EXPECT_EQ(dialogue.begin({"a@b", {}, ""}), "");
  EXPECT_TRUE(dialogue.ready());
  EXPECT_EQ(dialogue.outcome().kind, Kind::refused);
}

}  // namespace
}  // namespace sluice::control
