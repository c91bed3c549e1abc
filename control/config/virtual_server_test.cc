// virtual_server, real_server, TCP_CHECK, HTTP_GET and global_defs: every keyword's value, the ends of its range, a bad
// value; defaults, inheritance and corrections. Expectations are those of keepalived 2.2.7.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::all_complaints;
using testing::complains;
using testing::count;
using testing::http_get;
using testing::only_checker;
using testing::only_rs;
using testing::only_vs;
using testing::parse;
using testing::tcp_check;
using testing::virtual_server;

/// A line, what it means as text, and keepalived -t's exit status with it.
struct Row {
  std::string line;
  std::string value;
  int status = 0;
};

std::string text_of(Duration duration) { return std::to_string(duration.count()) + " us"; }
std::string text_of(ForwardingMethod method) {
  return method == ForwardingMethod::nat ? "nat" : method == ForwardingMethod::direct ? "direct" : "tunnel";
}
std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(const Boxed<Script>& script) {
  if (!script) return "none";
  std::string text;
  for (const auto& word : script->argv) text += "[" + word + "]";
  if (script->user) text += " as " + *script->user;
  if (script->group) text += ":" + *script->group;
  return text;
}

void check(const std::vector<Row>& rows, const std::function<std::string(const std::string&)>& wrap,
           const std::function<std::string(const ParseOutcome&)>& value) {
  for (const Row& row : rows) {
    const auto outcome = parse(wrap(row.line));
    EXPECT_EQ(value(outcome), row.value) << row.line;
    EXPECT_EQ(test_exit_status(outcome), row.status) << row.line << "\n" << all_complaints(outcome);
  }
}

std::string in_vs(const std::string& line) { return virtual_server(line, "weight 5"); }
std::string in_rs(const std::string& line) { return virtual_server("", line); }

TEST(VirtualServer, DelayLoop) {
  check({{"", "60000000 us"},
         {"delay_loop 6", "6000000 us"},
         {"delay_loop 0.000001", "1 us"},
         {"delay_loop 1.5", "1500000 us"},
         {"delay_loop 5000", "5000000000 us"},
         {"delay_loop 0", "60000000 us", 5},
         {"delay_loop -1", "60000000 us", 5},
         {"delay_loop x", "60000000 us", 5},
         {"delay_loop 1.23456789", "1234568 us", 5},
         {"delay_loop 0.9999999", "1000000 us", 5},
         {"delay_loop 6s", "6000000 us", 5},
         {"delay_loop 99999999999999999999999999", "60000000 us", 5},
         {"delay_loop", "60000000 us", 2}},
        in_vs, [](const auto& outcome) { return text_of(only_vs(outcome).delay_loop); });
}

TEST(VirtualServer, Scheduler) {
  const auto wrap = [](const std::string& line) {
    return "virtual_server 10.0.0.1 80 {\n" + line + "\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.1.1 80 {\n}\n}\n";
  };
  std::vector<Row> rows = {{"", "wlc", 5},        {"lb_algo foo", "wlc", 5},        {"lb_algo RR", "wlc", 5},
                           {"lb_algo", "wlc", 2}, {"lb_algo rr\nlb_algo sh", "sh"}, {"lvs_sched dh", "dh"}};
  for (const std::string_view name : scheduler_names) {
    rows.push_back({"lb_algo " + std::string(name), std::string(name)});
  }
  check(rows, wrap, [](const auto& outcome) { return only_vs(outcome).scheduler.value; });
}

TEST(VirtualServer, SchedulerFlagsNeedTheirSchedulerFirst) {
  const auto value = [](const auto& outcome) {
    return text_of(only_vs(outcome).sh_port) + text_of(only_vs(outcome).sh_fallback);
  };
  check({{"lb_algo sh\nsh-port", "truefalse"},
         {"lb_algo sh\nsh-port\nsh-fallback", "truetrue"},
         {"sh-port\nlb_algo sh", "falsefalse", 5},
         {"sh-fallback", "falsefalse", 5},
         {"lb_algo sh\nsh-port\nlb_algo rr", "falsefalse"},
         {"mh-port", "falsefalse", 5},
         {"lb_algo mh\nmh-port\nmh-fallback", "falsefalse"}},
        in_vs, value);
}

