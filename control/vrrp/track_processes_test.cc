#include "control/vrrp/track_processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/netlink/test_namespace.h"

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

/// A process that nobody else has: its parameter says whose it is.
class Sleeper {
 public:
  explicit Sleeper(const std::string& seconds) {
    std::string name = "sleep";
    std::string parameter = seconds;
    char* const argv[] = {name.data(), parameter.data(), nullptr};
    EXPECT_EQ(::posix_spawnp(&process_, "sleep", nullptr, nullptr, argv, environ), 0);
  }
  ~Sleeper() { reap(); }
  void kill() const { ::kill(process_, SIGKILL); }
  void reap() {
    if (process_ == 0) return;
    kill();
    ::waitpid(std::exchange(process_, 0), nullptr, 0);
  }
  [[nodiscard]] pid_t process() const { return process_; }

 private:
  pid_t process_ = 0;
};

class TrackProcessesTest : public testing::Test {
 protected:
  static std::string parameter() { return std::to_string(100'000 + ::getpid()); }

  void watch() {
    processes_ = std::make_unique<TrackProcesses>(
        io_, [this](TrackedStatus status) { told_.push_back(std::move(status)); },
        [this](const std::string& line) { said_ += line + "\n"; });
    config::TrackProcess sleepers{.name = "p", .command = {"sleep", parameter()}, .match = config::ParamMatch::exact};
    processes_->configure({sleepers}, {});
  }
  bool becomes(bool up) {
    return netlink::run_until(io_, [&] { return !told_.empty() && told_.back().up == up; });
  }
  void comes_and_goes() {
    EXPECT_EQ(processes_->all().at(0).up, false);
    {
      Sleeper sleeper(parameter());
      EXPECT_TRUE(becomes(true));
      // Dead counts as gone, whoever has yet to wait for it.
      sleeper.kill();
      EXPECT_TRUE(becomes(false));
    }
    Sleeper first(parameter());
    EXPECT_TRUE(becomes(true));
    Sleeper second(parameter());
    first.reap();
    netlink::run_until(
        io_, [] { return false; }, 100ms);
    EXPECT_TRUE(processes_->all().at(0).up.value()) << "another one runs";
  }

  boost::asio::io_context io_;
  std::vector<TrackedStatus> told_;
  std::string said_;
  std::unique_ptr<TrackProcesses> processes_;
};

TEST_F(TrackProcessesTest, TheKernelTellsWhoComesAndGoes) {
  watch();
  if (said_.find("each second") != std::string::npos) GTEST_SKIP() << said_;
  comes_and_goes();
}

TEST_F(TrackProcessesTest, WhereItDoesNotTellTheyAreLookedForEachSecond) {
  const auto space = netlink::TestNamespace::create();
  if (!space) GTEST_SKIP() << "needs the right to make a network namespace";
  const auto inside = space->enter();
  watch();
  EXPECT_NE(said_.find("each second"), std::string::npos) << said_;
  comes_and_goes();
}

TEST_F(TrackProcessesTest, WhatRunsAlreadyCountsAtOnce) {
  const Sleeper sleeper(parameter());
  const auto runs = [&] {
    const auto view = look_at_process(sleeper.process(), true);
    return view && view->name == "sleep";
  };
  ASSERT_TRUE(netlink::run_until(io_, runs));
  watch();
  EXPECT_EQ(processes_->all().at(0).up, true);
  EXPECT_TRUE(told_.empty()) << "it is in all()";
}

TEST_F(TrackProcessesTest, AReloadMayEndAllOfIt) {
  watch();
  processes_->configure({}, {});
  EXPECT_TRUE(processes_->all().empty());
  io_.run();  // nothing is left to do
}

TEST(LookAtProcess, SeesItself) {
  const auto view = look_at_process(::getpid(), true);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->name, std::string("vrrp_control_test").substr(0, 15));
  EXPECT_NE(view->command.at(0).find("vrrp_control_test"), std::string::npos);
  EXPECT_FALSE(look_at_process(0, false));
}

}  // namespace
}  // namespace sluice::control
