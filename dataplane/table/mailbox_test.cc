#include "dataplane/table/mailbox.h"

#include <gtest/gtest.h>

#include <poll.h>

namespace sluice::dataplane {
namespace {

std::uint32_t number(const Update& update) { return std::uint32_t(index(std::get<SetDestination>(update).id)); }
Update numbered(std::uint32_t n) { return SetDestination{DestinationId{n}, {}}; }

TEST(Mailbox, BringsUpdatesInOrderAndTakesThemHome) {
  const auto mailbox = std::move(*Mailbox::create());
  for (std::uint32_t n = 0; n < 10; ++n) mailbox->post(numbered(n));
  EXPECT_EQ(mailbox->outstanding(), 10u);
  for (std::uint32_t n = 0; n < 10; ++n) {
    Update* update = mailbox->take();
    ASSERT_NE(update, nullptr);
    EXPECT_EQ(number(*update), n);
    mailbox->give_back(update);
  }
  EXPECT_EQ(mailbox->take(), nullptr);
  const auto done = mailbox->collect();
  ASSERT_EQ(done.size(), 10u);
  for (std::uint32_t n = 0; n < 10; ++n) EXPECT_EQ(number(*done[n]), n);
  EXPECT_EQ(mailbox->outstanding(), 0u);
}

TEST(Mailbox, WhatTheRingCannotTakeWaitsInOrder) {
  const auto mailbox = std::move(*Mailbox::create());
  constexpr std::uint32_t many = 5000;  // several rings full
  for (std::uint32_t n = 0; n < many; ++n) mailbox->post(numbered(n));
  EXPECT_EQ(mailbox->outstanding(), many);
  std::uint32_t next = 0;
  while (next < many) {
    while (Update* update = mailbox->take()) {
      ASSERT_EQ(number(*update), next++);
      mailbox->give_back(update);
    }
    ASSERT_FALSE(mailbox->collect().empty());
  }
  EXPECT_EQ(mailbox->outstanding(), 0u);
}

// Objects live until control lets them go, wherever they are when the mailbox goes.
TEST(Mailbox, FreesEverythingThatIsLeftInside) {
  auto token = std::make_shared<int>(1);
  struct Counting final : Scheduler {
    explicit Counting(std::shared_ptr<int> t) : held(std::move(t)) {}
    std::optional<DestinationId> pick(const Service&, const ScheduleRequest&, Loads) override { return std::nullopt; }
    void adopt(const Service&, const Scheduler&, const Service&) override {}
    std::shared_ptr<int> held;
  };
  {
    const auto mailbox = std::move(*Mailbox::create());
    for (int i = 0; i < 3000; ++i) mailbox->post(SetService{nullptr, std::make_unique<Counting>(token)});
    for (int i = 0; i < 100; ++i) mailbox->give_back(mailbox->take());
    EXPECT_EQ(token.use_count(), 3001);
    EXPECT_EQ(mailbox->collect().size(), 100u);
    EXPECT_EQ(token.use_count(), 2901);
    for (int i = 0; i < 50; ++i) mailbox->give_back(mailbox->take());
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Mailbox, WakesOnlyAWorkerThatSleeps) {
  const auto mailbox = std::move(*Mailbox::create());
  const auto is_readable = [&] {
    pollfd fd{mailbox->wait_fd(), POLLIN, 0};
    return ::poll(&fd, 1, 0) == 1;
  };
  mailbox->post(numbered(1));
  EXPECT_FALSE(is_readable());
  mailbox->prepare_sleep();
  mailbox->post(numbered(2));
  EXPECT_TRUE(is_readable());
  mailbox->end_sleep();
  EXPECT_FALSE(is_readable());
}

}  // namespace
}  // namespace sluice::dataplane
