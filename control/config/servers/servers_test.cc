// Groups, fwmark services, traps, and what a large configuration costs. Values of single keywords are tested by
// testdata/keywords/servers.txt.
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "control/config/print.h"
#include "control/config/test_text.h"

namespace sluice::control::config {
namespace {

using testing::all_complaints;
using testing::complains;
using testing::count;
using testing::only_checker;
using testing::only_rs;
using testing::only_vs;
using testing::parse;
using testing::virtual_server;

std::string in_group(const std::string& entries, const std::string& lines, const std::string& real = "10.0.1.1 {\n}") {
  return "virtual_server group G {\nlb_algo rr\n" + lines + "\nreal_server " + real +
         "\n}\nvirtual_server_group G {\n" + entries + "\n}\n";
}

std::vector<std::string> members_of(const std::string& entries) {
  std::vector<std::string> all;
  const ParseOutcome outcome = parse("virtual_server_group G {\n" + entries + "\n}\n");
  if (outcome.config.virtual_server_groups.empty()) return {"no group"};
  const auto members = expand(outcome.config.virtual_server_groups.front());
  if (!members) return {members.error().text()};
  for (const GroupMember& member : *members) {
    all.push_back(member.fwmark != 0 ? "fwmark " + std::to_string(member.fwmark)
                                     : net::endpoint_text(member.address, member.port));
  }
  return all;
}

TEST(VirtualServerGroup, ExpandsInTheOrderOfTheFileEachServiceOnce) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(members_of("192.0.2.254-255 80\nfwmark 7 inet\n192.0.2.255-192.0.3.0 80\nfd00::ffff-fd00::1:1 9"),
            (Strings{"192.0.2.254:80", "192.0.2.255:80", "fwmark 7", "192.0.3.0:80", "[fd00::ffff]:9", "[fd00::1:0]:9",
                     "[fd00::1:1]:9"}));
  EXPECT_EQ(members_of("192.0.2.8/30"), (Strings{"192.0.2.8:0", "192.0.2.9:0", "192.0.2.10:0", "192.0.2.11:0"}));
  EXPECT_EQ(members_of("10.0.0.0/16").size(), group_members_max);
  EXPECT_EQ(members_of("fd00::/112").size(), group_members_max);
}

TEST(VirtualServerGroup, StandsForSoManyAddressesAndNoMore) {
  for (const char* entry : {"10.0.0.0/15", "fd00::/64", "10.0.0.0-10.1.0.0", "fd00::1-fe00::1", "::1-ff00::"}) {
    const auto outcome = parse("virtual_server_group G {\n192.0.2.1\n" + std::string(entry) + "\n}\n");
    EXPECT_TRUE(complains(outcome, "3:1: error: '" + std::string(entry) + "' ignored: the group would stand for more"));
    EXPECT_EQ(outcome.config.virtual_server_groups.at(0).entries.size(), 1u);
  }
  const auto sum = parse("virtual_server_group G {\n10.0.0.0/16\n192.0.2.1\n}\n");
  EXPECT_EQ(sum.config.virtual_server_groups.at(0).entries.size(), 1u);
}

TEST(VirtualServerGroup, MayStandBehindItsUse) {
  const auto outcome = parse(in_group("192.0.2.1 80", "lb_kind NAT\nprotocol TCP"));
  EXPECT_EQ(only_vs(outcome).group, "G");
  EXPECT_EQ(only_rs(outcome).port.host(), 80) << "the only port that the group has";
  EXPECT_EQ(outcome.complaints.size(), 0u) << all_complaints(outcome);
}

TEST(VirtualServerGroup, DirectRoutingLeavesThePortsToTheGroup) {
  const auto same = parse(in_group("192.0.2.1 80", "lb_kind DR\nprotocol TCP", "10.0.1.1 80 {\n}"));
  EXPECT_EQ(test_exit_status(same), 0) << all_complaints(same);
  const auto several = parse(in_group("192.0.2.1 80\n192.0.2.1 443", "lb_kind DR\nprotocol TCP", "10.0.1.1 80 {\n}"));
  EXPECT_TRUE(only_rs(several).port.is_zero());
  EXPECT_EQ(test_exit_status(several), 5);
}

TEST(VirtualServerGroup, WithoutAPortNeedsPersistence) {
  const auto outcome = parse(in_group("192.0.2.1", "lb_kind NAT\nprotocol TCP"));
  EXPECT_EQ(only_vs(outcome).persistence_timeout.count(), 360);
  EXPECT_EQ(test_exit_status(outcome), 5);
}

TEST(VirtualServerGroup, OfFwmarksHasNoProtocol) {
  const auto outcome = parse(in_group("fwmark 3\nfwmark 4 inet6", "lb_kind NAT"));
  EXPECT_FALSE(only_vs(outcome).has_protocol);
  EXPECT_EQ(test_exit_status(outcome), 0) << all_complaints(outcome);
  EXPECT_EQ(test_exit_status(parse(in_group("fwmark 3", "lb_kind NAT\nprotocol TCP"))), 5);
  EXPECT_TRUE(only_vs(parse(in_group("fwmark 3\n192.0.2.1 80", "lb_kind NAT\nprotocol TCP"))).has_protocol);
}

TEST(VirtualServerGroup, OfBothFamiliesNeedsToKnowThatOfItsFwmarks) {
  EXPECT_EQ(test_exit_status(parse("virtual_server_group G {\n192.0.2.1\nfd00::1\nfwmark 3\n}\n")), 5);
  EXPECT_EQ(test_exit_status(parse("virtual_server_group G {\n192.0.2.1\nfd00::1\nfwmark 3 inet\n}\n")), 0);
}

TEST(VirtualServerGroup, OfATakenNameIsIgnored) {
  const auto outcome = parse("virtual_server_group G {\n192.0.2.1\n}\nvirtual_server_group G {\n192.0.2.2\n}\n");
  EXPECT_EQ(outcome.config.virtual_server_groups.size(), 1u);
  EXPECT_TRUE(complains(outcome, "4:1: warning: virtual_server_group 'G' ignored, its name is taken at test.conf:1:1"));
  EXPECT_EQ(test_exit_status(outcome), 0) << "keepalived says nothing";
}

// --- fwmark -------------------------------------------------------------------------------------------------------

std::string marked(const std::string& method, const std::string& real_servers) {
  return "virtual_server fwmark 5 {\nlb_algo rr\nlb_kind " + method + "\n" + real_servers + "}\n";
}

TEST(FwmarkService, KeepsThePortOfARealServerOnlyIfItCanTranslate) {
  const std::string real = "real_server 10.0.1.1 8080 {\nTCP_CHECK {\n}\n}\n";
  EXPECT_EQ(only_rs(parse(marked("NAT", real))).port.host(), 8080);
  EXPECT_EQ(test_exit_status(parse(marked("NAT", real))), 0);
  const auto direct = parse(marked("DR", real));
  EXPECT_TRUE(only_rs(direct).port.is_zero());
  EXPECT_EQ(test_exit_status(direct), 5);
  EXPECT_EQ(only_checker<TcpCheck>(direct).connect_port.value.host(), 8080) << "the check still has somewhere to go";
}

TEST(FwmarkService, AChecksLackOfAPortIsSaid) {
  const auto outcome = parse(marked("DR", "real_server 10.0.1.1 {\nTCP_CHECK {\n}\nPING_CHECK {\n}\n}\n"));
  EXPECT_TRUE(complains(outcome, "5:1: warning: the check of 10.0.1.1 has no port to connect to"));
  EXPECT_EQ(count(outcome, Severity::warning), 1u) << all_complaints(outcome);
}

TEST(FwmarkService, IsOfTheFamilyOfItsFirstRealServer) {
  const std::string both = "real_server 10.0.1.1 {\n}\nreal_server fd00::1 {\n}\n";
  EXPECT_EQ(only_vs(parse(marked("NAT", both))).real_servers.size(), 1u);
  EXPECT_EQ(only_vs(parse(marked("TUN", both))).real_servers.size(), 2u);
  EXPECT_EQ(only_vs(parse(marked("TUN\nip_family inet6", both))).ip_family, Family::v6);
}

TEST(FwmarkService, CannotBeSuspendedWithAnAddress) {
  const auto outcome = parse(marked("NAT\nha_suspend", "real_server 10.0.1.1 {\n}\n"));
  EXPECT_FALSE(only_vs(outcome).ha_suspend);
  EXPECT_EQ(test_exit_status(outcome), 5);
}

// --- traps --------------------------------------------------------------------------------------------------------

TEST(Traps, AQuorumThatNothingActsOnIsSaid) {
  EXPECT_TRUE(complains(parse(virtual_server("quorum 2", "weight 3")), "quorum 2 of 10.0.0.1:80 changes nothing"));
  EXPECT_FALSE(complains(parse(virtual_server("quorum 2\nsorry_server 10.0.0.9", "weight 3")), "changes nothing"));
  EXPECT_FALSE(complains(parse(virtual_server("quorum_down /no/such/x\nquorum 2", "weight 3")), "changes nothing"));
}

TEST(Traps, ThresholdsThatLvsRefuses) {
  const auto outcome = parse(virtual_server("", "uthreshold 5\nlthreshold 6"));
  EXPECT_TRUE(complains(outcome, "lthreshold 6 of real server 10.0.1.1 ignored"));
  EXPECT_EQ(only_rs(outcome).lower_threshold, 0u);
}

TEST(Traps, ANumberIsNoNetmask) {
  EXPECT_TRUE(complains(parse(virtual_server("persistence_granularity 24")),
                        "5:25: error: persistence_granularity '24' ignored, expected a netmask such as 255.255.255.0"));
}

TEST(Checkers, ALinkLocalAddressNeedsAnInterface) {
  const auto check = [](const std::string& lines) {
    return parse(virtual_server("", "TCP_CHECK {\nconnect_ip fe80::1\n" + lines + "\n}"));
  };
  EXPECT_TRUE(only_rs(check("")).checkers.empty());
  EXPECT_EQ(test_exit_status(check("")), 5);
  EXPECT_EQ(only_rs(check("bind_if eth0")).checkers.size(), 1u);
}

TEST(SmtpCheck, EachHostIsACheckerOfItsOwn) {
  const auto outcome = parse(virtual_server(
      "",
      "SMTP_CHECK {\nretry 4\nhelo_name me\nhost {\nconnect_ip 10.0.9.1\n}\nhost {\nconnect_port 26\nretry 5\n}\n}"));
  const RealServer rs = only_rs(outcome);
  ASSERT_EQ(rs.checkers.size(), 2u);
  const auto& first = std::get<SmtpCheck>(rs.checkers[0]);
  const auto& second = std::get<SmtpCheck>(rs.checkers[1]);
  EXPECT_EQ(first.connect_ip.value.text(), "10.0.9.1");
  EXPECT_EQ(first.connect_port.value.host(), 8080);
  EXPECT_EQ(first.retry.value, 4u);
  EXPECT_EQ(second.connect_port.value.host(), 26);
  EXPECT_EQ(second.retry.value, 5u);
  EXPECT_EQ(second.helo_name.str(), "me");
}

TEST(Checkers, DefaultsDifferByKind) {
  const auto outcome = parse(
      virtual_server("delay_loop 7",
                     "DNS_CHECK {\n}\nMISC_CHECK {\nmisc_path /no/such/x\n}\nUDP_CHECK {\n}\nSSL_GET {\nurl {\npath "
                     "/\n}\n}"));
  std::string text;
  for (const Checker& checker : only_rs(outcome).checkers) {
    const CheckerCommon& common = common_of(checker);
    text += std::string(keyword_of(checker)) + " " + std::to_string(common.retry.value) + " " +
            std::to_string(common.delay_before_retry.value.count() / 1'000'000) + "; ";
  }
  EXPECT_EQ(text, "DNS_CHECK 3 7; MISC_CHECK 0 1; UDP_CHECK 1 1; SSL_GET 1 3; ");
}

TEST(Url, AQuoteInAPatternIsWrittenAsItsCode) {
  const auto outcome = parse(virtual_server("", R"(HTTP_GET {
url {
path /
regex "say \"hi\" \d+"
}
})"));
  const auto get = only_checker<HttpGet>(outcome);
  ASSERT_TRUE(get.urls.at(0).regex) << all_complaints(outcome);
  EXPECT_EQ(get.urls.at(0).regex->pattern, R"(say \x22hi\x22 \d+)") << all_complaints(outcome);
}

TEST(Json, NumbersAreNumbersAndGroupsHaveNames) {
  const std::string json =
      to_json(parse(in_group("192.0.2.1-9 80\nfwmark 3 inet", "lb_kind NAT\nprotocol TCP")).config);
  for (const char* part : {"\"name\": \"G\"", "\"port\": 80", "\"fwmark\": 3", "\"group\": \"G\"", "\"delay_loop\": 60",
                           "\"address\": \"10.0.1.1\"", "\"address\": \"192.0.2.1-9\""}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << "\n" << json;
  }
}

// --- everything at once -------------------------------------------------------------------------------------------

/// Lines that are accepted, by block, from testdata/keywords/servers.txt.
std::map<std::string, std::vector<std::string>> accepted_lines() {
  std::map<std::string, std::vector<std::string>> all;
  std::ifstream in(std::filesystem::path(TESTDATA) / "keywords" / "servers.txt");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(" | ");
    const auto last = line.rfind(" | ");
    if (first == last || !line.substr(last + 3).starts_with("ok")) continue;
    const std::string text = line.substr(first + 3, last - first - 3);
    if (!text.starts_with("real_server")) all[line.substr(0, first)].push_back(text);
  }
  return all;
}

