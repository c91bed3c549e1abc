#include "control/daemon/privileges.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "control/unique_fd.h"

namespace sluice::control {

namespace {

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }

constexpr std::uint64_t needed =
    // What is missing here and only needed at start: CAP_SYS_ADMIN, to tell a dead director's XDP program from others'.
    bit(CAP_NET_ADMIN) | bit(CAP_NET_RAW) | bit(CAP_BPF) | bit(CAP_PERFMON)  // XDP, AF_XDP, addresses, routes
    | bit(CAP_NET_BIND_SERVICE)                                              // checks from a low port
    | bit(CAP_IPC_LOCK) | bit(CAP_SYS_RESOURCE) | bit(CAP_SYS_NICE)          // locked memory, its limit, priority
    | bit(CAP_SETUID) | bit(CAP_SETGID) | bit(CAP_KILL)                      // scripts of other users
    | bit(CAP_CHOWN) | bit(CAP_DAC_READ_SEARCH);                             // FIFOs; configuration of other users

// Version 3 of the structures: two words of 32 bits for each set.
struct CapabilitySets {
  std::uint64_t effective = 0, permitted = 0;
};

Error error_of(const std::string& what) { return {what, std::generic_category().message(errno)}; }

__user_cap_header_struct header() { return {_LINUX_CAPABILITY_VERSION_3, 0}; }

Result<CapabilitySets> held() {
  auto head = header();
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &head, data.data()) != 0) return std::unexpected(error_of("capabilities"));
  return CapabilitySets{data[0].effective | std::uint64_t{data[1].effective} << 32,
                        data[0].permitted | std::uint64_t{data[1].permitted} << 32};
}

// --- the same for every thread --------------------------------------------------------------------------------------
//
// The kernel keeps capabilities for each thread, and lets only itself change them: each thread is sent a signal whose
// handler does it, as glibc does for setuid(). A handler gets what it needs by way of these.

constexpr std::chrono::seconds threads_patience{2};

std::array<__user_cap_data_struct, 2> new_sets{};

void give_up_capabilities(int) {
  const int saved = errno;
  auto head = header();
  ::syscall(SYS_capset, &head, new_sets.data());
  errno = saved;
}

// What a thread holds; nothing once it has ended.
std::optional<std::uint64_t> permitted_of(const std::filesystem::path& task) {
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("CapPrm:")) return std::stoull(line.substr(7), nullptr, 16);
  }
  return std::nullopt;
}

// Those of this process's threads that hold more than they should.
std::vector<pid_t> threads_beyond(std::uint64_t kept) {
  std::vector<pid_t> threads;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    const auto held = permitted_of(entry.path());
    if (held && (*held & ~kept) != 0) threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename())));
  }
  return threads;
}

}  // namespace

bool may_open_engine() {
  const auto sets = held();
  if (!sets) return true;  // the attempt will tell
  const auto has = [&](int capability) { return (sets->effective & bit(capability)) != 0; };
  return has(CAP_NET_ADMIN) && has(CAP_NET_RAW) && (has(CAP_BPF) || has(CAP_SYS_ADMIN));
}

Result<> keep_needed_capabilities() {
  const auto sets = held();
  if (!sets) return std::unexpected(sets.error());
  const std::uint64_t kept = sets->permitted & needed;
  new_sets[0].effective = new_sets[0].permitted = std::uint32_t(kept);
  new_sets[1].effective = new_sets[1].permitted = std::uint32_t(kept >> 32);

  const int signal = SIGRTMIN + 8;
  struct sigaction action {
  }, before{};
  action.sa_handler = give_up_capabilities;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, &before);
  const auto deadline = std::chrono::steady_clock::now() + threads_patience;
  std::set<pid_t> asked;
  // Threads come and go, and a new one has what its parent had: what counts is what /proc says in the end.
  auto left = threads_beyond(kept);
  for (; !left.empty() && std::chrono::steady_clock::now() < deadline; left = threads_beyond(kept)) {
    for (const pid_t thread : left) {
      if (asked.insert(thread).second) ::syscall(SYS_tgkill, ::getpid(), thread, signal);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ::sigaction(signal, &before, nullptr);
  if (!left.empty()) {
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/self/task/{}/comm", left.front())), name);
    return fail("giving up capabilities", fmt::format("thread {} ({}) keeps what it has", left.front(), name));
  }
  return {};
}

Result<> enter_net_namespace(const std::string& name) {
  const std::string path = "/run/netns/" + name;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::setns(file.get(), CLONE_NEWNET) != 0) return std::unexpected(error_of(path));
  // /sys shows the interfaces of the namespace it was mounted in; nobody else is to see ours.
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "none", MS_SLAVE | MS_REC, nullptr) != 0 ||
      ::mount(name.c_str(), "/sys", "sysfs", 0, nullptr) != 0) {
    return std::unexpected(error_of(path + ": /sys"));
  }
  return {};
}

}  // namespace sluice::control
