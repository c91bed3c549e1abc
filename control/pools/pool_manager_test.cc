#include "control/pools/pool_manager.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace sluice::control {
namespace {

using namespace std::chrono_literals;

/// Writes down what it is told, in short words; refuses the keys in `refused`.
class FakeBackend : public Backend {
 public:
  Result<> add_service(const VirtualServiceSpec& spec) override { return note("service", spec.key.address); }
  Result<> change_service(const VirtualServiceSpec& spec) override { return note("change service", spec.key.address); }
  Result<> remove_service(const VirtualServiceKey& key) override { return note("remove service", key.address); }
  Result<> add_destination(const VirtualServiceKey&, const DestinationSpec& spec) override {
    return note("add", spec.key.address, spec.weight);
  }
  Result<> change_destination(const VirtualServiceKey&, const DestinationSpec& spec) override {
    return note("change", spec.key.address, spec.weight);
  }
  Result<> remove_destination(const VirtualServiceKey&, const DestinationKey& key) override {
    return note("remove", key.address);
  }
  [[nodiscard]] std::vector<VirtualServiceStatus> services() const override { return {}; }
  [[nodiscard]] std::string name() const override { return "fake"; }

  std::vector<std::string> take() { return std::exchange(calls_, {}); }
  std::set<net::IpAddr> refused;

 private:
  Result<> note(const char* what, const net::IpAddr& address, std::optional<std::uint32_t> weight = {}) {
    if (refused.contains(address)) return fail("", "no room");
    calls_.push_back(fmt::format("{} {}{}", what, address.text(), weight ? fmt::format(" w{}", *weight) : ""));
    return {};
  }
  std::vector<std::string> calls_;
};

using Lines = std::vector<std::string>;

class Manager : public testing::Test {
 protected:
  static net::IpAddr ip(const char* text) { return *net::IpAddr::parse(text); }

  static RealServerSpec real(const char* address, std::uint32_t weight = 1) {
    RealServerSpec spec;
    spec.destination = {.key = {ip(address), net::L4Port::of(80)}, .weight = weight};
    health::CheckerSpec checker{.what = health::TcpCheckSpec{{.address = ip(address), .port = net::L4Port::of(80)}}};
    spec.checkers = {{checker}};
    spec.notify_up = ScriptSpec{.argv = {"up", address}};
    spec.notify_down = ScriptSpec{.argv = {"down", address}};
    return spec;
  }

  static RealServerSpec alpha(RealServerSpec spec) {
    for (CheckerSetup& setup : spec.checkers) {
      health::CheckerSpec checker = *setup.spec;
      checker.starts_up = false;
      setup.spec = checker;
    }
    return spec;
  }

  static PoolSpec pool(std::vector<RealServerSpec> servers) {
    PoolSpec spec;
    spec.services = {{.key = {net::Protocol::tcp, ip("10.0.0.1"), net::L4Port::of(80)}}};
    spec.servers = std::move(servers);
    spec.quorum_up = ScriptSpec{.argv = {"quorum_up"}};
    spec.quorum_down = ScriptSpec{.argv = {"quorum_down"}};
    return spec;
  }

  static DestinationSpec sorry() { return {.key = {ip("127.0.0.1"), net::L4Port::of(80)}}; }

  void start(std::vector<PoolSpec> specs) {
    checkers_ = manager_.apply(std::move(specs)).run;
    at_start_ = backend_.take();
    log_.clear();
    scripts_.clear();
    mails_.clear();
  }

  void result(std::size_t checker, health::Verdict verdict, health::Outcome outcome, std::string reason) {
    manager_.on_health({.checker = checkers_.at(checker).id,
                        .verdict = verdict,
                        .reason = std::move(reason),
                        .outcome = outcome,
                        .latency = 123us,
                        .ended = std::chrono::steady_clock::time_point{} + 1s});
  }
  void down(std::size_t checker, std::uint32_t retries = 1) {
    result(checker, health::Verdict::failure, {false, true, false, retries, 6s}, "connection refused");
  }
  void up(std::size_t checker) { result(checker, health::Verdict::success, {true, true, false, 0, 6s}, "connected"); }