class RandomServers {
 public:
  explicit RandomServers(unsigned seed) : random_(seed), lines_(accepted_lines()) {}

  std::string text() {
    out_ = "virtual_server_group G {\n" + some("virtual_server_group", 4) + "192.0.2.200 80\n}\n";
    static const char* const names[] = {"192.0.2.1 80", "192.0.2.2", "fwmark 5", "group G", "fd00::1 53"};
    for (const char* name : names) add_virtual_server(name);
    return out_;
  }

 private:
  std::string some(const std::string& block, unsigned most) {
    const std::vector<std::string>& lines = lines_[block];
    std::string text;
    for (std::size_t i = random_() % (most + 1); i > 0; --i) text += lines[random_() % lines.size()] + "\n";
    return text;
  }

  void add_virtual_server(const std::string& name) {
    out_ += "virtual_server " + name + " {\n" + some("virtual_server", 12);
    for (std::size_t i = 1 + random_() % 4; i > 0; --i) {
      const bool v6 = random_() % 3 == 0;
      out_ += std::string("real_server ") + (v6 ? "fd00::" : "10.0.0.") + std::to_string(random_() % 6) +
              (random_() % 2 == 0 ? " 80" : "") + " {\n" + some("virtual_server/real_server", 8);
      for (std::size_t k = random_() % 3; k > 0; --k) add_checker();
      out_ += "}\n";
    }
    out_ += "}\n";
  }