TEST(VirtualServer, ForwardingMethod) {
  const auto wrap = [](const std::string& line) {
    return "virtual_server 10.0.0.1 80 {\nlb_algo rr\n" + line + "\nprotocol TCP\nreal_server 10.0.1.1 80 {\n}\n}\n";
  };
  check({{"lb_kind NAT", "nat"},
         {"lb_kind DR", "direct"},
         {"lvs_method TUN", "tunnel"},
         {"lb_kind TUN type ipip", "tunnel"},
         {"", "nat", 5},
         {"lb_kind nat", "nat", 5},
         {"lb_kind dr", "nat", 5},
         {"lb_kind", "nat", 2},
         {"lb_kind TUN type foo", "tunnel", 5},
         {"lb_kind TUN foo", "tunnel", 5}},
        wrap, [](const auto& outcome) { return text_of(only_vs(outcome).forwarding.value.method); });
}

TEST(VirtualServer, TunnelOptionsThatDoNotGoTogetherAreRefused) {
  const auto value = [](const auto& outcome) {
    const Forwarding forwarding = only_vs(outcome).forwarding.value;
    return text_of(forwarding.method) + " " + std::to_string(int(forwarding.tunnel)) + " " +
           std::to_string(forwarding.port.host()) + " " + std::to_string(int(forwarding.checksum));
  };
  check(
      {{"lb_kind TUN type gue port 6080 remcsum", "tunnel 1 6080 2"},
       {"lb_kind TUN csum type gue port 5", "tunnel 1 5 1"},
       {"lb_kind TUN type gre csum", "tunnel 2 0 1"},
       {"lb_kind TUN type gre remcsum", "tunnel 2 0 0", 5},
       {"lb_kind TUN type ipip csum", "tunnel 0 0 0", 5},
       {"lb_kind TUN type ipip port 5", "tunnel 0 0 0", 5},
       {"lb_kind TUN type gue", "nat 0 0 0", 5},  // the line is ignored
       {"lb_kind TUN type gue port 0", "nat 0 0 0", 5},
       {"lb_kind NAT csum", "nat 0 0 0", 5}},
      [](const std::string& line) { return virtual_server(line, "lvs_method NAT"); }, value);
}

TEST(VirtualServer, Protocol) {
  const auto wrap = [](const std::string& line) {
    return "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\n" + line + "\nreal_server 10.0.1.1 80 {\n}\n}\n";
  };
  check({{"protocol TCP", "TCP"},
         {"protocol udp", "UDP"},
         {"protocol Sctp", "SCTP"},
         {"", "UDP", 5},
         {"protocol FOO", "UDP", 5},
         {"protocol", "UDP", 2}},
        wrap, [](const auto& outcome) { return net::to_string(only_vs(outcome).key.protocol); });
}

TEST(VirtualServer, Persistence) {
  check({{"", "0"},
         {"persistence_timeout 50", "50"},
         {"persistence_timeout", "360"},
         {"persistence_timeout 1", "1"},
         {"persistence_timeout 2678400", "2678400"},
         {"persistence_timeout 2678401", "0", 5},
         {"persistence_timeout 0", "0", 5}},
        in_vs, [](const auto& outcome) { return std::to_string(only_vs(outcome).persistence_timeout.count()); });
}

TEST(VirtualServer, QuorumStaysWithinTheTotalWeight) {
  const auto value = [](const auto& outcome) {
    return std::to_string(only_vs(outcome).quorum) + "/" + std::to_string(only_vs(outcome).hysteresis);
  };
  check({{"", "1/0"},
         {"quorum 5", "5/0"},
         {"quorum 6", "5/0", 5},
         {"quorum 0", "1/0", 5},
         {"quorum 4294967295", "5/0", 5},
         {"quorum 4294967296", "1/0", 5},
         {"quorum x", "1/0", 5},
         {"quorum 5\nhysteresis 4", "5/4"},
         {"quorum 5\nhysteresis 5", "5/4", 5},
         {"hysteresis 1", "1/0", 5},
         {"hysteresis -1", "1/0", 5}},
        in_vs, value);
  // All servers drained: nothing is needed, and nothing wraps around.
  const auto drained = parse(virtual_server("quorum 2\nhysteresis 3", "weight 0"));
  EXPECT_EQ(value(drained), "0/0");
}

