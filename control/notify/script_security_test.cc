#include "control/notify/script_security.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::control {
namespace {

constexpr uid_t stranger = 4711;

// /tmp/sluice-security-XXXXXX/bin/check, all of it root's.
class ScriptSecurity : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string name = "/tmp/sluice-security-XXXXXX";
    top_ = ::mkdtemp(name.data());
    bin_ = top_ / "bin";
    script_ = bin_ / "check";
    std::filesystem::create_directory(bin_);
    std::ofstream(script_) << "#!/bin/sh\n";
    mode(bin_, 0755);
    mode(script_, 0755);
  }
  void TearDown() override {
    if (!top_.empty()) std::filesystem::remove_all(top_);
  }

  static void mode(const std::filesystem::path& path, mode_t bits) { ASSERT_EQ(::chmod(path.c_str(), bits), 0); }
  static void owner(const std::filesystem::path& path, uid_t uid, gid_t gid) {
    ASSERT_EQ(::lchown(path.c_str(), uid, gid), 0);
  }
  static std::string verdict(const std::filesystem::path& path) {
    const auto safe = check_script_security(path);
    return safe ? "safe" : safe.error().text();
  }

  std::filesystem::path top_, bin_, script_;
};

TEST_F(ScriptSecurity, APathThatIsRootsAllTheWayIsSafe) {
  EXPECT_EQ(verdict(script_), "safe");
  EXPECT_EQ(verdict(bin_ / "." / ".." / "bin" / "check"), "safe");
  mode(script_, 0775);  // by group root
  EXPECT_EQ(verdict(script_), "safe");
}

TEST_F(ScriptSecurity, NamesTheFileThatOthersMayWrite) {
  mode(script_, 0757);
  EXPECT_EQ(verdict(script_), script_.string() + ": can be written by everybody");
  mode(script_, 0775);
  owner(script_, 0, stranger);
  EXPECT_EQ(verdict(script_), script_.string() + ": can be written by group 4711");
  mode(script_, 0755);
  EXPECT_EQ(verdict(script_), "safe");
  owner(script_, stranger, 0);
  EXPECT_EQ(verdict(script_), script_.string() + ": belongs to user 4711, not to root");
}

TEST_F(ScriptSecurity, NamesTheDirectoryInWhichItCouldBeReplaced) {
  mode(bin_, 0777);
  EXPECT_EQ(verdict(script_), bin_.string() + ": can be written by everybody");
  mode(bin_, 01777);
  EXPECT_EQ(verdict(script_), "safe") << "sticky: only root may replace what is root's";
  owner(script_, stranger, 0);
  EXPECT_EQ(verdict(script_), script_.string() + ": belongs to user 4711, not to root");
  owner(script_, 0, 0);
  mode(bin_, 0755);
  owner(top_, stranger, 0);
  EXPECT_EQ(verdict(script_), top_.string() + ": belongs to user 4711, not to root");
}

TEST_F(ScriptSecurity, FollowsLinksAndLooksAtTheirTargetsToo) {
  const auto link = bin_ / "link";
  std::filesystem::create_symlink("../bin/check", link);
  EXPECT_EQ(verdict(link), "safe");
  mode(script_, 0777);
  EXPECT_EQ(verdict(link), script_.string() + ": can be written by everybody");
  mode(script_, 0755);

  // A link that is a stranger's could be pointed elsewhere; one in an open directory as well.
  owner(link, stranger, 0);
  EXPECT_EQ(verdict(link), link.string() + ": belongs to user 4711, not to root");
  const auto open = top_ / "open";
  std::filesystem::create_directory(open);
  mode(open, 0777);
  std::filesystem::create_symlink(script_, open / "link");
  EXPECT_EQ(verdict(open / "link"), open.string() + ": can be written by everybody");
  std::filesystem::create_symlink(open, top_ / "way");
  EXPECT_EQ(verdict(top_ / "way" / "link"), open.string() + ": can be written by everybody");
}

TEST_F(ScriptSecurity, WhatCannotBeWalkedIsNoSafePath) {
  EXPECT_EQ(verdict("check"), "check: isn't an absolute path");
  EXPECT_EQ(verdict(bin_ / "missing"), (bin_ / "missing").string() + ": No such file or directory");
  std::filesystem::create_symlink("loop", bin_ / "loop");
  EXPECT_EQ(verdict(bin_ / "loop"), (bin_ / "loop").string() + ": Too many levels of symbolic links");
  EXPECT_EQ(verdict("/"), "safe");
  EXPECT_EQ(verdict("/../../etc/../usr"), "safe");
}

TEST_F(ScriptSecurity, OnlyScriptsWithPrivilegesAreWorthTheQuestion) {
  ScriptSpec script{.argv = {script_}};
  EXPECT_TRUE(runs_with_privileges(script)) << "the daemon's own user, root";
  script.user = ScriptUser{.uid = stranger, .gid = stranger};
  EXPECT_FALSE(runs_with_privileges(script));
  script.user->gid = 0;
  EXPECT_TRUE(runs_with_privileges(script));
  script.user->gid = stranger;
  mode(script_, 04755);
  EXPECT_TRUE(runs_with_privileges(script));
  mode(script_, 02755);
  EXPECT_TRUE(runs_with_privileges(script));
  script.argv = {"/nonexistent"};
  EXPECT_FALSE(runs_with_privileges(script));
}

}  // namespace
}  // namespace sluice::control
