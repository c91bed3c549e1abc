#include "control/daemon/options.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace sluice::control {
namespace {

using Action = Options::Action;
using Words = std::vector<std::string>;

Options parse(const Words& words) {
  auto options = parse_command_line(words);
  EXPECT_TRUE(options) << options.error().text();
  return options ? *options : Options{};
}

TEST(CommandLine, HasKeepalivedsDefaults) {
  const Options options = parse({});
  EXPECT_EQ(options.action, Action::serve);
  EXPECT_EQ(options.file, "");
  EXPECT_FALSE(options.foreground);
  EXPECT_FALSE(options.log_console);
  EXPECT_TRUE(options.log_syslog);
  EXPECT_TRUE(options.respawn);
  EXPECT_TRUE(options.vrrp && options.checks);
  EXPECT_EQ(options.facility, LOG_DAEMON);
  EXPECT_EQ(options.pid_file, "");
  EXPECT_EQ(options.socket_path, "");
  EXPECT_TRUE(options.remarks.empty());
}

TEST(CommandLine, TakesEachOptionInItsShortAndLongForm) {
  const Options brief =
      parse({"-f", "a.conf", "-n", "-l", "-D", "-D", "-S", "3",    "-gx.log", "-G",  "-d", "-p", "p",   "-r", "r",
             "-c", "c",      "-b", "b",  "-I", "-R", "-s", "blue", "-i",      "lb1", "-e", "-u", "027", "-a", "-m"});
  const Options full = parse({"--use-file=a.conf", "--dont-fork",          "--log-console",
                              "--log-detail",      "--log-detail",         "--log-facility=local3",
                              "--log-file=x.log",  "--no-syslog",          "--dump-conf",
                              "--pid=p",           "--vrrp_pid=r",         "--checkers_pid=c",
                              "--bfd_pid=b",       "--dont-release-ipvs",  "--dont-respawn",
                              "--namespace=blue",  "--config-id=lb1",      "--all-config",
                              "--umask=027",       "--address-monitoring", "--core-dump"});
  for (const Options& options : {brief, full}) {
    EXPECT_EQ(options.file, "a.conf");
    EXPECT_TRUE(options.foreground && options.log_console && !options.log_syslog && options.dump_config);
    EXPECT_EQ(options.detail, 2);
    EXPECT_EQ(options.facility, LOG_LOCAL3);
    EXPECT_EQ(options.log_file, "x.log");
    EXPECT_EQ(options.pid_file, "p");
    EXPECT_EQ(options.role_pid_files, (Words{"r", "c", "b"}));
    EXPECT_TRUE(options.keep_services && !options.respawn && options.all_config);
    EXPECT_EQ(options.net_namespace, "blue");
    EXPECT_EQ(options.config_id, "lb1");
    EXPECT_EQ(options.umask, mode_t{027});
    EXPECT_TRUE(options.address_monitoring && options.core_dump);
    EXPECT_TRUE(options.remarks.empty());
  }
}

TEST(CommandLine, OptionalArgumentsAreAttached) {
  EXPECT_EQ(parse({"-t"}).action, Action::test);
  EXPECT_EQ(parse({"-t"}).test_log, "");
  EXPECT_EQ(parse({"-tout.log"}).test_log, "out.log");
  EXPECT_EQ(parse({"--config-test=out.log"}).test_log, "out.log");
  EXPECT_EQ(parse({"-t", "-f", "x"}).file, "x");
  EXPECT_EQ(parse({"-g"}).log_file, "/var/log/sluiced.log");
  // As with keepalived, where "-g FILE" is "-g", and an argument too many.
  EXPECT_EQ(parse({"-g", "x.log"}).remarks, Words{"Unexpected argument(s): x.log"});
  EXPECT_EQ(parse({"lost", "-n", "found"}).remarks, Words{"Unexpected argument(s): lost found"});
}

TEST(CommandLine, SubsystemsAreChosenAsInKeepalived) {
  EXPECT_TRUE(parse({"-P"}).vrrp);
  EXPECT_FALSE(parse({"-P"}).checks);
  EXPECT_FALSE(parse({"--check"}).vrrp);
  EXPECT_TRUE(parse({"--check"}).checks);
  EXPECT_TRUE(parse({"-PC"}).vrrp && parse({"-PC"}).checks);
}

TEST(CommandLine, FacilitiesHaveNumbersAndNames) {
  EXPECT_EQ(parse({"-S", "0"}).facility, LOG_LOCAL0);
  EXPECT_EQ(parse({"-S", "LOCAL7"}).facility, LOG_LOCAL7);
  EXPECT_EQ(parse({"-S", "user"}).facility, LOG_USER);
  for (const char* bad : {"8", "9", "local8", "local", "", "77", "mail"}) {
    const Options options = parse({"-S", bad});
    EXPECT_EQ(options.facility, LOG_DAEMON) << bad;
    EXPECT_EQ(options.remarks.size(), 1u) << bad;
  }
}

TEST(CommandLine, UmasksAreOctalHexOrDecimal) {
  EXPECT_EQ(parse({"-u", "0177"}).umask, mode_t{0177});
  EXPECT_EQ(parse({"-u", "0x1f"}).umask, mode_t{0x1f});
  EXPECT_EQ(parse({"-u", "63"}).umask, mode_t{63});
  EXPECT_EQ(parse({"-u", "0777"}).umask, mode_t{0777});
  for (const char* bad : {"01000", "9x", "-1", "x", "08"}) {
    const Options options = parse({"-u", bad});
    EXPECT_FALSE(options.umask) << bad;
    EXPECT_EQ(options.remarks.size(), 1u) << bad;
  }
}

TEST(CommandLine, SnmpIsTurnedOnAndTheDirectorHearsOfIt) {
  const Options options = parse({"-x", "-A", "unix:/run/agentx"});
  EXPECT_TRUE(options.snmp);
  EXPECT_EQ(options.snmp_socket, "unix:/run/agentx");
  EXPECT_TRUE(options.remarks.empty());
  const Options again = parse(director_arguments(options));
  EXPECT_TRUE(again.snmp);
  EXPECT_EQ(again.snmp_socket, options.snmp_socket);
}

TEST(CommandLine, WhatSluiceHasNoUseForIsAcceptedAndSaid) {
  for (const Words& words : {Words{"--all"},
                             {"--flush-log-file"},
                             {"-Mcore"},
                             {"--debug=D"},
                             {"--perf"},
                             {"--no-mem-check"},
                             {"-X"},
                             {"-V"}}) {
    const Options options = parse(words);
    ASSERT_EQ(options.remarks.size(), 1u) << words[0];
    EXPECT_NE(options.remarks[0].find("has no effect: "), std::string::npos) << options.remarks[0];
  }
  EXPECT_TRUE(parse({"-Mcore"}).core_dump);
}

TEST(CommandLine, WhatDoesNotExistIsNamed) {
  const auto text = [](const Words& words) {
    const auto options = parse_command_line(words);
    return options ? "" : options.error().text();
  };
  EXPECT_EQ(text({"-n", "--nosuch"}), "unknown option --nosuch");
  EXPECT_EQ(text({"-nz"}), "unknown option -z");
  EXPECT_EQ(text({"-f"}), "option -f needs an argument");
  EXPECT_EQ(text({"--use-file"}), "option --use-file needs an argument");
  EXPECT_EQ(text({"--dont-fork=1"}), "unknown option --dont-fork=1");
}

TEST(CommandLine, GenhashIsOnlyTheFirstWord) {
  EXPECT_EQ(parse({"--genhash", "-s", "::1"}).action, Action::genhash);
  EXPECT_EQ(parse({"-T", "--nosuch"}).action, Action::genhash);
  EXPECT_EQ(parse({"-n", "-T"}).action, Action::serve);
  EXPECT_EQ(parse({"-n", "-T"}).remarks.size(), 1u);
}

TEST(CommandLine, OfTheDirectorMeansTheSameToIt) {
  const Words words{"-f",      "/etc/x.conf", "-nlDDGP", "-S", "5",  "-g/x.log", "-i",
                    "-odd id", "-e",          "-I",      "-a", "-d", "--socket", "/s"};
  const Options options = parse(words);
  const Options director = parse(director_arguments(options));
  EXPECT_EQ(director.action, Action::direct);
  EXPECT_EQ(director.file, options.file);
  EXPECT_EQ(director.ident, options.ident);
  EXPECT_EQ(director.socket_path, options.socket_path);
  EXPECT_EQ(director.config_id, options.config_id);
  EXPECT_EQ(director.detail, options.detail);
  EXPECT_EQ(director.facility, options.facility);
  EXPECT_EQ(director.log_file, options.log_file);
  EXPECT_EQ(director.log_syslog, options.log_syslog);
  EXPECT_EQ(director.log_console, options.log_console);
  EXPECT_EQ(director.foreground, options.foreground);
  EXPECT_EQ(director.vrrp, options.vrrp);
  EXPECT_EQ(director.checks, options.checks);
  EXPECT_EQ(director.keep_services, options.keep_services);
  EXPECT_EQ(director.all_config, options.all_config);
  EXPECT_EQ(director.address_monitoring, options.address_monitoring);
  EXPECT_EQ(director.dump_config, options.dump_config);
  EXPECT_EQ(parse(director_arguments(parse({"-S", "user"}))).facility, LOG_USER);
  EXPECT_FALSE(parse(director_arguments(parse({"-C"}))).vrrp);
  EXPECT_FALSE(parse(director_arguments(parse({"-B"}))).bfd);
  EXPECT_TRUE(parse(director_arguments(parse({"-P"}))).bfd) << "as keepalived";
}

TEST(CommandLine, SignalsHaveKeepalivedsNumbers) {
  EXPECT_EQ(signal_number("STOP"), SIGTERM);
  EXPECT_EQ(signal_number("RELOAD"), SIGHUP);
  EXPECT_EQ(signal_number("DATA"), SIGUSR1);
  EXPECT_EQ(signal_number("STATS"), SIGUSR2);
  EXPECT_EQ(signal_number("STATS_CLEAR"), 63);
  EXPECT_EQ(signal_number("JSON"), 36);
  EXPECT_EQ(signal_number("TDUMP"), 64);
  EXPECT_FALSE(signal_number("stop"));
}

TEST(CommandLine, HelpNamesEveryOptionForPeople) {
  const std::string text = usage();
  for (const char* form :
       {"-f, --use-file=FILE", "-t, --config-test[=FILE]", "-R, --dont-respawn", "    --signum=NAME"}) {
    EXPECT_NE(text.find(form), std::string::npos) << form;
  }
  EXPECT_EQ(text.find("as-director"), std::string::npos);
}

}  // namespace
}  // namespace sluice::control
