#include "control/mail/smtp_reply.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::control {
namespace {

std::vector<SmtpReply> all(SmtpReplyReader& reader) {
  std::vector<SmtpReply> list;
  while (auto reply = reader.take()) list.push_back(std::move(*reply));
  return list;
}

std::string problem_of(std::string_view bytes) {
  SmtpReplyReader reader;
  reader.feed(bytes);
  EXPECT_TRUE(all(reader).empty());
  return reader.problem();
}

TEST(SmtpReply, IsReadInPiecesOfAnySize) {
  const std::string_view bytes = "220-mail.example\r\n220-is\r\n220 ready\r\n250 fine\n354\r\n";
  const std::vector<SmtpReply> expected = {{220, "mail.example is ready"}, {250, "fine"}, {354, ""}};
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    SmtpReplyReader reader;
    std::vector<SmtpReply> seen;
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      reader.feed(bytes.substr(at, size));
      for (SmtpReply& reply : all(reader)) seen.push_back(std::move(reply));
    }
    EXPECT_EQ(seen, expected) << "in pieces of " << size;
  }
}

TEST(SmtpReply, WhatIsNoneEndsIt) {
  for (const char* bytes : {"hello\r\n", "22 x\r\n", "999 x\r\n", "2x0 x\r\n", "220x\r\n", "\r\n", "100 x\r\n"}) {
    EXPECT_EQ(problem_of(bytes), "a line that is no SMTP reply") << bytes;
  }
  EXPECT_EQ(problem_of("250-a\r\n550 b\r\n"), "a reply that is both 250 and 550");
}

TEST(SmtpReply, AfterAProblemNothingIsTakenAnyMore) {
  SmtpReplyReader reader;
  reader.feed("nonsense\r\n250 fine\r\n");
  EXPECT_FALSE(reader.take());
  reader.feed("250 fine\r\n");
  EXPECT_FALSE(reader.take());
}

TEST(SmtpReply, ALineHasALimit) {
  SmtpReplyReader reader;
  reader.feed("250 " + std::string(SmtpReplyReader::line_bytes_max - 4, 'x') + "\n");
  EXPECT_TRUE(reader.take());
  EXPECT_EQ(problem_of("250 " + std::string(SmtpReplyReader::line_bytes_max - 3, 'x') + "\n"),
            "a line longer than 2048 bytes");
  EXPECT_EQ(problem_of(std::string(SmtpReplyReader::line_bytes_max + 1, '2')), "a line longer than 2048 bytes");
}

TEST(SmtpReply, AReplyHasALimitOfLines) {
  std::string bytes;
  for (std::size_t i = 1; i < SmtpReplyReader::lines_max; ++i) bytes += "220-x\r\n";
  SmtpReplyReader reader;
  reader.feed(bytes + "220 x\r\n");
  EXPECT_TRUE(reader.take());
  EXPECT_EQ(problem_of(bytes + "220-x\r\n220 x\r\n"), "a reply of more than 100 lines");
}

TEST(SmtpReply, ItsTextIsFitForALog) {
  SmtpReplyReader reader;
  reader.feed("550-a\x1b[31m\xc3\xa4\r\n550 " + std::string(1000, 'x') + "\r\n");
  const auto reply = reader.take();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->text.size(), SmtpReplyReader::text_bytes_max);
  EXPECT_EQ(reply->text.substr(0, 10), "a?[31m?? x");
  EXPECT_EQ((SmtpReply{550, "no"}.words()), "550 no");
  EXPECT_EQ((SmtpReply{550, ""}.words()), "550");
}

}  // namespace
}  // namespace sluice::control
