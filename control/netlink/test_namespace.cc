#include "control/netlink/test_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace sluice::control::netlink {

namespace {
constexpr const char* own_namespace = "/proc/thread-self/ns/net";
}

std::optional<TestNamespace> TestNamespace::create() {
  const int back = open(own_namespace, O_RDONLY | O_CLOEXEC);
  if (back < 0) return std::nullopt;
  std::optional<TestNamespace> made;
  if (unshare(CLONE_NEWNET) == 0) {
    made.emplace(TestNamespace(open(own_namespace, O_RDONLY | O_CLOEXEC)));
    if (setns(back, CLONE_NEWNET) != 0) std::abort();
  }
  close(back);
  if (made && !made->run("ip link set lo up")) return std::nullopt;
  return made;
}

TestNamespace::TestNamespace(TestNamespace&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
TestNamespace::~TestNamespace() {
  if (descriptor_ >= 0) close(descriptor_);
}

TestNamespace::Inside::Inside(int descriptor) : back_(open(own_namespace, O_RDONLY | O_CLOEXEC)) {
  if (back_ < 0 || setns(descriptor, CLONE_NEWNET) != 0) std::abort();
}
TestNamespace::Inside::~Inside() {
  if (setns(back_, CLONE_NEWNET) != 0) std::abort();
  close(back_);
}

bool TestNamespace::run(const std::string& commands) const {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    if (setns(descriptor_, CLONE_NEWNET) != 0) _exit(126);
    execl("/bin/sh", "sh", "-ec", commands.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string TestNamespace::path() const {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(descriptor_);
}

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[512];
  while (pipe != nullptr && fgets(buffer, sizeof buffer, pipe) != nullptr) text += buffer;
  if (pipe != nullptr) pclose(pipe);
  return text;
}

bool run_until(boost::asio::io_context& io, const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace sluice::control::netlink
