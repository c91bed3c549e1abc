#include "control/daemon/supervisor/pid_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::control {
namespace {

class PidFiles : public testing::Test {
 protected:
  PidFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-pid-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ / "sluiced.pid";
  }
  ~PidFiles() override { std::filesystem::remove_all(directory_); }

  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(PidFiles, HoldTheNumberUntilTheEnd) {
  {
    auto file = PidFile::take(path_);
    ASSERT_TRUE(file) << file.error().text();
    ASSERT_TRUE(file->write(4711));
    EXPECT_EQ(content(), "4711\n");
    ASSERT_TRUE(file->write(12));
    EXPECT_EQ(content(), "12\n");
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PidFiles, RefuseASecondDaemonAndNameTheFirst) {
  auto first = PidFile::take(path_);
  ASSERT_TRUE(first->write(4711));
  const auto second = PidFile::take(path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().text(), "pid file " + path_.string() + ": daemon is already running (process 4711)");
  EXPECT_EQ(content(), "4711\n") << "the first one's file is left alone";
}

TEST_F(PidFiles, OfADaemonThatDiedAreTakenOverWhateverTheySay) {
  std::ofstream(path_) << ::getpid() << " and a long line of junk\n";  // a number that lives, as another's
  auto file = PidFile::take(path_);
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_TRUE(file->write(5));
  EXPECT_EQ(content(), "5\n");
}

TEST_F(PidFiles, StayWithAForkedChildThatKeepsTheLock) {
  auto file = PidFile::take(path_);
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  file->release();
  EXPECT_FALSE(PidFile::take(path_));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(PidFile::take(path_));
}

TEST_F(PidFiles, ThatAnotherRemovedAndMadeAnewAreLeftToIt) {
  auto first = PidFile::take(path_);
  std::filesystem::remove(path_);
  auto second = PidFile::take(path_);
  ASSERT_TRUE(second);
  { const auto gone = std::move(*first); }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(PidFiles, AreNeverWrittenThroughALink) {
  const auto target = directory_ / "target";
  std::ofstream(target) << "precious";
  std::filesystem::create_symlink(target, path_);
  EXPECT_FALSE(PidFile::take(path_));
  EXPECT_FALSE(write_pid_file(path_, 1));
  EXPECT_EQ(std::filesystem::file_size(target), 8u);
}

TEST_F(PidFiles, ThatCantBeMadeAreOneClearError) {
  EXPECT_EQ(PidFile::take("/nonexistent/x.pid").error().text(),
            "pid file /nonexistent/x.pid: No such file or directory");
  EXPECT_EQ(write_pid_file("/nonexistent/x.pid", 1).error().text(),
            "pid file /nonexistent/x.pid: No such file or directory");
  EXPECT_TRUE(write_pid_file(path_, 99));
  EXPECT_EQ(content(), "99\n");
}

}  // namespace
}  // namespace sluice::control
