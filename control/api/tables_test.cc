#include "control/api/tables.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::control::api {
namespace {

TEST(ServicesTable, LooksAsIpvsadmWithHealthAtTheEnd) {
  const char* json = R"({"backend":"engine","services":[
    {"protocol":"UDP","address":"10.0.0.1","port":53,"scheduler":"rr","flags":[],"destinations":[]},
    {"protocol":"TCP","address":"2001:db8::1","port":80,"scheduler":"rr","flags":[],"destinations":[
      {"address":"2001:db8:2::11","port":80,"forward":"Masq","weight":1,"active":0,"inactive":0,"health":"up"}]},
    {"protocol":"TCP","address":"10.0.0.1","port":443,"scheduler":"sh","flags":["sh-fallback","sh-port"],
     "quorum":{"up":false,"need":2,"have":1},"destinations":[
      {"address":"10.0.2.12","port":443,"forward":"Tunnel","weight":1,"active":0,"inactive":0,"in_table":false,
       "health":"down","reason":"connection refused"},
      {"address":"127.0.0.1","port":80,"forward":"Route","weight":1,"in_table":false,"sorry":true,"health":"unchecked"},
      {"address":"10.0.2.11","port":443,"forward":"Route","weight":1,"active":0,"inactive":0,"health":"unchecked"}]},
    {"protocol":"TCP","address":"10.0.0.1","port":80,"scheduler":"wlc","flags":[],
     "quorum":{"up":true,"need":1,"have":2},"destinations":[
      {"address":"10.0.2.12","port":8080,"forward":"Masq","weight":0,"active":0,"inactive":7,"in_table":true,
       "health":"down","reason":"status 503, expected 200"},
      {"address":"10.0.2.9","port":8080,"forward":"Masq","weight":10,"active":123,"inactive":4567890,"in_table":true,
       "sorry":false,"health":"up","reason":"","next_hop":"eth1 02:00:00:00:02:09","counters":{}}]}]})";
  const auto table = services_table(json);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(
      *table,
      "IP Virtual Server version 1.2.1 (sluice, engine)\n"
      "Prot LocalAddress:Port Scheduler Flags\n"
      "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn  Health\n"
      "TCP  10.0.0.1:80 wlc\n"
      "  -> 10.0.2.9:8080                Masq    10     123        4567890    up\n"
      "  -> 10.0.2.12:8080               Masq    0      0          7          down: status 503, expected 200\n"
      "TCP  10.0.0.1:443 sh (sh-fallback,sh-port)  quorum lost: have 1, need 2\n"
      "  -> 10.0.2.11:443                Route   1      0          0          unchecked\n"
      "  x  10.0.2.12:443                Tunnel  1      0          0          down, taken out: connection refused\n"
      "  x  127.0.0.1:80                 Route   1      0          0          unchecked, sorry server on standby\n"
      "UDP  10.0.0.1:53 rr\n"
      "TCP  [2001:db8::1]:80 rr\n"
      "  -> [2001:db8:2::11]:80          Masq    1      0          0          up\n");
}

TEST(ServicesTable, NoServicesLeaveTheHeader) {
  const auto table = services_table(R"({"backend":"ipvs","services":[]})");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->substr(0, table->find('\n')), "IP Virtual Server version 1.2.1 (sluice, ipvs)");
}

TEST(HealthTable, HasALinePerChecker) {
  const char* json = R"({"virtual_servers":[{"name":"[10.0.0.1]:tcp:80","real_servers":[
    {"name":"10.0.2.11:80","weight":1,"checkers":[
      {"kind":"TCP_CHECK","target":"10.0.2.11:80","up":true,"has_run":true,"reason":"connected","retries":0,"flaps":2,
       "latency_s":0.00021,"ago_s":0.32,"next_s":0.68}]},
    {"name":"10.0.2.12:80","weight":0,"checkers":[
      {"kind":"HTTP_CHECK","target":"10.0.2.12:80","up":true,"has_run":true,"reason":"connection refused","retries":1,
       "flaps":0,"latency_s":0.0104,"ago_s":10.5,"next_s":1},
      {"kind":"MISC_CHECK","target":"/bin/check","up":true,"has_run":false,"retries":0,"flaps":0}]},
    {"name":"10.0.2.13:80","weight":1,"checkers":[]}]}]})";
  const auto table = health_table(json, false);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(
      *table,
      "VIRTUAL SERVER    REAL SERVER  WEIGHT CHECKER                 STATE        AGO    NEXT IN TOOK    FLAPS SAID\n"
      "[10.0.0.1]:tcp:80 10.0.2.11:80 1      TCP_CHECK 10.0.2.11:80  up           0.3 s  0.7 s   0.2 ms  2     "
      "connected\n"
      "[10.0.0.1]:tcp:80 10.0.2.12:80 0      HTTP_CHECK 10.0.2.12:80 up, 1 failed 10.5 s 1.0 s   10.4 ms 0     "
      "connection refused\n"
      "[10.0.0.1]:tcp:80 10.0.2.12:80 0      MISC_CHECK /bin/check   not run      -      -       -       0\n"
      "[10.0.0.1]:tcp:80 10.0.2.13:80 1      none                    up\n");
  const auto failing = health_table(json, true);
  ASSERT_TRUE(failing);
  EXPECT_EQ(std::count(failing->begin(), failing->end(), '\n'), 2);
  EXPECT_FALSE(health_table("[]", false));
}

