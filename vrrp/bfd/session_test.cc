#include "vrrp/bfd/session.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::vrrp::bfd {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t mine = 100, theirs = 7;

SessionConfig config_of(bool passive = false, std::uint8_t detect_mult = 3) {
  return {.name = "b1", .min_tx = 50ms, .min_rx = 20ms, .idle_tx = 1s, .detect_mult = detect_mult, .passive = passive};
}

ControlPacket from_them(State state) {
  return {.state = state,
          .detect_mult = 4,
          .my_discriminator = theirs,
          .your_discriminator = mine,
          .desired_min_tx = state == State::up ? 10ms : 1000ms,
          .required_min_rx = 30ms};
}

template <typename T>
std::vector<T> all_of(const Actions& actions) {
  std::vector<T> found;
  for (const Action& action : actions) {
    if (const T* it = std::get_if<T>(&action)) found.push_back(*it);
  }
  return found;
}

std::vector<ControlPacket> sent(const Actions& actions) {
  std::vector<ControlPacket> packets;
  for (const Send& each : all_of<Send>(actions)) packets.push_back(each.packet);
  return packets;
}

std::string logged(const Actions& actions) {
  std::string text;
  for (const Log& line : all_of<Log>(actions)) text += line.text + "\n";
  return text;
}

class BfdSession : public testing::Test {
 protected:
  explicit BfdSession(SessionConfig config = config_of()) : session_(std::move(config), mine, 1) {}

  Actions start() { return session_.start(now_); }
  Actions hear(ControlPacket packet) { return session_.on_packet(now_, packet); }
  Actions wait() {
    now_ = session_.deadline().value();
    return session_.on_timer(now_);
  }
  /// Down, Init, Up; the poll that follows is answered.
  void bring_up() {
    start();
    hear(from_them(State::down));
    hear(from_them(State::up));
    ControlPacket answer = from_them(State::up);
    answer.final = true;
    hear(answer);
    ASSERT_EQ(session_.state(), State::up);
    ASSERT_FALSE(session_.is_polling());
  }
  /// Shortest and longest time between `count` packets while the neighbor keeps talking.
  std::pair<Microseconds, Microseconds> pace(int count) {
    Microseconds least = 1h, most{0};
    std::optional<Time> before;
    for (int i = 0; i < count;) {
      hear(from_them(session_.state() == State::up ? State::up : State::admin_down));
      if (sent(wait()).empty()) continue;
      if (before) {
        least = std::min(least, now_ - *before);
        most = std::max(most, now_ - *before);
      }
      before = now_;
      ++i;
    }
    return {least, most};
  }

  Time now_{1h};
  Session session_;
};

struct PassiveBfdSession : BfdSession {
  PassiveBfdSession() : BfdSession(config_of(true)) {}
};
struct HastyBfdSession : BfdSession {
  HastyBfdSession() : BfdSession(config_of(false, 1)) {}
};

TEST_F(BfdSession, BeginsDownAndSaysSoAtMostOnceASecond) {
  const auto first = sent(start());
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0], (ControlPacket{.state = State::down,
                                     .detect_mult = 3,
                                     .my_discriminator = mine,
                                     .desired_min_tx = 1s,
                                     .required_min_rx = 20ms}));
  Time before = now_;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(sent(wait()).size(), 1u);
    EXPECT_GE(now_ - before, 750ms);
    EXPECT_LE(now_ - before, 1s);
    before = now_;
  }
}

TEST_F(BfdSession, AnIdleIntervalBelowASecondIsASecond) {
  SessionConfig config = config_of();
  config.idle_tx = 1ms;
  Session session(config, mine, 1);
  EXPECT_EQ(sent(session.start(now_)).at(0).desired_min_tx, 1s);
}

TEST_F(BfdSession, ThreeWayHandshakeFromTheSlowSide) {
  start();
  auto actions = hear(from_them(State::down));
  EXPECT_EQ(session_.state(), State::init);
  EXPECT_EQ(sent(actions).at(0).state, State::init);
  EXPECT_EQ(sent(actions).at(0).your_discriminator, theirs);
  actions = hear(from_them(State::up));
  EXPECT_EQ(session_.state(), State::up);
  EXPECT_EQ(all_of<StateChange>(actions).at(0).to, State::up);
  EXPECT_NE(logged(actions).find("(b1) Entering Up state"), std::string::npos);
}

TEST_F(BfdSession, ThreeWayHandshakeFromTheFastSide) {
  start();
  hear(from_them(State::init));
  EXPECT_EQ(session_.state(), State::up);
}

TEST_F(BfdSession, TheWholeTableOfTransitions) {
  // RFC 5880 6.8.6: rows are our state, columns what the neighbor says: AdminDown, Down, Init, Up.
  const State table[3][4] = {{State::down, State::init, State::up, State::down},
                             {State::down, State::init, State::up, State::up},
                             {State::down, State::down, State::up, State::up}};
  for (int ours = 0; ours < 3; ++ours) {
    for (int said = 0; said < 4; ++said) {
      Session session(config_of(), mine, 1);
      session.start(now_);
      if (ours >= 1) session.on_packet(now_, from_them(State::down));
      if (ours == 2) session.on_packet(now_, from_them(State::up));
      ASSERT_EQ(int(session.state()), ours + 1);
      session.on_packet(now_, from_them(static_cast<State>(said)));
      EXPECT_EQ(to_string(session.state()), to_string(table[ours][said])) << ours << ' ' << said;
    }
  }
}

