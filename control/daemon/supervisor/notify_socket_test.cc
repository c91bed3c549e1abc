#include "control/daemon/supervisor/notify_socket.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

class Notify : public testing::Test {
 protected:
  ~Notify() override {
    if (listener_ >= 0) ::close(listener_);
    ::unlink(path_.c_str());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  // systemd's end. name: a path, or with '@' an abstract name.
  void listen(std::string name) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    if (name[0] == '/') path_ = name;
    if (name[0] == '@') name[0] = '\0';
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    listener_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ASSERT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address),
                     socklen_t(offsetof(sockaddr_un, sun_path) + name.size())),
              0);
  }

  std::string heard() const {
    std::array<char, 256> bytes{};
    const ssize_t length = ::recv(listener_, bytes.data(), bytes.size(), 0);
    return length < 0 ? "" : std::string(bytes.data(), std::size_t(length));
  }

  std::string path_;
  int listener_ = -1;
};

TEST_F(Notify, TellsAFileSocket) {
  listen("/tmp/sluice-notify-test-" + std::to_string(::getpid()));
  NotifySocket::from_environment().send("READY=1\nSTATUS=well");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=well");
}

TEST_F(Notify, TellsAnAbstractSocket) {
  listen("@sluice-notify-test-" + std::to_string(::getpid()));
  NotifySocket::from_environment().send("STOPPING=1");
  EXPECT_EQ(heard(), "STOPPING=1");
}

TEST_F(Notify, LeavesNothingForChildren) {
  listen("@sluice-notify-test-" + std::to_string(::getpid()));
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const auto notify = NotifySocket::from_environment();
  EXPECT_EQ(notify.watchdog(), 30s);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"})
    EXPECT_EQ(::getenv(name), nullptr) << name;
}

TEST_F(Notify, HasNoWatchdogThatIsAnothersOrMakesNoSense) {
  for (const auto& [usec, pid] : {std::pair{"30000000", "1"}, {"0", ""}, {"-5", ""}, {"soon", ""}, {"", ""}}) {
    ::setenv("WATCHDOG_USEC", usec, 1);
    if (*pid != '\0') ::setenv("WATCHDOG_PID", pid, 1);
    EXPECT_FALSE(NotifySocket::from_environment().watchdog()) << usec;
  }
}

TEST_F(Notify, IsSilentWithoutASocketOrWithABadOne) {
  NotifySocket::from_environment().send("READY=1");
  for (const std::string& name :
       {std::string("relative"), std::string("/"), std::string("/nowhere/socket"), "/" + std::string(300, 'x')}) {
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    NotifySocket::from_environment().send("READY=1");
  }
}

}  // namespace
}  // namespace sluice::control