TEST(HealthTable, SaysWhoRests) {
  const auto table = health_table(R"({"virtual_servers":[{"name":"V","real_servers":[{"name":"R","weight":1,"checkers":[
    {"kind":"TCP_CHECK","up":true,"has_run":false,"suspended":true},
    {"kind":"TCP_CHECK","up":false,"has_run":true,"suspended":true}]}]}]})",
                                  false);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_NE(table->find(" up, suspended "), std::string::npos) << *table;
  EXPECT_NE(table->find(" down, suspended "), std::string::npos) << *table;
}

TEST(Tables, SomethingElseIsAnErrorNotACrash) {
  for (const char* bad : {"", "[]", "{}", "nonsense", R"({"services":3})", R"({"services":[{}]})",
                          R"({"connections":[{"protocol":7}]})", R"({"workers":[{"id":"x"}]})", R"({"workers":3})"}) {
    EXPECT_FALSE(services_table(bad)) << bad;
    EXPECT_FALSE(connections_table(bad)) << bad;
    EXPECT_FALSE(stats_table(bad, true)) << bad;
  }
  EXPECT_FALSE(indented("nonsense"));
}

TEST(ConnectionsTable, LooksAsIpvsadm) {
  const auto table = connections_table(R"({"connections":[
    {"protocol":"TCP","expires_s":53,"state":"SYN_RECV","client":"10.0.1.1:34004","virtual":"10.0.0.1:80",
     "destination":"10.0.2.11:8080","worker":0},
    {"protocol":"UDP","expires_s":7200,"state":"UDP","client":"10.0.1.1:34000","virtual":"10.0.0.1:53",
     "destination":"10.0.2.11:53","worker":1},
    {"protocol":"TCP","expires_s":896,"state":"ESTABLISHED","client":"[2001:db8:9::1]:36006",
     "virtual":"[2001:db8:1::2]:80","destination":"[2001:db8:2::11]:8080","worker":1}],"total":12,"truncated":true})");
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(*table,
            "IPVS connection entries\n"
            "pro expire state       source             virtual            destination\n"
            "TCP 00:53  SYN_RECV    10.0.1.1:34004     10.0.0.1:80        10.0.2.11:8080\n"
            "UDP 120:00  UDP         10.0.1.1:34000     10.0.0.1:53        10.0.2.11:53\n"
            "TCP 14:56  ESTABLISHED [2001:db8:9::1]:36006 [2001:db8:1::2]:80 [2001:db8:2::11]:8080\n"
            "(3 of 12 connections, --limit N shows more)\n");
}

const char* const stats_json = R"({"uptime_s":93784,"workers":[
  {"id":0,"core":2,"received":1000,"transmitted":900,"handed_in":1,"handed_out":2,"passed":3,"made":4,"dropped":95,
   "drops":{"ttl_exceeded":95,"martian":0},"flows":10,"flows_max":1048576,"new_flows":20,"expired_flows":10,"evicted_flows":6,
   "ns_per_packet":{"engine":35.04,"total":420.0},"sleeps":7,"polls":8,
   "ports":[{"interface":"eth0","mode":"af_xdp native copy","queue":0,"lost":12}]},
  {"id":1,"core":3,"received":5,"transmitted":5,"drops":{"ttl_exceeded":0,"martian":0},"flows_max":1048576,
   "ns_per_packet":{"engine":null},"ports":[{"interface":"eth0","mode":"af_xdp zero-copy","queue":1}]}],
  "steer":{"steered":1005,"passed":77,"dropped_no_engine":6}})";

TEST(StatsTable, ShowsEachWorkerAndOnlyDropsThatHappened) {
  const auto table = stats_table(stats_json, false);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(*table,
            "Up for 1 day 2:03:04, 2 workers\n"
            "\n"
            "Worker  Core  Interface  Queue  Lost  Mode\n"
            "0          2  eth0           0    12  af_xdp native copy\n"
            "1          3  eth0           1     0  af_xdp zero-copy\n"
            "\n"
            "Worker  Received  Transmitted  Handed in  Handed out  Passed  Made  Dropped\n"
            "0           1000          900          1           2       3     4       95\n"
            "1              5            5          0           0       0     0        0\n"
            "total       1005          905          1           2       3     4       95\n"
            "\n"
            "Worker  Dropped because  Packets\n"
            "0       ttl_exceeded          95\n"
            "\n"
            "Worker  Flows  Flows max  New  Expired  Evicted\n"
            "0          10    1048576   20       10        6\n"
            "1           0    1048576    0        0        0\n"
            "total      10    2097152   20       10        6\n"
            "\n"
            "Worker  engine ns/packet  total ns/packet  Polls  Sleeps\n"
            "0                   35.0            420.0      8       7\n"
            "1                      -                -      0       0\n"
            "\n"
            "XDP: 1005 packets to the engine, 77 passed to the kernel, 6 dropped while no engine ran\n");
}

