#include "control/daemon/supervisor/director_link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace sluice::control {
namespace {

using Kind = DirectorMessage::Kind;

TEST(DirectorLink, MessagesComeBackAsTheyWere) {
  for (const Kind kind : {Kind::hello, Kind::ready, Kind::reloading, Kind::status}) {
    for (const char* text : {"", "2 virtual servers, 4 of 5 real servers up"}) {
      const DirectorMessage message{kind, text};
      EXPECT_EQ(decode(encode(message)), message);
    }
  }
}

TEST(DirectorLink, WhatIsNoMessageIsNothing) {
  for (const char* text : {"", " ", "helo", "hello2", "READY", "statusx y"}) EXPECT_FALSE(decode(text)) << text;
  EXPECT_EQ(decode("status "), (DirectorMessage{Kind::status, ""}));
}

TEST(DirectorLink, TextsAreOneLineAndBounded) {
  const std::string bytes = encode({Kind::status, "a\nb" + std::string(5000, 'x')});
  EXPECT_EQ(bytes.size(), director_message_bytes_max);
  EXPECT_TRUE(bytes.starts_with("status a bx")) << "a newline would be another assignment for systemd";
}

TEST(DirectorLink, AFullOrClosedSocketIsNoTroubleForTheSender) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const SupervisorLink link(ends[0]);
  for (int i = 0; i < 10'000; ++i) link.send({Kind::hello, ""});
  ::close(ends[1]);
  link.send({Kind::hello, ""});
}

}  // namespace
}  // namespace sluice::control