  void add_checker() {
    static const char* const kinds[] = {"TCP_CHECK", "HTTP_GET",   "SSL_GET",    "SMTP_CHECK", "DNS_CHECK",
                                        "UDP_CHECK", "PING_CHECK", "MISC_CHECK", "FILE_CHECK", "BFD_CHECK"};
    const std::string kind = kinds[random_() % std::size(kinds)];
    const std::string path = "virtual_server/real_server/" + kind;
    out_ += kind + " {\n" + some(path, 6);
    if (kind == "MISC_CHECK") out_ += "misc_path /no/such/x\n";
    if (kind.ends_with("_GET")) out_ += "url {\npath /\n" + some(path + "/url", 5) + "}\n";
    if (kind == "SMTP_CHECK") out_ += "host {\n" + some(path + "/host", 3) + "}\n";
    out_ += "}\n";
  }

  std::mt19937 random_;
  std::map<std::string, std::vector<std::string>> lines_;
  std::string out_;
};

TEST(Servers, WhateverTheySayIsPrintedAndReadBackWithoutAComplaint) {
  const unsigned seed = std::random_device{}();
  RandomServers servers(seed);
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
    const std::string text = servers.text();
    const ParseOutcome first = parse(text);
    const std::string printed = to_text(first.config);
    const ParseOutcome second = parse(printed);
    EXPECT_TRUE(second.config == first.config) << text << "\n---\n" << printed << "\n---\n" << to_text(second.config);
    bool drained = false;  // a quorum of 1 can't be had then, and is corrected each time
    for (const VirtualServer& vs : first.config.virtual_servers) drained |= vs.quorum == 0;
    if (!drained) {
      EXPECT_EQ(test_exit_status(second), 0) << printed << all_complaints(second);
    }
    EXPECT_FALSE(to_json(first.config).empty());
  }
}

TEST(Servers, ARealServerWithACheckCostsLessThan600Bytes) {
  constexpr unsigned services = 1000;
  constexpr unsigned servers = 10;
  std::string text;
  for (unsigned i = 0; i < services; ++i) {
    text += "virtual_server 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) +
            ".1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nvirtualhost www.a-rather-long-name.example.org\n";
    for (unsigned k = 0; k < servers; ++k) {
      text += "real_server 192.0.2." + std::to_string(k) + " 80 {\nweight 1\nTCP_CHECK {\nconnect_timeout 3\n}\n}\n";
    }
    text += "}\n";
  }
  Config config = parse(text).config;
  const std::size_t with = mallinfo2().uordblks;
  ASSERT_EQ(config.virtual_servers.size(), services);
  config = {};
  const std::size_t without = mallinfo2().uordblks;
  if (with == without) GTEST_SKIP() << "this allocator doesn't say";
  const std::size_t each = (with - without) / (services * servers);
  RecordProperty("bytes_per_real_server", int(each));
  EXPECT_LT(each, 600u) << "sizeof RealServer " << sizeof(RealServer) << ", Checker " << sizeof(Checker);
}

}  // namespace
}  // namespace sluice::control::config