TEST_F(BfdSession, UpBeginsWithAPollForTheNewPace) {
  start();
  hear(from_them(State::down));
  auto packets = sent(hear(from_them(State::up)));
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_TRUE(packets[0].poll);
  EXPECT_EQ(packets[0].desired_min_tx, 50ms);
  packets = sent(wait());
  EXPECT_TRUE(packets.at(0).poll) << "until it is answered";
  ControlPacket answer = from_them(State::up);
  answer.final = true;
  hear(answer);
  EXPECT_FALSE(sent(wait()).at(0).poll);
}

TEST_F(BfdSession, APollIsAnsweredAtOnceAndOnce) {
  bring_up();
  const auto due = session_.deadline();
  ControlPacket question = from_them(State::up);
  question.poll = true;
  const auto packets = sent(hear(question));
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_TRUE(packets[0].final);
  EXPECT_FALSE(packets[0].poll);
  EXPECT_EQ(session_.deadline(), due) << "and the periodic packets keep their pace";
}

TEST_F(BfdSession, SendsAsOftenAsBothAllow) {
  bring_up();
  EXPECT_EQ(session_.transmit_interval(), 50ms);  // ours; they take 30 ms
  ControlPacket slow = from_them(State::up);
  slow.required_min_rx = 80ms;
  hear(slow);
  EXPECT_EQ(session_.transmit_interval(), 80ms);
}

