#include "dataplane/port/umem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

namespace sluice::dataplane {
namespace {

std::shared_ptr<Umem> make_umem(std::size_t workers, std::size_t frames) {
  auto umem = Umem::create({.workers = workers, .frames_per_worker = frames, .frame_size = 2048});
  EXPECT_TRUE(umem);
  return *umem;
}

TEST(UmemPool, HandsOutEachFrameOnceAndThenNoMore) {
  UmemPool pool(make_umem(2, 100), WorkerId(1));
  std::vector<Frame> frames(150);
  ASSERT_EQ(pool.allocate(frames), 100u);
  std::set<std::uint8_t*> distinct;
  for (std::size_t i = 0; i < 100; ++i) {
    const Frame& frame = frames[i];
    EXPECT_EQ(frame.length, 0);
    EXPECT_EQ(frame.data, pool.umem().base() + frame.handle + frame.headroom);
    EXPECT_EQ(frame.headroom + frame.tailroom, 2048);
    EXPECT_GE(frame.headroom, headroom_min);
    distinct.insert(frame.data);
  }
  EXPECT_EQ(distinct.size(), 100u);
  EXPECT_EQ(pool.available(), 0u);
  pool.release(std::span(frames).first(100));
  EXPECT_EQ(pool.available(), 100u);
}

TEST(UmemPool, TheLastFrameReleasedIsTheNextHandedOut) {
  UmemPool pool(make_umem(1, 8), WorkerId(0));
  std::array<Frame, 3> frames;
  ASSERT_EQ(pool.allocate(frames), 3u);
  pool.release({&frames[1], 1});
  Frame again;
  ASSERT_EQ(pool.allocate({&again, 1}), 1u);
  EXPECT_EQ(again.handle, frames[1].handle);
}

TEST(UmemPool, AFrameReleasedElsewhereGoesHome) {
  const auto umem = make_umem(3, 64);
  UmemPool home(umem, WorkerId(2)), other(umem, WorkerId(0)), third(umem, WorkerId(1));
  std::vector<Frame> frames(64);
  ASSERT_EQ(home.allocate(frames), 64u);
  std::vector<Frame> mixed(2);
  ASSERT_EQ(third.allocate(mixed), 2u);
  frames.insert(frames.begin() + 10, mixed[0]);
  frames.push_back(mixed[1]);
  other.release(frames);
  EXPECT_EQ(other.available(), 64u);
  EXPECT_EQ(third.available(), 64u);
  EXPECT_EQ(home.available(), 64u);
  ASSERT_EQ(home.allocate(std::span(frames).first(64)), 64u);
  EXPECT_EQ(home.available(), 0u);
}

TEST(UmemPool, NoFrameIsLostBetweenTwoThreads) {
  constexpr std::size_t frames = 256;
  constexpr int rounds = 2000;
  const auto umem = make_umem(2, frames);
  std::array<std::unique_ptr<UmemPool>, 2> pools{std::make_unique<UmemPool>(umem, WorkerId(0)),
                                                 std::make_unique<UmemPool>(umem, WorkerId(1))};
  std::array<Ring<Frame>, 2> across{Ring<Frame>(2 * frames), Ring<Frame>(2 * frames)};
  const auto work = [&](std::size_t me, unsigned seed) {
    std::minstd_rand random(seed);
    std::array<Frame, burst_max> burst;
    for (int round = 0; round < rounds; ++round) {
      const auto made = pools[me]->allocate(std::span(burst).first(1 + random() % burst_max));
      const auto passed = made - random() % (made + 1);
      ASSERT_EQ(across[1 - me].push(std::span<const Frame>(burst).first(passed)), passed);
      pools[me]->release(std::span<const Frame>(burst).subspan(passed, made - passed));
      const auto got = across[me].pop(burst);
      pools[me]->release(std::span<const Frame>(burst).first(got));
      if (made == 0) std::this_thread::yield();
    }
  };
  const unsigned seed = std::random_device{}();
  std::thread other(work, 1, seed + 1);
  work(0, seed);
  other.join();
  for (const std::size_t me : {0u, 1u}) {
    Frame frame;
    while (across[me].pop({&frame, 1}) == 1) pools[me]->release({&frame, 1});
  }
  EXPECT_EQ(pools[0]->available(), frames) << "seed " << seed;
  EXPECT_EQ(pools[1]->available(), frames) << "seed " << seed;
}

TEST(Umem, MoreThanTheMachineHasIsRefusedWithARemedy) {
  const auto umem = Umem::create({.workers = 4, .frames_per_worker = std::size_t{1} << 29, .frame_size = 4096});
  ASSERT_FALSE(umem);
  EXPECT_NE(umem.error().what.find("8388608 MiB are needed"), std::string::npos) << umem.error().text();
  EXPECT_NE(umem.error().what.find("use fewer queues"), std::string::npos);
}

}  // namespace
}  // namespace sluice::dataplane
