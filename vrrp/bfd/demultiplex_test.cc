#include "vrrp/bfd/demultiplex.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::vrrp::bfd {
namespace {

net::IpAddr ip(std::string_view text) { return net::IpAddr::parse(text).value(); }

const std::vector<SessionKey> sessions = {{11, ip("10.98.0.2")},
                                          {12, ip("10.98.0.3"), false, 250},
                                          {13, ip("fd98::2"), false, 64},
                                          {14, ip("10.99.0.2"), true, 0}};

ControlPacket packet(State state, std::uint32_t yours) {
  return {.state = state, .my_discriminator = 7, .your_discriminator = yours};
}

TEST(BfdDemultiplex, TheDiscriminatorChoosesTheSession) {
  EXPECT_EQ(find_session(sessions, packet(State::up, 12), {ip("10.98.0.3"), 255}), 1u);
  EXPECT_EQ(find_session(sessions, packet(State::up, 13), {ip("fd98::2"), 255}), 2u);
}

TEST(BfdDemultiplex, WhoDoesntKnowOursYetIsKnownByItsAddress) {
  EXPECT_EQ(find_session(sessions, packet(State::down, 0), {ip("10.98.0.2"), 255}), 0u);
  EXPECT_EQ(find_session(sessions, packet(State::admin_down, 0), {ip("fd98::2"), 64}), 2u);
  EXPECT_EQ(find_session(sessions, packet(State::down, 0), {ip("10.99.0.2"), 3, true}), 3u);
}

void expect_misfit(const ControlPacket& packet, const Arrival& arrival, ReceiveError error,
                   std::optional<std::size_t> session) {
  const auto found = find_session(sessions, packet, arrival);
  ASSERT_FALSE(found) << to_string(error);
  EXPECT_EQ(to_string(found.error().error), to_string(error));
  EXPECT_EQ(found.error().session, session) << to_string(error);
}

TEST(BfdDemultiplex, EachCheckHasAReasonOfItsOwn) {
  const auto near = ip("10.98.0.2");
  expect_misfit(packet(State::up, 15), {near, 255}, ReceiveError::unknown_discriminator, {});
  expect_misfit(packet(State::init, 0), {near, 255}, ReceiveError::your_discriminator_zero, {});
  expect_misfit(packet(State::up, 0), {near, 255}, ReceiveError::your_discriminator_zero, {});
  expect_misfit(packet(State::down, 0), {ip("10.98.0.9"), 255}, ReceiveError::unknown_neighbor, {});
  expect_misfit(packet(State::down, 0), {ip("10.99.0.2"), 255, false}, ReceiveError::unknown_neighbor, {});
  expect_misfit(packet(State::up, 12), {near, 255}, ReceiveError::source_address, 1);
  expect_misfit(packet(State::up, 14), {ip("10.99.0.2"), 255, false}, ReceiveError::source_address, 3);
  expect_misfit(packet(State::up, 11), {near, 254}, ReceiveError::ttl, 0);
  expect_misfit(packet(State::down, 0), {near, 254}, ReceiveError::ttl, 0);
  expect_misfit(packet(State::up, 12), {ip("10.98.0.3"), 249}, ReceiveError::ttl, 1);
}

TEST(BfdDemultiplex, TheLeastTtlIsWhatGoesOutLessMaxHops) {
  EXPECT_EQ(ttl_min_of(255, 0), 255);
  EXPECT_EQ(ttl_min_of(64, 0), 64);
  EXPECT_EQ(ttl_min_of(64, 3), 61);
  EXPECT_EQ(ttl_min_of(255, 255), 0);
  EXPECT_EQ(ttl_min_of(255, -1), 0);
  EXPECT_EQ(ttl_min_of(3, 200), 0);
}

}  // namespace
}  // namespace sluice::vrrp::bfd
