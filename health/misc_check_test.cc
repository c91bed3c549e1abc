// MISC_CHECK with a stand-in for who runs scripts: what an end means, when the next one is due, and that nothing hangs.
#include "health/misc_check.h"

#include <thread>

#include "health/check_test.h"

namespace sluice::health {
namespace {

using How = ScriptOutcome::How;

TEST(MiscResult, OnlyStatusNothingIsSuccess) {
  EXPECT_RESULT(misc_result({How::exited, 0, {}}, false), success, "exited with status 0");
  EXPECT_RESULT(misc_result({How::exited, 1, {}}, false), failure, "exited with status 1");
  EXPECT_RESULT(misc_result({How::exited, 2, {}}, false), failure, "exited with status 2");
  EXPECT_RESULT(misc_result({How::killed, 9, {}}, false), failure, "killed by signal 9");
  EXPECT_RESULT(misc_result({How::killed, 9, {}}, true), failure, "killed by signal 9");
  EXPECT_RESULT(misc_result({How::timed_out, 0, {}}, true), failure, "timed out");
  EXPECT_RESULT(misc_result({How::cannot_run, 0, "no such file"}, true), failure, "no such file");
  EXPECT_RESULT(misc_result({How::not_started, 0, "no process left"}, true), not_counted, "no process left");
  EXPECT_FALSE(misc_result({How::exited, 0, {}}, false).weight);
}

TEST(MiscResult, DynamicStatusIsAWeight) {
  EXPECT_EQ(misc_result({How::exited, 0, {}}, true).weight, WeightReport{});
  EXPECT_RESULT(misc_result({How::exited, 1, {}}, true), failure, "exited with status 1");
  EXPECT_TRUE(misc_result({How::exited, 1, {}}, true).weight) << "and nothing more of the weight";
  EXPECT_FALSE(misc_result({How::timed_out, 0, {}}, true).weight);
  for (const int status : {2, 3, 255}) {
    const ProbeResult result = misc_result({How::exited, status, {}}, true);
    EXPECT_EQ(result.verdict, Verdict::success);
    EXPECT_EQ(result.weight, (WeightReport{WeightReport::Kind::absolute, status - 2}));
  }
}

class MiscChecks : public CheckTest {
 protected:
  MiscCheck make(RunScript run, RetryTimings timings = {}) {
    calls_.emplace(loop_, std::move(run));
    return MiscCheck({.script = {.argv = {"/bin/check", "web 1"}, .time_max = 100ms}}, timings, true, *calls_);
  }
  std::optional<ScriptCalls> calls_;
};

TEST_F(MiscChecks, HandsOverTheCommandAndWaitsForItsEnd) {
  ScriptCommand seen;
  std::thread other;
  bool stopped = false;
  MiscCheck check = make([&](const ScriptCommand& command, ScriptDone done) -> StopScript {
    seen = command;
    other = std::thread([done = std::move(done)] { done({How::exited, 3, {}}); });
    return [&] { stopped = true; };
  });
  EXPECT_RESULT(run(check), failure, "exited with status 3");
  other.join();
  EXPECT_EQ(seen.argv, (std::vector<std::string>{"/bin/check", "web 1"}));
  EXPECT_FALSE(stopped);
}

TEST_F(MiscChecks, TakesAnEndThatIsToldAtOnceAndOnlyTheFirst) {
  MiscCheck check = make([](const ScriptCommand&, const ScriptDone& done) -> StopScript {
    done({How::exited, 0, {}});
    done({How::exited, 1, {}});
    return {};
  });
  EXPECT_RESULT(run(check), success, "exited with status 0");
}

TEST_F(MiscChecks, WithoutAnybodyToRunScriptsNothingIsCounted) {
  MiscCheck check = make({});
  EXPECT_RESULT(run(check), not_counted, "nobody runs scripts here");
}

TEST_F(MiscChecks, DelaysCountFromTheScriptsStart) {
  MiscCheck check = make(
      [this](const ScriptCommand&, ScriptDone done) -> StopScript {
        auto timer = std::make_shared<asio::steady_timer>(io_, 60ms);
        timer->async_wait([timer, done = std::move(done)](const auto&) { done({How::exited, 0, {}}); });
        return {};
      },
      {.delay_loop = 10s, .delay_before_retry = 20ms, .retry = 1});
  run(check);
  const auto next = check.on(Verdict::success).next_probe;
  EXPECT_LE(next, 9940ms);
  EXPECT_GT(next, 9000ms);
  EXPECT_EQ(check.on(Verdict::failure).next_probe, 0ms) << "the script took longer than delay_before_retry";
}

TEST_F(MiscChecks, AnEndThatComesTooLateForAnybodyIsIgnored) {
  ScriptDone kept;
  {
    EventLoop loop;
    ScriptCalls calls(loop, [&](const ScriptCommand&, ScriptDone done) -> StopScript {
      kept = std::move(done);
      return {};
    });
    Task<ScriptOutcome> call = calls.call({.argv = {"x"}});
    call.start();
    ASSERT_TRUE(kept);
  }
  kept({How::exited, 0, {}});
}

}  // namespace
}  // namespace sluice::health
