#include "control/notify/script.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

class Scripts : public testing::Test {
 protected:
  Scripts() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-script-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~Scripts() override { std::filesystem::remove_all(directory_); }

  /// A shell script in the test's directory; $OUT is a file there that read_out() reads.
  std::string script(const std::string& body, mode_t mode = 0755) {
    const std::string path = (directory_ / ("script" + std::to_string(++count_))).string();
    std::ofstream(path) << "#!/bin/sh\nOUT=" << (directory_ / "out").string() << "\n" << body << "\n";
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::string read_out() {
    std::ostringstream text;
    text << std::ifstream(directory_ / "out").rdbuf();
    return text.str();
  }

  /// Runs it and waits for its end, not longer than 5 s.
  std::optional<ScriptEnd> run(ScriptSpec spec) {
    std::optional<ScriptEnd> end;
    const auto started = runner_.run(spec, [&](const ScriptEnd& got) { end = got; });
    EXPECT_TRUE(started) << started.error().text();
    wait([&] { return end.has_value(); });
    return end;
  }

  template <typename Condition>
  bool wait(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.run_one_for(20ms);
    }
    return condition();
  }

  std::filesystem::path directory_;
  int count_ = 0;
  boost::asio::io_context io_{1};
  ScriptRunner runner_{io_};
};

TEST_F(Scripts, ThreadGoesOnWhileTheNextScriptRuns) {
  ASSERT_TRUE(run({.argv = {script("exit 0")}}));
  std::optional<ScriptEnd> end;
  ASSERT_TRUE(runner_.run({.argv = {script("exec sleep 1")}}, [&](const ScriptEnd& got) { end = got; }));
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) {
    io_.restart();
    io_.run_one_for(10ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - before, 500ms) << "it was waited for";
  EXPECT_FALSE(end);
}

TEST_F(Scripts, GetTheirArgumentsAsTheyAreWithoutAShell) {
  const auto end = run({.argv = {script(R"(printf '<%s>' "$@" > "$OUT")"), "a b", "$HOME;true", "*"}});
  ASSERT_TRUE(end);
  EXPECT_TRUE(end->succeeded());
  EXPECT_EQ(read_out(), "<a b><$HOME;true><*>");
  EXPECT_EQ(runner_.running(), 0u);
}

TEST_F(Scripts, TellHowTheyEnded) {
  const auto exited = run({.argv = {script("exit 3")}});
  ASSERT_TRUE(exited);
  EXPECT_EQ(exited->text(), "exited with status 3");
  EXPECT_FALSE(exited->succeeded());
  const auto killed = run({.argv = {script("kill -9 $$")}});
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->text(), "killed by signal 9");
}

