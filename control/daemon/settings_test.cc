#include "control/daemon/settings.h"

#include <gtest/gtest.h>

#include "control/api/server.h"

namespace sluice::control {
namespace {

Options options_of(const std::vector<std::string>& words) { return *parse_command_line(words); }

TEST(Settings, WithoutAnyAreTheDefaults) {
  const Options options = complete(options_of({}), {});
  EXPECT_EQ(options.pid_file, "/run/sluiced.pid");
  EXPECT_EQ(options.socket_path, api::default_socket_path);
  EXPECT_EQ(options.ident, "sluiced");
  EXPECT_EQ(options.net_namespace, "");
  EXPECT_FALSE(options.umask);
}

TEST(Settings, HowToReadAFileIsTheCommandLines) {
  EXPECT_FALSE(parse_options(options_of({})).require_includes);
  const config::ParseOptions parse = parse_options(options_of({"-e", "-i", "lb1"}));
  EXPECT_TRUE(parse.require_includes && parse.follow_includes);
  EXPECT_EQ(parse.config_id, "lb1");
}

TEST(Settings, OfTheFileGiveWayToTheCommandLine) {
  config::Config config;
  config.process.net_namespace = "red";
  config.global.files.umask = 027;
  EXPECT_EQ(complete(options_of({}), config).net_namespace, "red");
  EXPECT_EQ(complete(options_of({}), config).umask, mode_t{027});
  const Options options = complete(options_of({"-s", "blue", "-u", "077", "-p", "/p", "--socket", "/s"}), config);
  EXPECT_EQ(options.net_namespace, "blue");
  EXPECT_EQ(options.umask, mode_t{077});
  EXPECT_EQ(options.pid_file, "/p");
  EXPECT_EQ(options.socket_path, "/s");
}

TEST(Settings, NamespaceAndInstanceKeepDaemonsApart) {
  config::Config config;
  config.process.use_pid_dir = true;
  EXPECT_EQ(complete(options_of({}), config).pid_file, "/run/sluice/sluiced.pid");
  config.process.instance = "one";
  Options options = complete(options_of({}), config);
  EXPECT_EQ(options.pid_file, "/run/sluice/sluiced_one.pid");
  EXPECT_EQ(options.socket_path, "/run/sluice/sluice_one.sock");
  EXPECT_EQ(options.ident, "sluiced_one");
  options = complete(options_of({"-s", "blue"}), config);
  EXPECT_EQ(options.pid_file, "/run/sluice/sluiced_blue_one.pid");
  EXPECT_EQ(options.ident, "sluiced_blue_one");
}

TEST(Settings, ScriptsHaveTheirTimes) {
  config::Config config;
  config.process.child_wait_time = std::chrono::seconds(9);
  config.global.script_user = "root";
  config.global.startup_script.emplace().argv = {"/bin/true", "up"};
  config.global.startup_script_timeout = std::chrono::seconds(3);
  config.global.shutdown_script.emplace().argv = {"/nonexistent"};
  const auto [settings, complaints] = supervisor_settings(config);
  EXPECT_EQ(settings.child_wait_time, std::chrono::seconds(9));
  ASSERT_TRUE(settings.startup_script);
  EXPECT_EQ(settings.startup_script->argv, (std::vector<std::string>{"/bin/true", "up"}));
  EXPECT_EQ(settings.startup_script->time_max, std::chrono::seconds(3));
  EXPECT_FALSE(settings.shutdown_script);
  EXPECT_EQ(complaints.size(), 1u);
}

}  // namespace
}  // namespace sluice::control
