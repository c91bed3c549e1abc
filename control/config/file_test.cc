// Files: what can't be read is an Error that says why; includes.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "control/config/lexer.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text) const {
    const auto path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (root_ / name).string(); }

  std::filesystem::path root_;
};

std::string error_of(const std::string& path) {
  const auto outcome = parse_file(path);
  return outcome ? "" : outcome.error().text();
}

TEST_F(Files, WhatIsNotAConfigurationSaysWhy) {
  EXPECT_EQ(error_of(path("none.conf")),
            path("none.conf") + ": cannot read the configuration: No such file or directory");
  EXPECT_EQ(error_of(root_.string()), root_.string() + ": is a directory, expected a configuration file");
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_TRUE(error_of(path("fifo")).find("is not a regular file") != std::string::npos);
  const auto executable = write("x.conf", "");
  chmod(executable.c_str(), 0755);
  EXPECT_TRUE(error_of(executable).find("chmod a-x") != std::string::npos) << error_of(executable);
  if (geteuid() != 0) {
    const auto secret = write("secret.conf", "");
    chmod(secret.c_str(), 0);
    EXPECT_TRUE(error_of(secret).find("Permission denied") != std::string::npos);
  }
}

TEST_F(Files, TheLargestFileIsReadAndOneByteMoreIsNot) {
  const auto large = write("large.conf", "");
  std::filesystem::resize_file(large, file_bytes_max + 1);
  EXPECT_TRUE(error_of(large).find("is larger than 64 MiB") != std::string::npos);
  // One line of NULs: refused as a line, not as a file.
  std::filesystem::resize_file(large, file_bytes_max);
  EXPECT_EQ(error_of(large), "");
}

TEST_F(Files, IncludesAreReadInOrderRelativeToTheirFile) {
  write("conf.d/b.conf", "virtual_server 10.0.0.2 80 {\ninclude ../inner/rs.conf\n}\n");
  write("conf.d/a.conf", testing::virtual_server(""));
  write("inner/rs.conf", "lb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.1.1 80 {\n wieght 2\n}\n");
  const auto outcome = parse_file(write("main.conf", "include conf.d/*.conf\nglobal_defs { router_id x }\n"));
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->config.virtual_servers.size(), 2u) << all_complaints(*outcome);
  EXPECT_EQ(outcome->config.virtual_servers[0].key.address.text(), "10.0.0.1");
  EXPECT_EQ(outcome->config.virtual_servers[1].key.address.text(), "10.0.0.2");
  EXPECT_EQ(outcome->config.global.router_id, "x");
  EXPECT_EQ(outcome->files.size(), 4u);
  EXPECT_TRUE(complains(*outcome, "inner/rs.conf:5:2: warning: unknown keyword 'wieght'")) << all_complaints(*outcome);
}

TEST_F(Files, AnIncludeInMidLineKeepsWhatFollows) {
  write("rs.conf", "real_server 10.0.1.1 80 {\n}\n");
  const auto outcome = parse_file(write("main.conf",
                                        "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
                                        "include rs.conf }\nnonsense\n"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->config.virtual_servers.size(), 1u);
  EXPECT_EQ(outcome->complaints.size(), 1u) << all_complaints(*outcome);
}

TEST_F(Files, IncludesThatCantBeReadAreNoticed) {
  const auto executable = write("x.conf", "nonsense\n");
  chmod(executable.c_str(), 0755);
  const auto outcome = parse_file(write("main.conf", "include none.conf\ninclude x.conf\ninclude none*\n"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->complaints.size(), 3u) << all_complaints(*outcome);
  EXPECT_EQ(test_exit_status(*outcome), 0);
}

TEST_F(Files, AFileThatIncludesItselfIsReadOnce) {
  const auto outcome = parse_file(write("main.conf", "include main.conf\n"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(complains(*outcome, "it would include itself without end")) << all_complaints(*outcome);
  EXPECT_EQ(outcome->files.size(), 1u);
}

TEST_F(Files, ManySiblingsAreNotDepth) {
  for (int i = 0; i < 40; ++i) write("d/" + std::to_string(i) + ".conf", "include ../e/*.conf\n");
  write("e/x.conf", "# nothing\n");
  const auto outcome = parse_file(write("main.conf", "include d/*.conf\n"));
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->complaints.empty()) << all_complaints(*outcome);
  EXPECT_EQ(outcome->files.size(), 81u);
}

TEST_F(Files, NothingIsReadWhenIncludesAreOff) {
  ParseOptions options;
  options.follow_includes = false;
  const auto outcome = parse_file(write("main.conf", "include main.conf\n"), options);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->files.size(), 1u);
}

}  // namespace
}  // namespace sluice::control::config