  Lines take_log() { return std::exchange(log_, {}); }
  Lines take_scripts() { return std::exchange(scripts_, {}); }

  FakeBackend backend_;
  Lines log_;
  Lines scripts_;
  Lines fifo_;
  std::vector<Alert> mails_;
  std::vector<health::CheckerToRun> checkers_;
  Lines at_start_;
  Result<> script_result_;
  PoolManager manager_{
      backend_,
      [this](const ScriptSpec& script) {
        scripts_.push_back(script.argv.size() > 1 ? script.argv[0] + " " + script.argv[1] : script.argv[0]);
        return script_result_;
      },
      [this](LogLevel, const std::string& line) { log_.push_back(line); },
      [this](Alert alert) { mails_.push_back(std::move(alert)); },
      [this](std::string_view line) { fifo_.emplace_back(line); }};

  static PoolSpec mailing(PoolSpec spec, ServerMails mails) {
    spec.mails_quorum = true;
    for (RealServerSpec& server : spec.servers) server.mails = mails;
    return spec;
  }
  std::vector<Alert> take_mails() { return std::exchange(mails_, {}); }
};

TEST_F(Manager, FillsTheTableInTheOrderOfTheFileAndActivatesEveryChecker) {
  checkers_ = manager_.apply({pool({real("10.0.2.11", 2), real("10.0.2.12")})}).run;
  EXPECT_EQ(backend_.take(), (Lines{"service 10.0.0.1", "add 10.0.2.11 w2", "add 10.0.2.12 w1"}));
  ASSERT_EQ(checkers_.size(), 2u);
  EXPECT_EQ(log_, (Lines{"Gained quorum 1+0=1 <= 3 for VS [10.0.0.1]:tcp:80",
                         "Activating healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80",
                         "Activating healthchecker for service [10.0.2.12]:tcp:80 for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(scripts_, Lines{"quorum_up"});
  EXPECT_EQ(fifo_, Lines{"VS [10.0.0.1]:tcp:80 UP\n"});
}

TEST_F(Manager, TakesAFailedServerOutAndBringsItBackInKeepalivedsWords) {
  start({pool({real("10.0.2.11"), real("10.0.2.12")})});
  down(0);
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11"}));
  EXPECT_EQ(take_log(), (Lines{"TCP_CHECK on service [10.0.2.11]:tcp:80 failed after 1 retries. (connection refused)",
                               "Removing service [10.0.2.11]:tcp:80 from VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(take_scripts(), (Lines{"down 10.0.2.11"}));
  up(0);
  EXPECT_EQ(backend_.take(), (Lines{"add 10.0.2.11 w1"}));
  EXPECT_EQ(take_log(), (Lines{"TCP connection to [10.0.2.11]:tcp:80 success.",
                               "Adding service [10.0.2.11]:tcp:80 to VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(take_scripts(), (Lines{"up 10.0.2.11"}));
}

TEST_F(Manager, CountsWhatIsUp) {
  EXPECT_EQ(manager_.counts(), PoolCounts{});
  start({pool({real("10.0.2.11"), real("10.0.2.12")})});
  EXPECT_EQ(manager_.counts(), (PoolCounts{.pools = 1, .servers = 2, .servers_up = 2}));
  down(0);
  EXPECT_EQ(manager_.counts(), (PoolCounts{.pools = 1, .servers = 2, .servers_up = 1}));
}

TEST_F(Manager, InhibitSetsTheWeightToZeroAndBack) {
  PoolSpec spec = pool({real("10.0.2.11", 5), real("10.0.2.12")});
  spec.servers[0].inhibit_on_failure = true;
  start({spec});
  down(0, 0);
  EXPECT_EQ(backend_.take(), (Lines{"change 10.0.2.11 w0"}));
  EXPECT_EQ(take_log(), (Lines{"TCP_CHECK on service [10.0.2.11]:tcp:80 failed. (connection refused)",
                               "Disabling service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80"}));
  up(0);
  EXPECT_EQ(backend_.take(), (Lines{"change 10.0.2.11 w5"}));
  EXPECT_EQ(take_log().back(), "Enabling service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80");
}

TEST_F(Manager, SorryServerComesInWhenNoneIsLeftAndGoesWhenOneIsBack) {
  PoolSpec spec = pool({real("10.0.2.11"), real("10.0.2.12")});
  spec.quorum = 2;
  spec.sorry_server = sorry();
  start({spec});
  down(0);
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11", "add 127.0.0.1 w1", "remove 10.0.2.12"}));
  EXPECT_EQ(take_log(), (Lines{"TCP_CHECK on service [10.0.2.11]:tcp:80 failed after 1 retries. (connection refused)",
                               "Removing service [10.0.2.11]:tcp:80 from VS [10.0.0.1]:tcp:80",
                               "Lost quorum 2-0=2 > 1 for VS [10.0.0.1]:tcp:80",
                               "Adding sorry server [127.0.0.1]:tcp:80 to VS [10.0.0.1]:tcp:80",
                               "Removing alive servers from the pool for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(take_scripts(), (Lines{"down 10.0.2.11", "quorum_down"}));
  EXPECT_TRUE(manager_.status()[0].sorry_server_serves);
  up(0);
  EXPECT_EQ(backend_.take(), (Lines{"remove 127.0.0.1", "add 10.0.2.11 w1", "add 10.0.2.12 w1"}));
  EXPECT_EQ(take_log(), (Lines{"TCP connection to [10.0.2.11]:tcp:80 success.",
                               "Adding service [10.0.2.11]:tcp:80 to VS [10.0.0.1]:tcp:80",
                               "Gained quorum 2+0=2 <= 2 for VS [10.0.0.1]:tcp:80",
                               "Removing sorry server [127.0.0.1]:tcp:80 from VS [10.0.0.1]:tcp:80",
                               "Adding alive servers to the pool for VS [10.0.0.1]:tcp:80"}));
  EXPECT_EQ(take_scripts(), (Lines{"up 10.0.2.11", "quorum_up"}));
}

TEST_F(Manager, TheLastServerDownIsReplacedByTheSorryServer) {
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.sorry_server = sorry();
  start({spec});
  down(0);
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11", "add 127.0.0.1 w1"}));
  EXPECT_EQ(take_log().back(), "Removing alive servers from the pool for VS [10.0.0.1]:tcp:80")
      << "as keepalived has it";
}

TEST_F(Manager, FifosHearOfServersAndQuorumInOrder) {
  start({pool({real("10.0.2.11")})});
  fifo_.clear();
  down(0);
  up(0);
  EXPECT_EQ(fifo_, (Lines{"RS [10.0.2.11]:tcp:80 [10.0.0.1]:tcp:80 DOWN\n", "VS [10.0.0.1]:tcp:80 DOWN\n",
                          "RS [10.0.2.11]:tcp:80 [10.0.0.1]:tcp:80 UP\n", "VS [10.0.0.1]:tcp:80 UP\n"}));
}

TEST_F(Manager, AReserveSorryServerIsEnabledAndDisabled) {
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.sorry_server = sorry();
  spec.sorry_server_inhibit = true;
  start({spec});
  EXPECT_EQ(at_start_.back(), "add 127.0.0.1 w0");
  down(0);
  EXPECT_EQ(take_log()[3], "Enabling sorry server [127.0.0.1]:tcp:80 to VS [10.0.0.1]:tcp:80");
  up(0);
  EXPECT_EQ(take_log()[3], "Disabling sorry server [127.0.0.1]:tcp:80 from VS [10.0.0.1]:tcp:80");
}

TEST_F(Manager, AlphaWithSorryServerStartsWithQuorumDown) {
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.servers[0] = alpha(spec.servers[0]);
  spec.sorry_server = sorry();
  checkers_ = manager_.apply({spec}).run;
  EXPECT_EQ(backend_.take(), (Lines{"service 10.0.0.1", "add 127.0.0.1 w1"}));
  EXPECT_EQ(log_[0], "Starting with quorum down 1-0=1 > 0 for VS [10.0.0.1]:tcp:80");
}

TEST_F(Manager, SaysNothingOfToleratedFailuresUnlessAsked) {
  PoolSpec spec = pool({real("10.0.2.11"), real("10.0.2.12")});
  spec.servers[1].checkers[0].log_all_failures = true;
  start({spec});
  for (const std::size_t checker : {0u, 1u}) {
    result(checker, health::Verdict::failure, {true, false, false, 1, 1s}, "connection refused");
  }
  EXPECT_EQ(take_log(), (Lines{"TCP connection to [10.0.2.12]:tcp:80 failed. (connection refused)"}));
  EXPECT_TRUE(backend_.take().empty());
  EXPECT_EQ(manager_.status()[0].servers[0].checkers[0].retries, 1u);
}

TEST_F(Manager, WhatFailsOnThisSideIsLoggedAndChangesNothing) {
  start({pool({real("10.0.2.11")})});
  result(0, health::Verdict::not_counted, {true, false, false, 0, 6s}, "bind failed: no such address");
  EXPECT_EQ(take_log(),
            (Lines{"TCP_CHECK on service [10.0.2.11]:tcp:80: bind failed: no such address. Rescheduling."}));
  EXPECT_TRUE(backend_.take().empty());
}

TEST_F(Manager, StatusTellsWhatEachCheckerLastSaid) {
  start({pool({real("10.0.2.11", 4)})});
  EXPECT_FALSE(manager_.status()[0].servers[0].checkers[0].has_run);
  down(0);
  const PoolStatus status = manager_.status()[0];
  EXPECT_FALSE(status.has_quorum);
  EXPECT_EQ(status.weight_sum, 0u);
  const RealServerStatus& server = status.servers[0];
  EXPECT_FALSE(server.up);
  EXPECT_FALSE(server.in_table);
  EXPECT_EQ(server.destination.weight, 4u);
  const CheckerStatus& checker = server.checkers[0];
  EXPECT_EQ(checker.kind, "TCP_CHECK");
  EXPECT_EQ(checker.target, "10.0.2.11:80");
  EXPECT_EQ(checker.reason, "connection refused");
  EXPECT_EQ(checker.flaps, 1u);
  EXPECT_EQ(checker.latency, 123us);
  EXPECT_EQ(*checker.next_probe - *checker.last_probe, 6s);
}

TEST_F(Manager, ServiceThatTheBackendRefusesIsLeftAloneAndOthersGoOn) {
  PoolSpec refused = pool({real("10.0.2.11")});
  refused.services[0].key.address = ip("10.0.0.9");
  backend_.refused.insert(ip("10.0.0.9"));
  checkers_ = manager_.apply({refused, pool({real("10.0.2.11")})}).run;
  EXPECT_EQ(backend_.take(), (Lines{"service 10.0.0.1", "add 10.0.2.11 w1"}));
  EXPECT_EQ(log_[0], "fake backend refused a change of VS [10.0.0.9]:tcp:80: no room");
  EXPECT_EQ(manager_.status()[0].backend_error, "no room");
  down(0);
  EXPECT_TRUE(backend_.take().empty());
  down(1);
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11"}));
}

TEST_F(Manager, ScriptThatCannotBeRunIsLoggedAndTheChangeHappens) {
  start({pool({real("10.0.2.11"), real("10.0.2.12")})});
  script_result_ = fail("down", "cannot be run: no such file or directory");
  down(0);
  EXPECT_EQ(take_log().back(), "down: cannot be run: no such file or directory");
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11"}));
}

TEST_F(Manager, UnknownCheckersDoNothing) {
  start({pool({real("10.0.2.11")})});
  checkers_[0].id = health::CheckerId{99};
  down(0);
  EXPECT_TRUE(backend_.take().empty());
  EXPECT_TRUE(take_log().empty());
}

TEST_F(Manager, StopEmptiesTheTableAndWithOmegaRunsDownScripts) {
  PoolSpec quiet = pool({real("10.0.2.11"), real("10.0.2.12")});
  PoolSpec omega = pool({real("10.0.2.13")});
  omega.services[0].key.port = net::L4Port::of(443);
  omega.notify_down_at_stop = true;
  start({quiet, omega});
  down(1);
  backend_.take();
  take_log();
  take_scripts();
  manager_.stop();
  EXPECT_EQ(backend_.take(),
            (Lines{"remove 10.0.2.11", "remove service 10.0.0.1", "remove 10.0.2.13", "remove service 10.0.0.1"}));
  EXPECT_EQ(take_log(), (Lines{"Shutting down service [10.0.2.11]:tcp:80 from VS [10.0.0.1]:tcp:80",
                               "Shutting down service [10.0.2.12]:tcp:80 from VS [10.0.0.1]:tcp:80",
                               "Shutting down service [10.0.2.13]:tcp:80 from VS [10.0.0.1]:tcp:443"}));
  EXPECT_EQ(take_scripts(), (Lines{"down 10.0.2.13", "quorum_down"}));
  EXPECT_TRUE(manager_.status().empty());
}

TEST_F(Manager, AListenerHearsOfEachServerEachQuorumAndOfWhatGoes) {
  Lines heard;
  bool wants = true;
  manager_.set_listener({.wants = [&] { return wants; },
                         .tell =
                             [&](const PoolEvent& event) {
                               const char* const words[] = {"up", "down", "shutdown"};
                               heard.push_back(fmt::format("{} {} {}/{} of {}{}",
                                                           event.server ? event.server->text() : "quorum",
                                                           words[int(event.what)], event.servers_up, event.servers,
                                                           event.service.text(), event.group));
                             }});
  const auto take = [&] { return std::exchange(heard, {}); };
  PoolSpec spec = pool({real("10.0.2.11"), real("10.0.2.12")});
  spec.group = "[web]:0";
  start({spec});
  EXPECT_EQ(take(), Lines{"quorum up 2/2 of TCP 10.0.0.1:80web"});
  down(0);
  EXPECT_EQ(take(), Lines{"10.0.2.11:80 down 1/2 of TCP 10.0.0.1:80web"});
  down(1);
  EXPECT_EQ(take(), (Lines{"10.0.2.12:80 down 0/2 of TCP 10.0.0.1:80web", "quorum down 0/2 of TCP 10.0.0.1:80web"}));
  wants = false;
  up(0);
  wants = true;
  up(1);
  EXPECT_EQ(take(), Lines{"10.0.2.12:80 up 2/2 of TCP 10.0.0.1:80web"});
  spec.servers.pop_back();
  static_cast<void>(manager_.apply({spec}));
  EXPECT_EQ(take(), Lines{"10.0.2.12:80 down 1/1 of TCP 10.0.0.1:80web"});
  manager_.stop();
  EXPECT_EQ(take(), Lines{"quorum shutdown 1/1 of TCP 10.0.0.1:80web"});
}

using Mails = std::vector<Alert>;

TEST_F(Manager, MailsOfServersAndQuorumInKeepalivedsWords) {
  start({mailing(pool({real("10.0.2.11")}), ServerMails::checkers)});
  EXPECT_EQ(take_mails(), Mails{});
  down(0);
  EXPECT_EQ(take_mails(), (Mails{{"Virtualserver [10.0.0.1]:tcp:80 - DOWN", "=> Lost quorum 1+0=1 <= 0 <="},
                                 {"Realserver [10.0.2.11]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN",
                                  "=> TCP CHECK failed on service <="}}));
  up(0);
  EXPECT_EQ(take_mails(), (Mails{{"Virtualserver [10.0.0.1]:tcp:80 - UP", "=> Gained quorum 1+0=1 <= 1 <="},
                                 {"Realserver [10.0.2.11]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - UP",
                                  "=> TCP CHECK succeed on service <="}}));
  result(0, health::Verdict::failure, {true, false, false, 1, 1s}, "connection refused");
  EXPECT_EQ(take_mails(), Mails{}) << "a failure that is tolerated";
}

TEST_F(Manager, ACheckerMailsThoughItsServerStaysDownUnlessNoCheckerEmails) {
  for (const ServerMails mails : {ServerMails::checkers, ServerMails::changes}) {
    RealServerSpec twice = real("10.0.2.11");
    twice.checkers.push_back(twice.checkers.front());
    start({mailing(pool({twice, real("10.0.2.12")}), mails)});
    down(0);
    EXPECT_EQ(take_mails().size(), 1u);
    down(1);
    up(1);
    const Mails second = take_mails();
    EXPECT_EQ(second.size(), mails == ServerMails::checkers ? 2u : 0u);
    for (const Alert& mail : second) {
      EXPECT_EQ(mail.subject, "Realserver [10.0.2.11]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN")
          << "the server's state, not the checker's";
    }
    up(0);
    EXPECT_EQ(take_mails().size(), 1u);
    manager_.stop();
  }
}

TEST_F(Manager, MailsOfWhatAReloadTakesAway) {
  start({mailing(pool({real("10.0.2.11"), real("10.0.2.12")}), ServerMails::changes)});
  down(0);
  (void)take_mails();
  (void)manager_.apply({mailing(pool({}), ServerMails::changes)});
  EXPECT_EQ(take_mails(),
            (Mails{{"Realserver [10.0.2.12]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN", "=> Removing <="},
                   {"Virtualserver [10.0.0.1]:tcp:80 - DOWN", "=> Starting with quorum down 1+0=1 <= 0 <="}}))
      << "the other one was down already";
}

TEST_F(Manager, MailsAtTheStopWithOmegaOnly) {
  PoolSpec spec = mailing(pool({real("10.0.2.11")}), ServerMails::checkers);
  start({spec});
  manager_.stop();
  EXPECT_EQ(take_mails(), Mails{});
  spec.notify_down_at_stop = true;
  start({spec});
  manager_.stop();
  EXPECT_EQ(take_mails(),
            (Mails{{"Realserver [10.0.2.11]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN", "=> Shutting down <="},
                   {"Virtualserver [10.0.0.1]:tcp:80 - DOWN", "=> Shutting down <="}}));
}

TEST_F(Manager, MailsNothingThatNobodyAskedFor) {
  start({pool({real("10.0.2.11")})});
  down(0);
  up(0);
  manager_.stop();
  EXPECT_EQ(take_mails(), Mails{});
}

TEST_F(Manager, AnOperatorsWeightHoldsUntilItIsUndone) {
  start({pool({real("10.0.2.11", 3), real("10.0.2.12", 2)})});
  EXPECT_EQ(manager_.set_weight("10.0.0.1:80", "10.0.2.11", 0),
            "service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80 is drained: no new connections until it is enabled");
  EXPECT_EQ(backend_.take(), Lines{"change 10.0.2.11 w0"});
  EXPECT_EQ(manager_.status()[0].weight_sum, 2u) << "it has no vote";
  EXPECT_EQ(manager_.status()[0].servers[0].set_weight, 0u);

  // A reload with another weight, and the server failing and coming back, change nothing of it.
  (void)manager_.apply({pool({real("10.0.2.11", 7), real("10.0.2.12", 2)})});
  EXPECT_EQ(backend_.take(), Lines{});
  down(0);
  up(0);
  EXPECT_EQ(backend_.take(), (Lines{"remove 10.0.2.11", "add 10.0.2.11 w0"}));

  EXPECT_TRUE(manager_.set_weight("10.0.0.1:80", "10.0.2.11", 5));
  EXPECT_EQ(backend_.take(), Lines{"change 10.0.2.11 w5"});
  EXPECT_EQ(manager_.set_weight("10.0.0.1:80", "10.0.2.11", std::nullopt),
            "service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80 has its configured weight 7 again");
  EXPECT_EQ(backend_.take(), Lines{"change 10.0.2.11 w7"});
  EXPECT_FALSE(manager_.status()[0].servers[0].set_weight);
  EXPECT_EQ(manager_.set_weight("10.0.0.1:80", "10.0.2.11", std::nullopt),
            "service [10.0.2.11]:tcp:80 of VS [10.0.0.1]:tcp:80 has its configured weight 7: nothing was set");
  EXPECT_EQ(manager_.set_weight("10.0.0.1:80", "10.0.2.99", 1).error().text(),
            "10.0.2.99: no such real server; expected one of 10.0.2.11:80, 10.0.2.12:80");
}

TEST_F(Manager, DrainingTheLastServerIsALossOfQuorum) {
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.sorry_server = sorry();
  start({spec});
  EXPECT_TRUE(manager_.set_weight("10.0.0.1:80", "10.0.2.11", 0));
  EXPECT_EQ(take_scripts(), Lines{"quorum_down"});
  EXPECT_TRUE(manager_.status()[0].sorry_server_serves);
  (void)manager_.apply({pool({})});
  (void)manager_.apply({pool({real("10.0.2.11")})});
  EXPECT_FALSE(manager_.status()[0].servers[0].set_weight) << "what was set goes with the server";
}

// --- ha_suspend

TEST_F(Manager, CheckersRestWhileTheAddressIsNotOnThisHost) {
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.ha_suspend = true;
  auto checkers = manager_.apply({spec});
  ASSERT_EQ(checkers.run.size(), 1u);
  EXPECT_TRUE(checkers.run[0].suspended);
  const health::CheckerId id = checkers.run[0].id;
  EXPECT_EQ(take_log().back(), "Deactivating healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80");
  EXPECT_TRUE(manager_.status()[0].servers[0].checkers[0].suspended);
  EXPECT_EQ(backend_.take(), (Lines{"service 10.0.0.1", "add 10.0.2.11 w1"})) << "what it is taken to be stays";

  EXPECT_TRUE(manager_.on_address(ip("10.0.0.2"), true).resume.empty());
  EXPECT_EQ(manager_.on_address(ip("10.0.0.1"), true).resume, std::vector{id});
  EXPECT_TRUE(manager_.on_address(ip("10.0.0.1"), true).resume.empty()) << "on a second interface";
  EXPECT_FALSE(manager_.status()[0].servers[0].checkers[0].suspended);
  EXPECT_EQ(take_log(), (Lines{"Activating healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80"}));

  EXPECT_EQ(manager_.on_address(ip("10.0.0.1"), false).suspend, std::vector{id});
  EXPECT_EQ(take_log(), (Lines{"Suspending healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80"}));
  EXPECT_TRUE(backend_.take().empty());
}

TEST_F(Manager, AddressesThatAreThereAlreadyCountAndOthersDontAsk) {
  EXPECT_TRUE(manager_.on_address(ip("10.0.0.1"), true).resume.empty());
  PoolSpec waits = pool({real("10.0.2.11")});
  waits.ha_suspend = true;
  EXPECT_FALSE(manager_.apply({waits}).run[0].suspended);
  EXPECT_EQ(take_log().back(), "Activating healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80");
  start({pool({real("10.0.2.11")})});
  EXPECT_TRUE(manager_.on_address(ip("10.0.0.1"), false).suspend.empty());
}

TEST_F(Manager, AGroupHasNoAddressThatCouldBeHere) {
  static_cast<void>(manager_.on_address(ip("10.0.0.1"), true));
  PoolSpec spec = pool({real("10.0.2.11")});
  spec.group = "[web]:0";
  spec.ha_suspend = true;
  EXPECT_TRUE(manager_.apply({spec}).run[0].suspended);
}

TEST_F(Manager, AReloadSuspendsAndResumes) {
  PoolSpec spec = pool({real("10.0.2.11")});
  start({spec});
  spec.ha_suspend = true;
  spec.servers.push_back(real("10.0.2.12"));
  const auto checkers = manager_.apply({spec});
  EXPECT_EQ(checkers.suspend, std::vector{checkers_[0].id});
  ASSERT_EQ(checkers.run.size(), 1u);
  EXPECT_TRUE(checkers.run[0].suspended);
  EXPECT_EQ(log_, (Lines{"Suspending healthchecker for service [10.0.2.11]:tcp:80 for VS [10.0.0.1]:tcp:80",
                         "Deactivating healthchecker for service [10.0.2.12]:tcp:80 for VS [10.0.0.1]:tcp:80"}));
  spec.ha_suspend = false;
  EXPECT_EQ(manager_.apply({spec}).resume.size(), 2u);
}

}  // namespace
}  // namespace sluice::control