TEST_F(Scripts, ThatAreMissingOrNotExecutableAreOneClearError) {
  const auto missing = runner_.run({.argv = {"/nonexistent/notify.sh"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().text(), "/nonexistent/notify.sh: cannot be run: No such file or directory");
  const std::string plain = script("true", 0644);
  const auto refused = runner_.run({.argv = {plain}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), plain + ": cannot be run: Permission denied");
  EXPECT_FALSE(runner_.run({}));
  EXPECT_EQ(runner_.running(), 0u);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";

  EXPECT_EQ(check_script({.argv = {"/nonexistent/notify.sh"}}).error().text(),
            "/nonexistent/notify.sh: No such file or directory");
  EXPECT_EQ(check_script({.argv = {plain}}).error().text(), plain + ": isn't executable");
  EXPECT_EQ(check_script({.argv = {"/tmp"}}).error().text(), "/tmp: isn't a file");
  EXPECT_TRUE(check_script({.argv = {script("true")}}));
}

TEST_F(Scripts, HaveNullForStdioAndNoOtherFilesOfOurs) {
  const int ours = ::open("/dev/zero", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(ours, 0);
  ASSERT_TRUE(run({.argv = {script(R"(stdio=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)
leaked=$(ls -l /proc/$$/fd | grep -c /dev/zero)
echo "$stdio $leaked" > "$OUT")")}}));
  ::close(ours);
  EXPECT_EQ(read_out(), "/dev/null\n/dev/null\n/dev/null 0\n");
}

TEST_F(Scripts, HaveTheirOwnGroupDefaultSignalsAndACleanEnvironment) {
  ::setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
  ::setenv("SLUICE_TEST", "kept", 1);
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  ASSERT_TRUE(run({.argv = {script(R"(read -r pid comm state ppid pgrp rest < /proc/$$/stat
[ "$pgrp" = $$ ] && echo own group > "$OUT"
while read -r key value; do  # a builtin: while the shell starts a command, it blocks signals itself
  case $key in SigIgn:|SigBlk:) echo "$key $value" >> "$OUT";; esac
done < /proc/$$/status
echo "$SLUICE_TEST,$LD_LIBRARY_PATH" >> "$OUT")")}}));
  std::signal(SIGPIPE, old);
  ::unsetenv("LD_LIBRARY_PATH");
  EXPECT_EQ(read_out(), "own group\nSigBlk: 0000000000000000\nSigIgn: 0000000000000000\nkept,\n");
}

TEST_F(Scripts, ThatTakeTooLongGetTermThenTheirWholeGroupGetsKill) {
  const auto before = std::chrono::steady_clock::now();
  const auto polite = run({.argv = {script("sleep 60 & wait")}, .time_max = 100ms});
  ASSERT_TRUE(polite);
  EXPECT_TRUE(polite->timed_out);
  EXPECT_EQ(polite->signal, SIGTERM);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 1500ms);

  const auto stubborn = run({.argv = {script("trap '' TERM; while :; do sleep 60; done")}, .time_max = 100ms});
  ASSERT_TRUE(stubborn);
  EXPECT_EQ(stubborn->signal, SIGKILL);
  EXPECT_EQ(stubborn->text(), "took too long and was killed");
}

TEST_F(Scripts, RunConcurrently) {
  int ended = 0;
  const std::string slow = script("sleep 0.3");
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(runner_.run({.argv = {slow}}, [&](const ScriptEnd&) { ++ended; }));
  EXPECT_EQ(runner_.running(), 10u);
  EXPECT_TRUE(wait([&] { return ended == 10; }));
  EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
}

TEST_F(Scripts, RunAsTheirUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto nobody = find_script_user("nobody", std::nullopt);
  ASSERT_TRUE(nobody) << nobody.error().text();
  std::filesystem::permissions(directory_, std::filesystem::perms::all);
  ASSERT_TRUE(run({.argv = {script(R"(id -un > "$OUT"; id -G >> "$OUT")")}, .user = *nobody}));
  EXPECT_EQ(read_out(), "nobody\n" + std::to_string(nobody->gid) + "\n");
}

TEST_F(Scripts, UsersAreFoundByNameOrNumber) {
  const auto root = find_script_user("0", std::nullopt);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->uid, 0u);
  const auto mixed = find_script_user("root", "12345");
  ASSERT_TRUE(mixed);
  EXPECT_EQ(mixed->gid, 12345u);
  EXPECT_EQ(mixed->groups, std::vector<gid_t>{12345u});
  EXPECT_EQ(find_script_user("no-such-user", std::nullopt).error().text(), "user no-such-user: doesn't exist");
  EXPECT_EQ(find_script_user("root", "no-such-group").error().text(), "group no-such-group: doesn't exist");
}

TEST_F(Scripts, StillRunningWhenTheRunnerGoesGetTerm) {
  boost::asio::io_context io{1};
  bool told = false;
  {
    ScriptRunner runner(io);
    ASSERT_TRUE(runner.run({.argv = {script(R"(trap 'echo term > "$OUT"; exit' TERM
echo ready > "$OUT"; while :; do sleep 0.02; done)")}},
                           [&](const ScriptEnd&) { told = true; }));
    ASSERT_TRUE(wait([&] { return read_out() == "ready\n"; }));
  }
  io.run();
  EXPECT_TRUE(wait([&] { return read_out() == "term\n"; }));
  EXPECT_FALSE(told);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

TEST_F(Scripts, ThatDontListenToTermDontOutliveTheRunner) {
  boost::asio::io_context io{1};
  {
    ScriptRunner runner(io);
    ASSERT_TRUE(runner.run({.argv = {script(R"(trap '' TERM
sleep 600 &
echo $! > "$OUT"; wait; wait)")}}));
    ASSERT_TRUE(wait([&] { return !read_out().empty(); }));
  }
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "reaped";
  const pid_t child = std::stoi(read_out());
  EXPECT_TRUE(wait([&] { return ::kill(child, 0) != 0; })) << "nor do their children";
}

}  // namespace
}  // namespace sluice::control