TEST(VirtualServer, SorryServer) {
  const auto value = [](const auto& outcome) -> std::string {
    const auto sorry = only_vs(outcome).sorry_server;
    if (!sorry) return "none";
    return net::endpoint_text(sorry->endpoint.address, sorry->endpoint.port) + " " + text_of(sorry->forwarding.method) +
           (sorry->inhibit ? " inhibit" : "");
  };
  check(
      {{"", "none"},
       {"sorry_server 127.0.0.1 8080", "127.0.0.1:8080 nat"},
       {"sorry_server 127.0.0.1", "127.0.0.1:80 nat"},
       {"lb_kind DR\nsorry_server 127.0.0.1 80", "127.0.0.1:80 direct"},
       {"lb_kind DR\nsorry_server 127.0.0.1 8080", "127.0.0.1:80 direct", 5},
       {"sorry_server 127.0.0.1\nsorry_server_inhibit", "127.0.0.1:80 nat inhibit"},
       {"sorry_server 127.0.0.1\nsorry_server_lvs_method TUN", "127.0.0.1:80 tunnel"},
       {"sorry_server_inhibit", "none", 5},
       {"sorry_server_lvs_method DR", "none", 5},
       {"sorry_server 127.0.0.1:80", "none", 5},
       {"sorry_server localhost 80", "none", 5},
       {"sorry_server 127.0.0.1 http", "none", 5},
       {"sorry_server fd00::1 80", "none", 5},
       {"sorry_server", "none", 2}},
      [](const std::string& line) { return virtual_server(line, "lvs_method NAT"); }, value);
}

TEST(VirtualServer, Flags) {
  const auto value = [](const auto& outcome) {
    const auto vs = only_vs(outcome);
    return text_of(vs.alpha) + " " + text_of(vs.omega) + " " + text_of(vs.inhibit_on_failure) + " " +
           text_of(vs.real_servers[0].inhibit_on_failure);
  };
  check({{"", "false false false false"},
         {"alpha", "true false false false"},
         {"omega no", "false true false false"},  // a flag takes no value
         {"inhibit_on_failure", "false false true true"}},
        in_vs, value);
}

TEST(VirtualServer, Scripts) {
  const auto value = [](const auto& outcome) {
    return text_of(only_vs(outcome).quorum_up) + " " + text_of(only_vs(outcome).quorum_down);
  };
  check({{"", "none none"},
         {"quorum_up /no/such/up.sh", "[/no/such/up.sh] none"},
         {"quorum_down \"/no/such/x 'a b' c\" nobody nogroup", "none [/no/such/x][a b][c] as nobody:nogroup"},
         {"quorum_up /no/such/a\nquorum_up /no/such/b", "[/no/such/a] none", 5},
         {"quorum_up", "none none", 2},
         {"quorum_up '/no/such/x", "none none", 5}},
        in_vs, value);
}

TEST(VirtualServer, Addresses) {
  const auto wrap = [](const std::string& name) {
    return "virtual_server " + name + " {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nreal_server 10.0.1.1 80 {\n}\n}\n";
  };
  const auto value = [](const auto& outcome) -> std::string {
    if (outcome.config.virtual_servers.empty()) return "none";
    return outcome.config.virtual_servers[0].name();
  };
  check({{"10.0.0.1 80", "10.0.0.1:80"},
         {"10.0.0.1 1", "10.0.0.1:1"},
         {"10.0.0.1 65535", "10.0.0.1:65535"},
         {"10.0.0.1 65536", "none", 5},
         {"10.0.0.1 http", "none", 5},
         {"10.0.0.1:80", "none", 5},
         {"localhost 80", "none", 5},
         {"10.0.0.1", "10.0.0.1:0", 5},  // needs persistence
         {"10.0.0.1 0", "10.0.0.1:0", 5},
         {"fwmark 5", "fwmark 5", 5},  // for its protocol line
         {"fwmark 4294967295", "fwmark 4294967295", 5},
         {"fwmark 4294967296", "none", 5},
         {"fwmark 0", "none", 5},
         {"fwmark x", "none", 5},
         {"fwmark", "none", 2},
         {"group G", "none"},
         {"", "none", 2}},
        wrap, value);
  EXPECT_TRUE(complains(parse(wrap("10.0.0.1:80")), "the port is a word of its own"));
  EXPECT_TRUE(complains(parse(wrap("group G")), "1:1: error: virtual server group 'G' ignored"));
}

