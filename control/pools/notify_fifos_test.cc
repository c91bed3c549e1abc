#include "control/pools/notify_fifos.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>

#include "control/unique_fd.h"

namespace sluice::control {
namespace {

using About = NotifyFifos::About;

class Fifos : public testing::Test {
 protected:
  Fifos() {
    char name[] = "/tmp/fifos-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~Fifos() override {
    fifos_.close();
    std::filesystem::remove_all(directory_);
  }
  [[nodiscard]] std::string path(const char* name) const { return directory_ + "/" + name; }
  [[nodiscard]] bool is_there(const char* name) const { return std::filesystem::exists(path(name)); }

  /// What has been written to it and nobody has read.
  [[nodiscard]] std::string read(const char* name) const {
    const UniqueFd fd(::open(path(name).c_str(), O_RDONLY | O_NONBLOCK));
    char buffer[1024];
    const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
    return {buffer, size > 0 ? std::size_t(size) : 0};
  }

  std::string directory_;
  std::vector<std::string> complaints_;
  boost::asio::io_context io_;
  ScriptRunner scripts_{io_};
  NotifyFifos fifos_{scripts_, [this](const std::string& line) { complaints_.push_back(line); }};
  config::GlobalDefs global_;
};

TEST_F(Fifos, EachHearsOfWhatItIsFor) {
  global_.fifos.all.path = path("all");
  global_.fifos.vrrp.path = path("vrrp");
  global_.fifos.lvs.path = path("lvs");
  fifos_.configure(global_, true, true);
  fifos_.write(About::vrrp, "a\n");
  fifos_.write(About::virtual_servers, "b\n");
  EXPECT_EQ(read("all"), "a\nb\n");
  EXPECT_EQ(read("vrrp"), "a\n");
  EXPECT_EQ(read("lvs"), "b\n");
  fifos_.close();
  EXPECT_FALSE(is_there("all") || is_there("vrrp") || is_there("lvs"));
  EXPECT_TRUE(complaints_.empty());
}

TEST_F(Fifos, OneForBothHearsOfEachOnce) {
  global_.fifos.all.path = path("all");
  global_.fifos.lvs.path = path("all");
  fifos_.configure(global_, true, true);
  fifos_.write(About::virtual_servers, "b\n");
  EXPECT_EQ(read("all"), "b\n");
}

TEST_F(Fifos, WhereThereIsNothingToTellThereIsNone) {
  global_.fifos.vrrp.path = path("vrrp");
  global_.fifos.lvs.path = path("lvs");
  fifos_.configure(global_, true, false);
  EXPECT_TRUE(is_there("vrrp"));
  EXPECT_FALSE(is_there("lvs"));
  fifos_.configure(global_, false, true);
  EXPECT_FALSE(is_there("vrrp")) << "a reload takes it away";
  EXPECT_TRUE(is_there("lvs"));
  fifos_.write(About::vrrp, "a\n");
}

TEST_F(Fifos, AReloadKeepsTheOneThatStaysWithWhatIsInIt) {
  global_.fifos.lvs.path = path("lvs");
  fifos_.configure(global_, false, true);
  fifos_.write(About::virtual_servers, "a\n");
  fifos_.configure(global_, false, true);
  EXPECT_EQ(read("lvs"), "a\n");
}

TEST_F(Fifos, WhatCannotBeOpenedIsSaid) {
  global_.fifos.lvs.path = directory_;
  fifos_.configure(global_, false, true);
  EXPECT_EQ(complaints_.size(), 1u);
  fifos_.write(About::virtual_servers, "a\n");
}

}  // namespace
}  // namespace sluice::control