TEST_F(BfdSession, JitterTakesUpToAQuarter) {
  bring_up();
  const auto [least, most] = pace(2000);
  EXPECT_GE(least, 37'500us);
  EXPECT_LE(least, 38'500us);
  EXPECT_LE(most, 50ms);
  EXPECT_GE(most, 49ms);
}

TEST_F(HastyBfdSession, WithAMultiplierOfOneJitterTakesAtLeastATenth) {
  bring_up();
  const auto [least, most] = pace(2000);
  EXPECT_GE(least, 37'500us);
  EXPECT_LE(most, 45ms);
}

TEST_F(BfdSession, DetectionTimeIsTheirMultiplierTimesTheSlowerPace) {
  bring_up();
  EXPECT_EQ(session_.detection_time(), 4 * 20ms);  // we take 20 ms, they would send every 10
  ControlPacket slow = from_them(State::up);
  slow.desired_min_tx = 70ms;
  slow.detect_mult = 2;
  hear(slow);
  EXPECT_EQ(session_.detection_time(), 2 * 70ms);
}

TEST_F(BfdSession, SilenceForTheDetectionTimeEndsIt) {
  bring_up();
  hear(from_them(State::up));
  const Time heard = now_;
  Actions actions;
  do {
    actions = wait();
  } while (session_.state() == State::up);
  EXPECT_EQ(now_, heard + 80ms);
  const auto change = all_of<StateChange>(actions).at(0);
  EXPECT_EQ(change.from, State::up);
  EXPECT_EQ(change.to, State::down);
  EXPECT_EQ(change.local, Diagnostic::detection_time_expired);
  EXPECT_NE(logged(actions).find("(b1) Expired after 80 ms (0 usec overdue)"), std::string::npos);
  EXPECT_NE(logged(actions).find("(b1) Entering Down state (Local diagnostic - Control Detection Time Expired, "
                                 "Remote diagnostic - No Diagnostic)"),
            std::string::npos);
  const auto packets = sent(actions);
  ASSERT_EQ(packets.size(), 1u) << "the neighbor hears of it at once";
  EXPECT_EQ(packets[0].state, State::down);
  EXPECT_EQ(packets[0].your_discriminator, 0u);
  EXPECT_EQ(packets[0].desired_min_tx, 1s);
  EXPECT_EQ(session_.counters().expired, 1u);
}

TEST_F(BfdSession, APacketInTheLastMomentKeepsIt) {
  bring_up();
  for (int i = 0; i < 50; ++i) {
    now_ += 80ms - 1us;
    session_.on_timer(now_);
    ASSERT_EQ(session_.state(), State::up);
    hear(from_them(State::up));
  }
}

TEST_F(BfdSession, TheNeighborSaysWhyItLeft) {
  bring_up();
  ControlPacket down = from_them(State::down);
  down.diagnostic = Diagnostic::path_down;
  const auto actions = hear(down);
  EXPECT_EQ(all_of<StateChange>(actions).at(0).local, Diagnostic::neighbor_signaled_down);
  EXPECT_NE(logged(actions).find("Remote diagnostic - Path Down"), std::string::npos);
  hear(from_them(State::down));
  EXPECT_EQ(session_.state(), State::init);
  EXPECT_EQ(session_.diagnostic(), Diagnostic::none);
}

TEST_F(BfdSession, AnAdministrativelyDownNeighborKeepsItDown) {
  bring_up();
  hear(from_them(State::admin_down));
  hear(from_them(State::admin_down));
  EXPECT_EQ(session_.state(), State::down);
}

TEST_F(BfdSession, ASilentNeighborIsForgottenInDownToo) {
  start();
  hear(from_them(State::admin_down));
  EXPECT_EQ(session_.remote_discriminator(), theirs);
  while (session_.remote_discriminator() != 0) wait();
  EXPECT_EQ(session_.detection_time(), 0us);
}

TEST_F(PassiveBfdSession, SaysNothingBeforeItHasHeardTheNeighbor) {
  EXPECT_TRUE(start().empty());
  EXPECT_FALSE(session_.deadline());
  EXPECT_EQ(sent(hear(from_them(State::down))).at(0).state, State::init);
  hear(from_them(State::up));
  while (session_.state() == State::up) wait();
  EXPECT_FALSE(session_.deadline()) << "and falls silent again when it is gone";
}

TEST_F(BfdSession, ANeighborThatWantsNoPacketsGetsAnswersOnly) {
  bring_up();
  ControlPacket shy = from_them(State::up);
  shy.required_min_rx = 0ms;
  hear(shy);
  for (int i = 0; i < 20; ++i) {
    now_ += 60ms;
    EXPECT_TRUE(sent(session_.on_timer(now_)).empty());
    hear(shy);
  }
  shy.poll = true;
  EXPECT_TRUE(sent(hear(shy)).at(0).final);
}

TEST_F(BfdSession, DemandModeOfTheNeighborStopsPeriodicPacketsWhileUp) {
  bring_up();
  ControlPacket demand = from_them(State::up);
  demand.demand = true;
  hear(demand);
  now_ += 79ms;
  EXPECT_TRUE(sent(session_.on_timer(now_)).empty());
  demand.demand = false;
  hear(demand);
  EXPECT_FALSE(sent(wait()).empty());
}

TEST_F(BfdSession, SlowerPacesHoldWhenTheNeighborHasAgreed) {
  bring_up();
  hear(from_them(State::up));
  SessionConfig slower = config_of();
  slower.min_tx = 200ms;
  slower.min_rx = 5ms;  // faster: the neighbor must know before we expect it
  const auto packets = sent(session_.reload(now_, slower));
  EXPECT_TRUE(packets.at(0).poll);
  EXPECT_EQ(packets[0].desired_min_tx, 200ms);
  EXPECT_EQ(packets[0].required_min_rx, 5ms);
  EXPECT_EQ(session_.transmit_interval(), 50ms);
  EXPECT_EQ(session_.detection_time(), 4 * 20ms);
  ControlPacket answer = from_them(State::up);
  answer.final = true;
  hear(answer);
  EXPECT_EQ(session_.transmit_interval(), 200ms);
  EXPECT_EQ(session_.detection_time(), 4 * 10ms);
  EXPECT_EQ(session_.state(), State::up);
}

TEST_F(BfdSession, QuickerPacesHoldAtOnce) {
  bring_up();
  SessionConfig quicker = config_of();
  quicker.min_tx = 35ms;
  quicker.min_rx = 100ms;
  session_.reload(now_, quicker);
  EXPECT_EQ(session_.transmit_interval(), 35ms);
  EXPECT_EQ(session_.detection_time(), 4 * 100ms);
}

TEST_F(BfdSession, AReloadThatGivesTheNeighborMoreTimeGivesItAtOnce) {
  bring_up();
  hear(from_them(State::up));
  const Time heard = now_;
  SessionConfig patient = config_of();
  patient.min_rx = 100ms;
  session_.reload(now_, patient);
  while (session_.state() == State::up) wait();
  EXPECT_EQ(now_, heard + 4 * 100ms);
}

TEST_F(BfdSession, AReloadOfTheSameSaysNothing) {
  bring_up();
  EXPECT_TRUE(session_.reload(now_, config_of()).empty());
}

TEST_F(BfdSession, StoppedItTellsTheNeighborOnceAndIsDeaf) {
  bring_up();
  const auto packets = sent(session_.stop(now_));
  ASSERT_EQ(packets.size(), 1u);
  EXPECT_EQ(packets[0].state, State::admin_down);
  EXPECT_EQ(packets[0].diagnostic, Diagnostic::administratively_down);
  EXPECT_FALSE(session_.deadline());
  EXPECT_TRUE(hear(from_them(State::down)).empty());
  EXPECT_EQ(session_.state(), State::admin_down);
}

TEST_F(BfdSession, CountsWhatItDid) {
  bring_up();
  hear(from_them(State::down));
  EXPECT_EQ(session_.counters().times_up, 1u);
  EXPECT_EQ(session_.counters().times_down, 1u);
  EXPECT_EQ(session_.counters().expired, 0u);
  EXPECT_EQ(session_.counters().received, 4u);
}

}  // namespace
}  // namespace sluice::vrrp::bfd