TEST(VirtualServer, WithoutARealServerIsIgnored) {
  const auto outcome = parse("virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n}\n");
  EXPECT_TRUE(outcome.config.virtual_servers.empty());
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST(VirtualServer, TheSameTwiceKeepsTheFirst) {
  const auto outcome = parse(virtual_server("virtualhost a") + virtual_server("virtualhost b"));
  EXPECT_EQ(only_vs(outcome).virtualhost.value, "a");
  EXPECT_TRUE(complains(outcome, "stands at test.conf:1:1 already"));
}

TEST(VirtualServer, Ipv6) {
  const auto outcome = parse(
      "virtual_server fd00::1 80 {\nlb_algo rr\nlb_kind DR\nprotocol TCP\nreal_server fd00::2 80 {\n}\n"
      "real_server 10.0.0.1 80 {\n}\n}\n");
  EXPECT_EQ(only_vs(outcome).key.address, *net::IpAddr::parse("fd00::1"));
  EXPECT_EQ(only_vs(outcome).real_servers.size(), 1u);
  EXPECT_TRUE(complains(outcome, "7:1: error: real server 10.0.0.1 ignored"));
}

// --- real_server --------------------------------------------------------------------------------------------------

TEST(RealServer, Weight) {
  check({{"", "1"},
         {"weight 0", "0", 5},  // the quorum of 1 can't be reached any more
         {"weight 7", "7"},
         {"weight 2147483647", "2147483647"},
         {"weight 2147483648", "1", 5},
         {"weight -1", "1", 5},
         {"weight 12x", "12", 5},
         {"weight x", "1", 5},
         {"weight \"3\"", "3"},
         {"weight", "1", 2}},
        in_rs, [](const auto& outcome) { return std::to_string(only_rs(outcome).weight.value); });
  EXPECT_EQ(only_rs(parse(virtual_server("weight 9"))).weight.value, 9u);
  EXPECT_EQ(only_rs(parse(virtual_server("weight 9", "weight 2"))).weight.value, 2u);
}

TEST(RealServer, InhibitOnFailureTakesABoolean) {
  const auto value = [](const auto& outcome) { return text_of(only_rs(outcome).inhibit_on_failure); };
  check({{"", "false"},
         {"inhibit_on_failure", "true"},
         {"inhibit_on_failure on", "true"},
         {"inhibit_on_failure yes", "true"},
         {"inhibit_on_failure true", "true"},
         {"inhibit_on_failure off", "false"},
         {"inhibit_on_failure no", "false"},
         {"inhibit_on_failure false", "false"},
         {"inhibit_on_failure True", "false", 5}},
        in_rs, value);
  EXPECT_FALSE(only_rs(parse(virtual_server("inhibit_on_failure", "inhibit_on_failure no"))).inhibit_on_failure);
}

TEST(RealServer, Notifies) {
  const auto value = [](const auto& outcome) {
    return text_of(only_rs(outcome).notify_up) + " " + text_of(only_rs(outcome).notify_down);
  };
  check({{"notify_up /no/such/x", "[/no/such/x] none"},
         {"notify_down \"/no/such/x down 1\" root", "none [/no/such/x][down][1] as root"},
         {"notify_up", "none none", 2}},
        in_rs, value);
}

TEST(RealServer, Thresholds) {
  const auto value = [](const auto& outcome) {
    return std::to_string(only_rs(outcome).upper_threshold) + " " + std::to_string(only_rs(outcome).lower_threshold);
  };
  check({{"uthreshold 100\nlthreshold 50", "100 50"},
         {"uthreshold 4294967295", "4294967295 0"},
         {"uthreshold 4294967296", "0 0", 5},
         {"lthreshold -1", "0 0", 5}},
        in_rs, value);
}

TEST(RealServer, PortFollowsTheVirtualServerUnlessNatTranslatesIt) {
  const auto wrap = [](const std::string& lines) {
    return "virtual_server 10.0.0.1 80 {\nlb_algo rr\nprotocol TCP\n" + lines + "\n}\n}\n";
  };
  check({{"lb_kind NAT\nreal_server 10.0.1.1 8080 {", "8080"},
         {"lb_kind NAT\nreal_server 10.0.1.1 {", "80"},
         {"lb_kind NAT\nreal_server 10.0.1.1 0 {", "80"},
         {"lb_kind DR\nreal_server 10.0.1.1 80 {", "80"},
         {"lb_kind DR\nreal_server 10.0.1.1 8080 {", "80", 5},
         {"lb_kind TUN\nreal_server 10.0.1.1 8080 {", "80", 5},
         {"lb_kind DR\nreal_server 10.0.1.1 8080 {\nlvs_method NAT", "8080"},
         {"lb_kind NAT\nreal_server 10.0.1.1 8080 {\nlvs_method DR", "80", 5}},
        wrap, [](const auto& outcome) { return std::to_string(only_rs(outcome).port.host()); });
}

TEST(RealServer, TheSameTwiceKeepsTheFirst) {
  const auto outcome = parse(virtual_server("real_server 10.0.1.1 8080 {\nweight 3\n}"));
  EXPECT_EQ(only_rs(outcome).weight.value, 3u);
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST(RealServer, WrongNamesGetAHint) {
  const auto outcome = parse(in_rs("wieght 3\nlb_kind NAT\nquorum 3\ninhibit_on_failuer"));
  EXPECT_TRUE(complains(outcome, "'wieght' in real_server (did you mean 'weight'?), the line is ignored"));
  EXPECT_TRUE(complains(outcome, "'lb_kind' in real_server (did you mean 'lvs_method'?)"));
  EXPECT_TRUE(complains(outcome, "'quorum' in real_server, the line is ignored"));
  EXPECT_TRUE(complains(outcome, "(did you mean 'inhibit_on_failure'?)"));
  EXPECT_EQ(count(outcome, Severity::warning), 4u);
}

TEST(RealServer, ChecksOfAllKindsAreKeptInTheirOrder) {
  const auto outcome = parse(in_rs("MISC_CHECK {\nmisc_path /no/such/x\nmisc_dynamic\n}\nTCP_CHECK {\n}"));
  ASSERT_EQ(only_rs(outcome).checkers.size(), 2u);
  EXPECT_EQ(keyword_of(only_rs(outcome).checkers[0]), "MISC_CHECK");
  EXPECT_EQ(test_exit_status(outcome), 0) << all_complaints(outcome);
}

// --- checkers -----------------------------------------------------------------------------------------------------

TEST(TcpCheck, DefaultsAreTheRealServer) {
  const auto common = only_checker<TcpCheck>(parse(tcp_check("")));
  EXPECT_EQ(common.connect_ip.value, *net::IpAddr::parse("10.0.1.1"));
  EXPECT_EQ(common.connect_port.value.host(), 8080);
  EXPECT_FALSE(common.source);
  EXPECT_EQ(common.connect_timeout.value, seconds(5));
  EXPECT_EQ(common.retry.value, 1u);
  EXPECT_EQ(common.delay_before_retry.value, seconds(1));
  EXPECT_EQ(common.delay_loop.value, seconds(60));
  EXPECT_EQ(common.warmup.value, seconds(60));
  EXPECT_FALSE(common.alpha.value);
}

TEST(TcpCheck, EachOption) {
  const auto value = [](const auto& outcome) {
    const auto c = only_checker<TcpCheck>(outcome);
    return net::endpoint_text(c.connect_ip, c.connect_port) + " " +
           (c.source && c.source->address ? c.source->address->text() : "any") + " " +
           std::to_string(c.connect_timeout.value.count()) + " " + std::to_string(c.retry.value) + " " +
           std::to_string(c.delay_before_retry.value.count()) + " " + std::to_string(c.delay_loop.value.count()) + " " +
           std::to_string(c.warmup.value.count()) + " " + text_of(c.alpha) + text_of(c.log_all_failures);
  };
  const std::string tail = " 5000000 1 1000000 60000000 60000000 falsefalse";
  check({{"connect_ip 10.9.9.9", "10.9.9.9:8080 any" + tail},
         {"connect_port 81", "10.0.1.1:81 any" + tail},
         {"connect_port 65535", "10.0.1.1:65535 any" + tail},
         {"connect_port 0", "10.0.1.1:8080 any" + tail, 5},
         {"connect_port http", "10.0.1.1:8080 any" + tail, 5},
         {"bindto 10.0.0.9", "10.0.1.1:8080 10.0.0.9" + tail},
         {"bindto fd00::1", "10.0.1.1:8080 any" + tail, 5},
         {"connect_timeout 3", "10.0.1.1:8080 any 3000000 1 1000000 60000000 60000000 falsefalse"},
         {"connect_timeout 4294.967295", "10.0.1.1:8080 any 4294967295 1 1000000 60000000 60000000 falsefalse"},
         {"connect_timeout 4294.967296", "10.0.1.1:8080 any" + tail, 5},
         {"connect_timeout 0", "10.0.1.1:8080 any" + tail, 5},
         {"retry 0", "10.0.1.1:8080 any 5000000 0 1000000 60000000 60000000 falsefalse"},
         {"retry -1", "10.0.1.1:8080 any" + tail, 5},
         {"delay_before_retry 0", "10.0.1.1:8080 any 5000000 1 0 60000000 60000000 falsefalse"},
         {"delay_loop 2", "10.0.1.1:8080 any 5000000 1 1000000 2000000 2000000 falsefalse"},
         {"warmup 0", "10.0.1.1:8080 any 5000000 1 1000000 60000000 0 falsefalse"},
         {"alpha", "10.0.1.1:8080 any 5000000 1 1000000 60000000 60000000 truefalse"},
         {"log_all_failures", "10.0.1.1:8080 any 5000000 1 1000000 60000000 60000000 falsetrue"},
         {"nb_get_retry 3", "10.0.1.1:8080 any" + tail, 5},
         {"connect_timeout 3 retry 3", "10.0.1.1:8080 any 3000000 1 1000000 60000000 60000000 falsefalse"},
         {"bind_port 1024\nbind_if eth0\nfwmark 3", "10.0.1.1:8080 any" + tail}},
        tcp_check, value);
  EXPECT_TRUE(
      complains(parse(tcp_check("connect_timeout 3 retry 3")), "notice: 'retry' and what follows it is ignored"));
}

TEST(Checkers, InheritFromRealServerThenVirtualServer) {
  const std::string vs_lines =
      "delay_loop 7\ndelay_before_retry 8\nwarmup 9\nconnect_timeout 10\nretry 11\nalpha\nvirtualhost vs.example";
  auto outcome = parse(virtual_server(vs_lines, "TCP_CHECK {\n}"));
  auto common = only_checker<TcpCheck>(outcome);
  EXPECT_EQ(common.delay_loop.value, seconds(7));
  EXPECT_EQ(common.delay_before_retry.value, seconds(8));
  EXPECT_EQ(common.warmup.value, seconds(9));
  EXPECT_EQ(common.connect_timeout.value, seconds(10));
  EXPECT_EQ(common.retry.value, 11u);
  EXPECT_TRUE(common.alpha.value);

  const std::string rs_lines =
      "delay_loop 17\ndelay_before_retry 18\nwarmup 19\nconnect_timeout 20\nretry 21\nalpha no\n";
  outcome = parse(virtual_server(vs_lines, rs_lines + "TCP_CHECK {\n}"));
  common = only_checker<TcpCheck>(outcome);
  EXPECT_EQ(common.delay_loop.value, seconds(17));
  EXPECT_EQ(common.delay_before_retry.value, seconds(18));
  EXPECT_EQ(common.warmup.value, seconds(19));
  EXPECT_EQ(common.connect_timeout.value, seconds(20));
  EXPECT_EQ(common.retry.value, 21u);
  EXPECT_FALSE(common.alpha.value);

  outcome = parse(virtual_server(vs_lines, rs_lines + "TCP_CHECK {\nretry 0\ndelay_loop 0.5\n}"));
  common = only_checker<TcpCheck>(outcome);
  EXPECT_EQ(common.delay_loop.value, milliseconds(500));
  EXPECT_EQ(common.retry.value, 0u);
  EXPECT_EQ(test_exit_status(outcome), 0);

  // Where the line stands in its block doesn't matter.
  const auto late = parse(
      "virtual_server 10.0.0.1 80 {\nreal_server 10.0.1.1 {\nTCP_CHECK {\n}\n}\ndelay_loop 3\nlb_algo rr\n"
      "lb_kind NAT\nprotocol TCP\n}\n");
  EXPECT_EQ(only_checker<TcpCheck>(late).delay_loop.value, seconds(3));
}

TEST(Checkers, RetryOfServersIsAtLeastOne) {
  EXPECT_EQ(test_exit_status(parse(virtual_server("retry 0"))), 5);
  EXPECT_EQ(test_exit_status(parse(virtual_server("", "retry 0"))), 5);
  EXPECT_EQ(test_exit_status(parse(tcp_check("retry 0"))), 0);
}

TEST(HttpGet, DefaultsAndUrls) {
  const auto outcome =
      parse(http_get("url {\npath /\n}\nurl {\npath /x\nstatus_code 200 301-302\n"
                     "digest 640205B7B0FC66C1EA91C463FAC6334D\nvirtualhost a.example\n}"));
  const auto get = only_checker<HttpGet>(outcome);
  EXPECT_EQ(get.delay_before_retry.value, seconds(3));
  EXPECT_EQ(get.retry.value, 1u);
  ASSERT_EQ(get.urls.size(), 2u);
  EXPECT_EQ(get.urls[0].path, "/");
  EXPECT_EQ(get.urls[0].statuses, (std::vector<StatusRange>{{200, 299}}));
  EXPECT_EQ(get.urls[0].digest, "");
  EXPECT_EQ(get.urls[0].virtualhost.value.str(), "");
  EXPECT_EQ(get.urls[1].statuses, (std::vector<StatusRange>{{200, 200}, {301, 302}}));
  EXPECT_EQ(get.urls[1].digest, "640205b7b0fc66c1ea91c463fac6334d");
  EXPECT_EQ(get.urls[1].virtualhost.value.str(), "a.example");
  EXPECT_EQ(test_exit_status(outcome), 0);
}

TEST(HttpGet, StatusCodes) {
  const auto value = [](const auto& outcome) {
    std::string text;
    const auto get = only_checker<HttpGet>(outcome);
    for (const auto& range : get.urls[0].statuses) {
      text += std::to_string(range.first) + "-" + std::to_string(range.last) + " ";
    }
    return text;
  };
  check(
      {{"status_code 100", "100-100 "},
       {"status_code 599", "599-599 "},
       {"status_code 100-599", "100-599 "},
       {"status_code 99", "200-299 ", 5},
       {"status_code 600", "200-299 ", 5},
       {"status_code 300-299", "200-299 ", 5},
       {"status_code 200,301", "200-299 ", 5},
       {"status_code 200 x 204", "200-200 204-204 ", 5},
       {"status_code", "200-299 ", 2},
       {"digest 12", "200-299 ", 5},
       {"digest 640205b7b0fc66c1ea91c463fac6334z", "200-299 ", 5},
       {"regex \"ok\"", "200-299 "}},
      [](const std::string& line) { return http_get("url {\npath /\n" + line + "\n}"); }, value);
}

TEST(HttpGet, Options) {
  const auto value = [](const auto& outcome) {
    const auto get = only_checker<HttpGet>(outcome);
    return std::to_string(get.retry.value) + " " + std::to_string(int(get.http_protocol)) + " " +
           get.virtualhost.value.str() + " " + get.urls[0].virtualhost.value.str() + " " + text_of(get.fast_recovery);
  };
  check(
      {{"", "1 0   false"},
       {"nb_get_retry 3", "3 0   false", 5},  // deprecated, honoured
       {"retry 3", "3 0   false"},
       {"http_protocol 1.1", "1 2   false"},
       {"http_protocol 1.0C", "1 1   false"},
       {"http_protocol 2", "1 0   false", 5},
       {"virtualhost h.example", "1 0 h.example h.example false"},
       {"fast_recovery", "1 0   true"},
       {"enable_sni", "1 0   false"}},
      [](const std::string& line) { return http_get(line + "\nurl {\npath /\n}"); }, value);
}

TEST(HttpGet, VirtualhostFallsBackOutwards) {
  const auto host = [](const std::string& vs_line, const std::string& rs_line) {
    return only_checker<HttpGet>(parse(virtual_server(vs_line, rs_line + "\nHTTP_GET {\nurl {\npath /\n}\n}")))
        .urls[0]
        .virtualhost.value.str();
  };
  EXPECT_EQ(host("", ""), "");
  EXPECT_EQ(host("virtualhost vs.example", ""), "vs.example");
  EXPECT_EQ(host("virtualhost vs.example", "virtualhost rs.example"), "rs.example");
}

TEST(HttpGet, WithoutAUrlIsIgnored) {
  for (const char* lines : {"", "url {\n}", "url {\ndigest 640205b7b0fc66c1ea91c463fac6334d\n}"}) {
    const auto outcome = parse(http_get(lines));
    EXPECT_TRUE(only_rs(outcome).checkers.empty()) << lines;
    EXPECT_EQ(test_exit_status(outcome), 5) << lines;
  }
}

// --- global_defs and the rest of the file --------------------------------------------------------------------------

TEST(GlobalDefs, WhatIsActedOn) {
  const auto outcome = parse(
      "global_defs {\nrouter_id R1\nscript_user nobody nogroup\nenable_script_security\n}\n"
      "global_defs {\nrouter_id R2\nchecker_log_all_failures\nvrrp_version 3\n}\n" +
      tcp_check(""));
  EXPECT_EQ(outcome.config.global.router_id, "R2");
  EXPECT_EQ(outcome.config.global.script_user, "nobody");
  EXPECT_EQ(outcome.config.global.script_group, "nogroup");
  EXPECT_TRUE(outcome.config.global.enable_script_security);
  EXPECT_EQ(outcome.config.global.vrrp.version, 3u);
  EXPECT_TRUE(only_checker<TcpCheck>(outcome).log_all_failures);
  EXPECT_EQ(test_exit_status(outcome), 0);
}

TEST(GlobalDefs, ApplyWhereverTheyStand) {
  EXPECT_TRUE(
      only_checker<TcpCheck>(parse(tcp_check("") + "global_defs {\nchecker_log_all_failures\n}\n")).log_all_failures);
}

TEST(GlobalDefs, WhatKeepalivedRefuses) {
  const auto status = [](const std::string& line) {
    return test_exit_status(parse("global_defs {\n" + line + "\n}\n"));
  };
  EXPECT_EQ(status("vrrp_garp_interval 0"), 5);
  EXPECT_EQ(status("vrrp_gna_interval 0"), 5);
  EXPECT_EQ(status("vrrp_garp_interval 0.001"), 0);
  EXPECT_EQ(status("smtp_connect_timeout 0"), 5);
  EXPECT_EQ(status("smtp_connect_timeout 30"), 0);
  EXPECT_EQ(status("lvs_id A"), 5);
  EXPECT_EQ(status("router_id"), 5);
  EXPECT_EQ(status("vrrp_version 4"), 5);
  EXPECT_EQ(status("notification_email {\na@b.example \"C <c@d.example>\"\n}\nvrrp_strict\nlvs_flush"), 0);
}

TEST(ExitStatus, ScriptsThatExistNeedScriptSecurity) {
  const std::string text = in_rs("notify_up \"/bin/sh -c true\"");
  EXPECT_EQ(test_exit_status(parse(text)), 6);
  EXPECT_EQ(test_exit_status(parse(text + "nonsense\n")), 6);  // the numerically highest class wins
  EXPECT_EQ(test_exit_status(parse(text + "global_defs {\nenable_script_security\n}\n")), 0);
  EXPECT_EQ(test_exit_status(parse(in_rs("notify_up /no/such/script"))), 0);
  EXPECT_EQ(test_exit_status(parse(in_rs("notify_up \"sh -c true\""))), 6);
  EXPECT_EQ(test_exit_status(parse(text + "virtual_server {\n}\n")), 2);  // keepalived gives up there
}

TEST(ExitStatus, NoticesDoNotCount) {
  const auto outcome =
      parse(virtual_server("ha_suspend\nsmtp_alert\nsnmp_name x\npersistence_granularity 255.255.255.0", "smtp_alert"));
  EXPECT_GE(count(outcome, Severity::notice), 1u) << all_complaints(outcome);
  EXPECT_EQ(test_exit_status(outcome), 0);
}

TEST(Config, EqualityIgnoresWhereThingsStand) {
  const std::string text = virtual_server("virtualhost x", "HTTP_GET {\nurl {\npath /\n}\n}");
  EXPECT_EQ(parse(text).config, parse("# a comment\n\n" + text).config);
  EXPECT_FALSE(parse(text).config == parse(virtual_server("virtualhost y", "HTTP_GET {\nurl {\npath /\n}\n}")).config);
}

TEST(Config, EveryMistakeIsFoundInOneGo) {
  const auto outcome =
      parse("bogus 1\n" + virtual_server("quorum x\ndelay_loop y", "weight z\nTCP_CHECK {\nretry q\n}"));
  EXPECT_EQ(outcome.complaints.size(), 5u) << all_complaints(outcome);
  for (std::size_t i = 1; i < outcome.complaints.size(); ++i) {
    EXPECT_LT(outcome.complaints[i - 1].line, outcome.complaints[i].line);
  }
}

TEST(Config, ComplaintsAreKeptUpToTheLimitThenCounted) {
  std::string text;
  for (std::size_t i = 0; i < complaints_max + 5; ++i) text += "x\n";
  const auto outcome = parse(text);
  EXPECT_EQ(outcome.complaints.size(), complaints_max + 1);
  EXPECT_EQ(outcome.complaints_dropped, 5u);
  EXPECT_EQ(outcome.complaints.back().message, "5 more complaints are not shown");
  EXPECT_EQ(test_exit_status(outcome), 5);
  // The decisive one may come late.
  EXPECT_EQ(test_exit_status(parse(text + "virtual_server {\n}\n")), 2);
}

}  // namespace
}  // namespace sluice::control::config
