#include "control/daemon/data_dump.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sluice::control {
namespace {

net::IpAddr address(const char* text) { return *net::IpAddr::parse(text); }
net::L4Port port(std::uint16_t number) { return net::L4Port::of(number); }

RealServerStatus server(const char* ip, bool up) {
  RealServerStatus status;
  status.destination = {.key = {address(ip), port(8080)}, .weight = 3};
  status.up = status.in_table = up;
  status.table_weight = up ? 3 : 0;
  status.checkers.push_back({.kind = "TCP_CHECK",
                             .target = std::string(ip) + ":8080",
                             .up = up,
                             .has_run = true,
                             .reason = up ? "" : "connection refused",
                             .retries = 1});
  return status;
}

PoolStatus pool() {
  PoolStatus status;
  status.service = {.protocol = net::Protocol::tcp, .address = address("10.0.1.100"), .port = port(80)};
  status.quorum = 2;
  status.hysteresis = 1;
  status.sorry_server = DestinationKey{address("10.0.2.20"), port(80)};
  status.servers = {server("10.0.2.11", true), server("10.0.2.12", false)};
  return status;
}

VirtualServiceStatus service() {
  VirtualServiceStatus status;
  status.spec = {.key = pool().service, .scheduler = "wrr"};
  return status;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(DataDump, HasTheLinesThatMonitoringSearchesFor) {
  const std::string text = check_data_text({service()}, {pool()});
  for (const char* line :
       {"------< LVS Topology >------", " VS VIP = 10.0.1.100, VPORT = 80", "   VS alive = 1", "   quorum_state_up = 1",
        "   lb_algo = wrr", "   RIP = 10.0.2.12, RPORT = 8080, WEIGHT = 3", "     Alive = 0", "     Set = 0",
        "     Effective weight = 3", "------< Health checkers >------", " [10.0.1.100]:tcp:80 -> [10.0.2.11]:tcp:8080",
        "   Up = yes", "   Up = no", "   Has run = yes", "   Retries iterations = 1", "   sorry server in use = no"}) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
}

TEST(DataDump, OfAServiceThatTheBackendRefusedSaysSo) {
  PoolStatus refused = pool();
  refused.backend_error = "no such scheduler";
  refused.has_quorum = false;
  refused.servers.clear();
  const std::string text = check_data_text({}, {refused});
  EXPECT_TRUE(has_line(text, "   error = no such scheduler")) << text;
  EXPECT_TRUE(has_line(text, "   VS alive = 0")) << text;
  EXPECT_TRUE(has_line(text, "   quorum_state_up = 0")) << text;
}

TEST(DataDump, OfNothingIsItsHeaders) {
  EXPECT_EQ(check_data_text({}, {}), "------< LVS Topology >------\n------< Health checkers >------\n");
}

TEST(StatusLine, CountsServers) {
  EXPECT_EQ(status_line({}), "0 virtual servers, 0 of 0 real servers up");
  EXPECT_EQ(status_line({.pools = 2, .servers = 5, .servers_up = 4}), "2 virtual servers, 4 of 5 real servers up");
  EXPECT_EQ(status_line({.pools = 1, .servers = 1, .servers_up = 0}), "1 virtual server, 0 of 1 real server up");
}

class DataFile : public testing::Test {
 protected:
  DataFile() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-data-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    ::setenv("TMPDIR", directory_.c_str(), 1);
  }
  ~DataFile() override {
    ::unsetenv("TMPDIR");
    std::filesystem::remove_all(directory_);
  }

  std::string read(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(directory_ / name).rdbuf();
    return text.str();
  }

  std::filesystem::path directory_;
};

TEST_F(DataFile, IsReplacedAsAWholeAndIsTheOwnersAlone) {
  ASSERT_TRUE(write_data_file("x.data", "a long first text"));
  ASSERT_TRUE(write_data_file("x.data", "second"));
  EXPECT_EQ(read("x.data"), "second");
  struct stat status {};
  ASSERT_EQ(::stat((directory_ / "x.data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1) << "nothing else is left behind";
}

TEST_F(DataFile, TakesThePlaceOfALinkInsteadOfFollowingIt) {
  std::ofstream(directory_ / "victim") << "precious";
  std::filesystem::create_symlink(directory_ / "victim", directory_ / "x.data");
  ASSERT_TRUE(write_data_file("x.data", "text"));
  EXPECT_EQ(read("victim"), "precious");
  EXPECT_EQ(read("x.data"), "text");
}

TEST_F(DataFile, ThatCantBeWrittenIsOneClearErrorAndLeavesNothing) {
  std::filesystem::create_directory(directory_ / "x.data");
  EXPECT_EQ(write_data_file("x.data", "text").error().text(), (directory_ / "x.data").string() + ": Is a directory");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
  ::setenv("TMPDIR", "/nonexistent", 1);
  EXPECT_EQ(write_data_file("x.data", "text").error().text(), "/nonexistent/x.data: No such file or directory");
}

}  // namespace
}  // namespace sluice::control
