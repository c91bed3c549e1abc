// MISC_CHECK's scripts as the health thread asks for them: real ones, run by this thread.
#include "control/pools/check_scripts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;
using health::ScriptOutcome;
using How = ScriptOutcome::How;

class Checks : public testing::Test {
 protected:
  Checks() { std::filesystem::create_directories(directory_); }
  ~Checks() override { std::filesystem::remove_all(directory_); }

  std::string script(const std::string& body) {
    const std::string path = directory_ / ("script" + std::to_string(++count_));
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  ScriptOutcome run(std::vector<std::string> argv, std::chrono::milliseconds time_max = 10s) {
    std::optional<ScriptOutcome> outcome;
    scripts_.runner()({.argv = std::move(argv), .time_max = time_max}, [&](ScriptOutcome got) { outcome = got; });
    wait([&] { return outcome.has_value(); });
    return outcome.value_or(ScriptOutcome{How::not_started, 0, "nobody told"});
  }
  bool wait(auto condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.run_one_for(20ms);
    }
    return condition();
  }

  std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) / ("sluice-checks-" + std::to_string(::getpid()));
  int count_ = 0;
  boost::asio::io_context io_;
  CheckScripts scripts_{io_};
};

TEST_F(Checks, TellsHowAScriptEnded) {
  EXPECT_EQ(run({script("exit $1"), "7"}), (ScriptOutcome{How::exited, 7, {}}));
  EXPECT_EQ(run({script("kill -9 $$")}), (ScriptOutcome{How::killed, 9, {}}));
  EXPECT_EQ(run({"/nonexistent/x"}).how, How::cannot_run);
}

TEST_F(Checks, EndsAScriptThatTakesTooLongEvenIfItDoesNotListen) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run({script("exec sleep 60")}, 50ms).how, How::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1900ms) << "TERM was enough";
  EXPECT_EQ(run({script("trap '' TERM\nwhile :; do sleep 0.1; done")}, 50ms).how, How::timed_out);
}

TEST_F(Checks, StopsAScriptThatNobodyWaitsForAnyMore) {
  const auto pid_file = directory_ / "pid";
  bool told = false;
  const auto stop = scripts_.runner()({.argv = {script("echo $$ > " + pid_file.string() + "\nexec sleep 60")}},
                                      [&](const ScriptOutcome&) { told = true; });
  ASSERT_TRUE(wait([&] { return std::filesystem::exists(pid_file) && std::filesystem::file_size(pid_file) > 1; }));
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  stop();
  EXPECT_TRUE(wait([&] { return ::kill(pid, 0) != 0; }));
  EXPECT_FALSE(told);
  stop();
}

TEST_F(Checks, OnceTheyAreGoneTheirRunnerDoesNothing) {
  health::RunScript runner;
  {
    CheckScripts short_lived(io_);
    runner = short_lived.runner();
  }
  runner({.argv = {"/bin/true"}}, [](const ScriptOutcome&) { FAIL(); });
  io_.restart();
  io_.poll();
}

}  // namespace
}  // namespace sluice::control
