#include "control/daemon/crash_report.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cassert>
#include <functional>
#include <stdexcept>
#include <thread>

// Known to the dynamic linker (-rdynamic), so that the report can name it.
[[gnu::noinline]] void function_that_crashes(volatile int* nowhere) { *nowhere = 1; }

namespace sluice::control {
namespace {

struct Death {
  int signal;
  std::string report;
};

// Runs `deed` in a child with handlers installed.
Death death_of(const std::function<void()>& deed) {
  const int file = ::memfd_create("crash", MFD_CLOEXEC);
  const pid_t child = ::fork();
  if (child == 0) {
    install_crash_handlers(file);
    deed();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::string raw(100'000, '\0');
  const ssize_t length = ::pread(file, raw.data(), raw.size(), 0);
  raw.resize(std::size_t(std::max<ssize_t>(length, 0)));
  ::close(file);
  Death death{WIFSIGNALED(status) ? WTERMSIG(status) : 0, ""};
  for (const std::string& line : readable_crash_report(raw)) death.report += line + "\n";
  return death;
}

// Deep enough for any stack; the compiler must neither see through it nor make a loop of it.
[[gnu::noinline]] int deep(volatile int* depth) {  // NOLINT(misc-no-recursion)
  volatile char frame[4096] = {};
  *depth = *depth + 1;
  return *depth > 0 ? deep(depth) + frame[0] : 0;
}

TEST(CrashReport, NamesSignalAddressThreadAndFunction) {
  const Death death = death_of([] { function_that_crashes(reinterpret_cast<volatile int*>(0x40)); });
  EXPECT_EQ(death.signal, SIGSEGV) << "the process must die of what it did";
  EXPECT_TRUE(death.report.starts_with("director crashed: SIGSEGV at address 0x40, in thread \"")) << death.report;
  EXPECT_NE(death.report.find("function_that_crashes(int volatile*)+0x"), std::string::npos) << death.report;
}

TEST(CrashReport, TellsOfAnAbortInAnotherThread) {
  const Death death = death_of([] {
    std::thread([] {
      ::pthread_setname_np(::pthread_self(), "worker-7");
      std::abort();
    }).join();
  });
  EXPECT_EQ(death.signal, SIGABRT);
  EXPECT_TRUE(death.report.starts_with("director crashed: SIGABRT, in thread \"worker-7\" (")) << death.report;
}

TEST(CrashReport, SaysWhoSentASignal) {
  const pid_t parent = ::getpid();
  const Death death = death_of([] {
    const pid_t victim = ::getpid();
    if (::fork() == 0) {
      ::kill(victim, SIGABRT);
      ::_exit(0);
    }
    for (;;) ::pause();
  });
  EXPECT_EQ(death.signal, SIGABRT);
  EXPECT_TRUE(death.report.starts_with("director crashed: SIGABRT, sent by process ")) << death.report << parent;
}

TEST(CrashReport, TellsWhatAnUncaughtExceptionSaid) {
  const Death death = death_of([] { std::thread([] { throw std::runtime_error("no such luck"); }).join(); });
  EXPECT_EQ(death.signal, SIGABRT);
  EXPECT_TRUE(death.report.starts_with("uncaught exception: no such luck\ndirector crashed: SIGABRT")) << death.report;
}

TEST(CrashReport, TellsWhichAssertionFailed) {
  const Death death = death_of([] { assert(2 + 2 == 5); });
  EXPECT_EQ(death.signal, SIGABRT);
  EXPECT_TRUE(death.report.starts_with("assertion failed: 2 + 2 == 5 (")) << death.report;
}

TEST(CrashReport, SurvivesAStackOverflowOfTheControlThread) {
  const Death death = death_of([] {
    volatile int depth = 0;
    (void)deep(&depth);
  });
  EXPECT_EQ(death.signal, SIGSEGV);
  EXPECT_TRUE(death.report.starts_with("director crashed: SIGSEGV at address 0x")) << death.report;
}

TEST(CrashReport, OfNothingIsEmptyAndOfJunkIsBounded) {
  EXPECT_TRUE(readable_crash_report("").empty());
  EXPECT_EQ(readable_crash_report("a\n\n\x1b[31m b"), (std::vector<std::string>{"a", "?[31m b"}));
  EXPECT_LE(readable_crash_report(std::string(100'000, '\n') + std::string(100'000, 'x')).size(), 200u);
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "/x(+0x1) [0x2]\n";
  EXPECT_EQ(readable_crash_report(lines).size(), 200u);
}

}  // namespace
}  // namespace sluice::control
