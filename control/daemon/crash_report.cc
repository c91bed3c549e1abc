#include "control/daemon/crash_report.h"

#include <cxxabi.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

namespace sluice::control {

namespace {

constexpr std::array<int, 5> crash_signals{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int frames_max = 64;
// What backtrace() and the handler need; MINSIGSTKSZ grows with the CPU's registers.
constexpr std::size_t handler_stack_bytes = 128 * 1024;
constexpr std::size_t report_lines_max = 200;

// A signal handler has no other way to what it needs.
int report_file = -1;
std::atomic_flag reporting = ATOMIC_FLAG_INIT;

// --- all that is called from a handler: system calls and arithmetic --------------------------------------------------

void put(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(report_file, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(std::size_t(written));
  }
}

void put_number(std::uintptr_t number, int base = 10) {
  std::array<char, 24> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  put({digits.data(), std::size_t(end - digits.data())});
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    case SIGABRT: return "SIGABRT";
  }
  return "signal";
}

void report(int signal, const siginfo_t& info) {
  put("director crashed: ");
  put(name_of(signal));
  const bool sent = info.si_code == SI_USER || info.si_code == SI_TKILL;
  if (sent && info.si_pid != ::getpid()) {
    put(", sent by process ");
    put_number(std::uintptr_t(info.si_pid));
  } else if (!sent) {
    put(" at address 0x");
    put_number(reinterpret_cast<std::uintptr_t>(info.si_addr), 16);
  }
  std::array<char, 17> thread{};
  ::prctl(PR_GET_NAME, thread.data());
  put(", in thread \"");
  put(thread.data());
  put("\" (");
  put_number(std::uintptr_t(::syscall(SYS_gettid)));
  put(")\n");
  std::array<void*, frames_max> frames{};
  // Loaded and tried out at start (install_crash_handlers), so that they neither allocate nor lock here.
  const int count = ::backtrace(frames.data(), frames_max);
  ::backtrace_symbols_fd(frames.data(), count, report_file);
}

[[noreturn]] void stand_still() {
  for (;;) ::pause();
}

void on_crash(int signal, siginfo_t* info, void*) {
  // The handlers are single-use (SA_RESETHAND): a crash in here is the end. Other threads that crash wait for it.
  if (reporting.test_and_set()) stand_still();
  const int saved = errno;
  report(signal, *info);
  errno = saved;
  // Blocked while this handler runs; on return the process dies of it, as if there had been no handler.
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
}

// --- an exception that nobody caught ---------------------------------------------------------------------------------

[[noreturn]] void on_terminate() {
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& error) {
      put("uncaught exception: ");
      put(error.what());
      put("\n");
    } catch (...) {
      put("uncaught exception that is no std::exception\n");
    }
  }
  std::abort();
}

// "/usr/sbin/sluiced(_ZN6sluice3foo+0x1c)[0x55...]": the code between '(' and '+'.
std::string with_readable_name(std::string_view line) {
  const std::size_t open = line.find('(');
  const std::size_t plus = line.find('+', open == std::string_view::npos ? line.size() : open);
  if (plus == std::string_view::npos) return std::string(line);
  const std::string code(line.substr(open + 1, plus - open - 1));
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(code.c_str(), nullptr, nullptr, &status),
                                                         &std::free);
  if (status != 0 || name == nullptr) return std::string(line);
  return std::string(line.substr(0, open + 1)) + name.get() + std::string(line.substr(plus));
}

std::string printable(std::string_view line) {
  std::string text(line);
  for (char& byte : text) {
    if (static_cast<unsigned char>(byte) < ' ' || byte == 0x7f) byte = '?';
  }
  return text;
}

}  // namespace

void install_crash_handlers(int file) {
  report_file = file;
  // The first call loads libgcc, which allocates; a handler must not.
  std::array<void*, 1> frame{};
  (void)::backtrace(frame.data(), 1);

  // Never freed: handlers may run until the very end.
  void* stack = ::mmap(nullptr, handler_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack != MAP_FAILED) {
    const stack_t alternate{.ss_sp = stack, .ss_flags = 0, .ss_size = handler_stack_bytes};
    ::sigaltstack(&alternate, nullptr);
  }
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  for (const int signal : crash_signals) ::sigaction(signal, &action, nullptr);
  std::set_terminate(on_terminate);
}

std::vector<std::string> readable_crash_report(std::string_view report) {
  std::vector<std::string> lines;
  while (!report.empty() && lines.size() < report_lines_max) {
    const std::size_t length = std::min(report.find('\n'), report.size());
    const std::string line = printable(report.substr(0, length));
    report.remove_prefix(std::min(length + 1, report.size()));
    if (line.empty()) continue;
    lines.push_back(line.ends_with(']') ? "  " + with_readable_name(line) : line);
  }
  return lines;
}

}  // namespace sluice::control

// A failed assert() says what it found wrong on stderr, which a daemon doesn't have: glibc's function is replaced by
// one that writes it into the report as well. Without a report it behaves as ever.
extern "C" [[noreturn]] void __assert_fail(const char* assertion, const char* file, unsigned int line,
                                           const char* function) noexcept {
  std::array<char, 1024> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "assertion failed: %s (%s:%u, %s)\n", assertion, file, line, function);
  const std::size_t bytes = length > 0 ? std::min(std::size_t(length), text.size() - 1) : 0;
  for (const int fd : {STDERR_FILENO, sluice::control::report_file}) {
    if (fd >= 0) [[maybe_unused]]
      const ssize_t written = ::write(fd, text.data(), bytes);
  }
  std::abort();
}
