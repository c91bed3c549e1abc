#include "control/notify/fifo.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::control {
namespace {

class FifoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/sluice-fifo-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string path(const char* name) const { return root_ / name; }

  std::filesystem::path root_;
};

TEST_F(FifoTest, WhoReadsItGetsWholeLinesAndItGoesWithItsMaker) {
  {
    auto fifo = Fifo::open(path("f"), std::nullopt);
    ASSERT_TRUE(fifo) << fifo.error().text();
    fifo->write("INSTANCE \"A\" MASTER 100\n");
    fifo->write("INSTANCE \"A\" BACKUP 100\n");
    const int reader = ::open(path("f").c_str(), O_RDONLY | O_NONBLOCK);
    char buffer[256];
    const ssize_t length = ::read(reader, buffer, sizeof buffer);
    ::close(reader);
    ASSERT_GT(length, 0);
    EXPECT_EQ(std::string(buffer, std::size_t(length)), "INSTANCE \"A\" MASTER 100\nINSTANCE \"A\" BACKUP 100\n");
  }
  EXPECT_FALSE(std::filesystem::exists(path("f")));
}

TEST_F(FifoTest, WithoutAReaderItNeverWaitsAndCountsWhatIsLost) {
  auto fifo = Fifo::open(path("f"), std::nullopt);
  ASSERT_TRUE(fifo) << fifo.error().text();
  const std::string line(1000, 'x');
  for (int i = 0; i < 1000; ++i) fifo->write(line);
  EXPECT_GT(fifo->lost(), 900u);
}

TEST_F(FifoTest, OneThatWasThereIsUsedAndStays) {
  ASSERT_EQ(::mkfifo(path("f").c_str(), 0600), 0);
  ASSERT_TRUE(Fifo::open(path("f"), std::nullopt));
  EXPECT_TRUE(std::filesystem::exists(path("f")));
}

TEST_F(FifoTest, AnythingElseIsRefused) {
  std::ofstream(path("file")) << "kept";
  const auto file = Fifo::open(path("file"), std::nullopt);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().text().find("isn't a FIFO"), std::string::npos) << file.error().text();
  std::filesystem::create_symlink(path("file"), path("link"));
  EXPECT_FALSE(Fifo::open(path("link"), std::nullopt));
  EXPECT_FALSE(Fifo::open(path("no/such/folder"), std::nullopt));
  if (::geteuid() != 0) return;
  ASSERT_EQ(::mkfifo(path("theirs").c_str(), 0600), 0);
  ASSERT_EQ(::chown(path("theirs").c_str(), 65534, 65534), 0);
  EXPECT_FALSE(Fifo::open(path("theirs"), std::nullopt));
}

}  // namespace
}  // namespace sluice::control
