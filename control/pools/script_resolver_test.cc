#include "control/pools/script_resolver.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

namespace sluice::control {
namespace {

// A script in a directory of its own that everybody may write.
class Resolver : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    std::string name = "/tmp/sluice-resolver-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    script_.argv = {directory_ / "notify", "x"};
    script_.position = {std::make_shared<const std::string>("sluice.conf"), 5, 3};
    std::ofstream(script_.argv[0]) << "#!/bin/sh\n";
    ::chmod(script_.argv[0].c_str(), 0755);
    ::chmod(directory_.c_str(), 0777);
    global_.script_user = "root";
  }
  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  net::SharedValue<ScriptSpec> resolve() { return ScriptResolver(global_, complaints_).resolve(&script_); }

  std::filesystem::path directory_;
  config::Script script_;
  config::GlobalDefs global_;
  std::vector<Error> complaints_;
};

TEST_F(Resolver, UnsafeScriptsOfRootAreDisabledUnderScriptSecurityAndTheComponentIsNamed) {
  global_.enable_script_security = true;
  EXPECT_FALSE(resolve());
  ASSERT_EQ(complaints_.size(), 1u);
  EXPECT_EQ(complaints_[0].text(), "sluice.conf:5:3: script disabled: unsafe to run as root, because " +
                                       directory_.string() + ": can be written by everybody");
}

TEST_F(Resolver, UnsafeScriptsOfRootAreRunWithAWarningOtherwise) {
  const auto spec = resolve();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->argv, script_.argv);
  ASSERT_EQ(complaints_.size(), 1u);
  EXPECT_NE(complaints_[0].what.find("others could change it: " + directory_.string()), std::string::npos)
      << complaints_[0].what;
}

TEST_F(Resolver, SafeScriptsAndThoseOfOthersAreNobodysConcern) {
  global_.enable_script_security = true;
  ::chmod(directory_.c_str(), 0755);
  EXPECT_TRUE(resolve());
  ::chmod(directory_.c_str(), 0777);
  script_.user = "nobody";
  EXPECT_TRUE(resolve());
  EXPECT_TRUE(complaints_.empty());
}

}  // namespace
}  // namespace sluice::control