TEST(StatsTable, AllShowsReasonsThatNeverHappened) {
  EXPECT_EQ(stats_table(stats_json, false)->find("martian"), std::string::npos);
  EXPECT_NE(stats_table(stats_json, true)->find("martian"), std::string::npos);
}

TEST(StatsTable, SaysWhenNoEngineRunsAndWhenNothingWasDropped) {
  EXPECT_NE(stats_table(R"({"uptime_s":1,"workers":[]})", false)->find("No engine runs"), std::string::npos);
  EXPECT_NE(stats_table(R"({"workers":[{"id":0}]})", false)->find("Nothing dropped"), std::string::npos);
}

const char* bfd_answer = R"({"bfd_instances":[
    {"name":"upstream","neighbor":"192.0.2.1","source":"192.0.2.10","multihop":false,"passive":false,"state":"Up",
     "diagnostic":"No Diagnostic","remote_state":"Up","remote_diagnostic":"No Diagnostic","discriminator":255,
     "remote_discriminator":7,"transmit_interval_s":0.01,"detection_time_s":0.03,"polling":false,"in_state_s":90061.5,
     "ttl":255,"ttl_min":255,"local":{"min_tx_s":0.01,"min_rx_s":0.0005,"multiplier":3},
     "remote":{"min_tx_s":0.01,"min_rx_s":0.01,"multiplier":3},"counters":{"sent":5,"expired":0},
     "errors":{"ttl":2,"version":0}},
    {"name":"b","neighbor":"fd98::2","state":"Down","diagnostic":"Control Detection Time Expired","remote_state":"Down",
     "transmit_interval_s":1,"detection_time_s":0,"in_state_s":7}],"errors":{"too_short":0}})";

TEST(BfdTable, ShowsWhoIsReachedAndWhyTheOthersArent) {
  EXPECT_EQ(bfd_table(bfd_answer, false).value(),
            "SESSION  NEIGHBOR  STATE REMOTE INTERVAL DETECTION SINCE       WHY\n"
            "upstream 192.0.2.1 Up    Up     10 ms    30 ms     1d 01:01:01\n"
            "b        fd98::2   Down  Down   1000 ms  0 ms      00:00:07    Control Detection Time Expired\n");
}

TEST(BfdTable, AllShowsBothSidesAndTheCounters) {
  const std::string one(
      std::string_view(bfd_answer).substr(0, std::string_view(bfd_answer).find(",\n    {\"name\":\"b\"")));
  const auto table = bfd_table(one + R"(],"errors":{"too_short":4}})", true);
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(table->substr(table->find("  single")),
            "  single hop from 192.0.2.10, TTL 255, accepted from 255 on\n"
            "  discriminators 0x000000ff, the neighbor's 0x00000007\n"
            "  local: min_tx 10 ms, min_rx 0.5 ms, multiplier 3; remote: min_tx 10 ms, min_rx 10 ms, multiplier 3\n"
            "  remote diagnostic: No Diagnostic\n"
            "  counters: sent=5 expired=0\n"
            "  dropped: ttl=2\n"
            "packets that are nobody's: too_short=4\n");
}

TEST(Indented, KeepsTheDaemonsOrder) {
  EXPECT_EQ(indented(R"({"b":1,"a":[2]})").value(), "{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}\n");
}

TEST(ServicesTable, ShowsMarksAsIpvsadmDoes) {
  const auto table = services_table(R"({"backend":"engine","services":[
      {"protocol":"FWM","address":"0.0.0.0","port":0,"fwmark":5,"scheduler":"wlc"},
      {"protocol":"FWM","address":"::","port":0,"fwmark":6,"scheduler":"rr"},
      {"protocol":"UDP","address":"10.0.0.1","port":53,"scheduler":"rr"}]})");
  ASSERT_TRUE(table) << table.error().text();
  const auto lines = table->substr(table->find("Health\n") + 7);
  EXPECT_EQ(lines, "UDP  10.0.0.1:53 rr\nFWM  5 wlc\nFWM  6 IPv6 rr\n");
}

TEST(Changes, AreLines) {
  const auto report = changes(R"({"ok":false,"complaints":["a:1:2: error: no","b"],"changes":["+ x","- y"]})");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  EXPECT_EQ(report->complaints, "a:1:2: error: no\nb\n");
  EXPECT_EQ(report->changes, "+ x\n- y\n");
  EXPECT_EQ(changes(R"({"ok":true,"complaints":[],"changes":[]})")->changes, "no changes\n");
  EXPECT_FALSE(changes("{}"));
}

}  // namespace
}  // namespace sluice::control::api
