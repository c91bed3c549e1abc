#include "control/daemon/last_config.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::control {
namespace {

class Last : public testing::Test {
 protected:
  ~Last() override { ::close(file_); }

  int file_ = ::memfd_create("last", MFD_CLOEXEC);
  LastConfig last_{file_};
};

TEST_F(Last, IsNothingUntilOneIsKept) {
  EXPECT_FALSE(last_.load());
  ASSERT_TRUE(last_.save(""));
  EXPECT_EQ(last_.load(), "");
  ASSERT_TRUE(last_.save("virtual_server"));
  EXPECT_EQ(last_.load(), "virtual_server");
  last_.clear();
  EXPECT_FALSE(last_.load());
}

TEST_F(Last, IsTheLastOneAlsoIfThatIsShorter) {
  ASSERT_TRUE(last_.save(std::string(1'000'000, 'x')));
  EXPECT_EQ(last_.load()->size(), 1'000'000u);
  ASSERT_TRUE(last_.save("short"));
  EXPECT_EQ(last_.load(), "short");
  EXPECT_EQ(LastConfig(file_).load(), "short") << "another process sees it, too";
}

TEST_F(Last, ThatWasCutOffIsNothing) {
  ASSERT_TRUE(last_.save("some text"));
  ASSERT_EQ(::ftruncate(file_, 20), 0);
  EXPECT_FALSE(last_.load());
  ASSERT_TRUE(last_.save("some text"));
  ASSERT_EQ(::pwrite(file_, "junk", 4, 0), 4);
  EXPECT_FALSE(last_.load());
}

TEST_F(Last, ThatCannotBeKeptIsAnErrorAndNothing) {
  ASSERT_TRUE(last_.save("before"));
  const LastConfig read_only(-1);
  EXPECT_FALSE(read_only.save("text"));
  EXPECT_FALSE(read_only.load());
}

}  // namespace
}  // namespace sluice::control
