// Checkers as an operator writes them, to what is probed.
#include "control/pools/checkers_from_config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/config/parse.h"

namespace sluice::control {
namespace {

/// The real server's checkers, and what was complained of, of a virtual server with the virtualhost vs.example.org.
struct Made {
  std::vector<CheckerSetup> checkers;
  std::vector<std::string> complaints;

  template <typename Spec>
  [[nodiscard]] const Spec& as(std::size_t i = 0) const {
    return std::get<Spec>(checkers.at(i).spec->what);
  }
};

Made made_of(const std::string& checkers, const std::string& before = {}) {
  const std::string text = before +
                           "\nvirtual_server 10.0.0.1 80 {\n delay_loop 7\n lb_algo rr\n lb_kind NAT\n protocol TCP\n"
                           " virtualhost vs.example.org\n real_server 10.0.2.11 80 {\n virtualhost rs.example.org\n" +
                           checkers + "\n}\n}\n";
  const auto outcome = config::parse_text(text, "test", {});
  Made made;
  for (const config::Complaint& complaint : outcome.complaints) {
    if (complaint.severity == config::Severity::error) ADD_FAILURE() << complaint.text();
  }
  std::vector<Error> complaints;
  ScriptResolver scripts(outcome.config.global, complaints);
  CheckerMaker maker(outcome.config, scripts, complaints);
  const config::VirtualServer& server = outcome.config.virtual_servers.at(0);
  for (const config::Checker& checker : server.real_servers.at(0).checkers) {
    if (auto setup = maker.make(checker, server)) made.checkers.push_back(std::move(*setup));
  }
  for (const Error& complaint : complaints) made.complaints.push_back(complaint.text());
  return made;
}

using Strings = std::vector<std::string>;

TEST(CheckersFromConfig, ARegexComesWithItsOptions) {
  const Made made = made_of(R"x(HTTP_GET {
    url {
      path /
      regex "ok (\d+)"
      regex_options caseless dotall
      regex_min_offset 3
      regex_max_offset 9
      regex_no_match
    }
    url {
      path /b
    }
  })x");
  const auto& http = made.as<health::HttpGetSpec>();
  ASSERT_EQ(http.urls.size(), 2u);
  ASSERT_TRUE(http.urls[0].regex);
  const auto options = *health::regex_option("caseless") | *health::regex_option("dotall");
  EXPECT_EQ(*http.urls[0].regex, (health::RegexSpec{"ok (\\d+)", options, 3, 9, true}));
  EXPECT_FALSE(http.urls[1].regex);
  EXPECT_FALSE(http.tls);
  EXPECT_EQ(made.complaints, Strings{});
}

TEST(CheckersFromConfig, APatternThatIsNoneIsLeftOutAndSaid) {
  const Made made = made_of("HTTP_GET {\n url {\n path /\n regex \"a(\"\n }\n}");
  EXPECT_FALSE(made.as<health::HttpGetSpec>().urls[0].regex);
  EXPECT_EQ(made.complaints, (Strings{"test:11:2: the body isn't searched: regex: missing closing parenthesis at "
                                      "offset 2"}));
}

TEST(CheckersFromConfig, ServerNamesComeFromUrlCheckerAndVirtualServerButNotTheRealServer) {
  const auto names = [](const std::string& checker, const std::string& url) {
    const Made made = made_of("SSL_GET {\n" + checker + "\nurl {\n path /\n" + url + "\n}\n}");
    const health::UrlSpec& one = made.as<health::HttpGetSpec>().urls.at(0);
    return std::pair(one.virtual_host, one.server_name);
  };
  using Names = std::pair<std::string, std::string>;
  EXPECT_EQ(names("", ""), (Names{"rs.example.org", ""}));
  EXPECT_EQ(names("enable_sni", ""), (Names{"rs.example.org", "vs.example.org"}));
  EXPECT_EQ(names("enable_sni\nvirtualhost c.example.org", ""), (Names{"c.example.org", "c.example.org"}));
  EXPECT_EQ(names("enable_sni\nvirtualhost c.example.org", "virtualhost u.example.org"),
            (Names{"u.example.org", "u.example.org"}));
  EXPECT_EQ(names("sni_name s.example.org", "virtualhost u.example.org"), (Names{"u.example.org", "s.example.org"}));
}

TEST(CheckersFromConfig, SslGetTakesTheClientsFilesAndSaysOnceWhereTheyCannotBeRead) {
  const std::string get = "SSL_GET {\n url {\n path /\n }\n}\n";
  EXPECT_EQ(made_of(get).complaints, Strings{});
  EXPECT_EQ(*made_of(get).as<health::HttpGetSpec>().tls, health::TlsSpec{});

  const Made made = made_of(get + get, "SSL {\n certificate /nonexistent.pem\n key /k\n ca /ca\n password p\n}\n");
  EXPECT_EQ(*made.as<health::HttpGetSpec>(1).tls, (health::TlsSpec{"/ca", "/nonexistent.pem", "/k", "p"}));
  EXPECT_EQ(made.complaints, (Strings{"test:1:1: no SSL_GET is probed, and what it checks stays as it is: "
                                      "/nonexistent.pem: no such file or directory"}));
}

TEST(CheckersFromConfig, AClientsFileThatIsRenewedIsAnotherOne) {
  char name[] = "/tmp/ca-XXXXXX";
  const int fd = ::mkstemp(name);
  ASSERT_GE(fd, 0);
  const auto version = [&]() -> std::uint64_t {
    const Made made = made_of("SSL_GET {\n url {\n path /\n }\n}\n", fmt::format("SSL {{\n ca {}\n}}\n", name));
    return made.as<health::HttpGetSpec>().tls->version;
  };
  const std::uint64_t before = version();
  EXPECT_NE(before, 0u);
  EXPECT_EQ(version(), before);
  EXPECT_EQ(::write(fd, "new", 3), 3);
  EXPECT_NE(version(), before);
  ::close(fd);
  ::unlink(name);
}

TEST(CheckersFromConfig, TlsComplianceIsTheUrlsOrTheCheckers) {
  const Made made =
      made_of("SSL_GET {\n tls_compliant\n url {\n path /\n }\n url {\n path /b\n tls_compliant no\n }\n}");
  EXPECT_TRUE(made.as<health::HttpGetSpec>().urls[0].tls_compliant);
  EXPECT_FALSE(made.as<health::HttpGetSpec>().urls[1].tls_compliant);
}

TEST(CheckersFromConfig, MiscCheckIsAScriptWithItsUserAndItsTime) {
  const Made made = made_of(
      "MISC_CHECK {\n misc_path \"/bin/true a b\"\n misc_timeout 3\n misc_dynamic\n user root\n}\n"
      "MISC_CHECK {\n misc_path /bin/true\n user root\n}\n"
      "MISC_CHECK {\n misc_path /nonexistent/x\n}");
  ASSERT_EQ(made.checkers.size(), 2u);
  const auto& misc = made.as<health::MiscCheckSpec>();
  EXPECT_EQ(misc.script.argv, (Strings{"/bin/true", "a", "b"}));
  EXPECT_EQ(misc.script.user->uid, 0u);
  EXPECT_EQ(misc.script.time_max, std::chrono::seconds(3));
  EXPECT_TRUE(misc.dynamic);
  EXPECT_EQ(made.checkers[0].spec->timings.retry, 0u);
  EXPECT_EQ(made.as<health::MiscCheckSpec>(1).script.time_max, std::chrono::seconds(7)) << "the delay_loop";
  ASSERT_EQ(made.complaints.size(), 1u);
  EXPECT_TRUE(made.complaints[0].ends_with("script disabled: /nonexistent/x: No such file or directory"));
}

TEST(CheckersFromConfig, FileCheckTakesItsTrackFilesWeightUnlessItHasOne) {
  const std::string file = "track_file load {\n file /tmp/load\n weight 5 reverse\n}\n";
  EXPECT_EQ(made_of("FILE_CHECK {\n track_file load\n}", file).as<health::FileCheckSpec>(),
            (health::FileCheckSpec{"load", 5, true}));
  EXPECT_EQ(made_of("FILE_CHECK {\n track_file load\n weight -2\n}", file).as<health::FileCheckSpec>(),
            (health::FileCheckSpec{"load", -2, false}));
}

TEST(CheckersFromConfig, BfdCheckNeedsASessionForCheckers) {
  const std::string instances =
      "bfd_instance b1 {\n neighbor_ip 10.0.2.1\n}\nbfd_instance b2 {\n neighbor_ip 10.0.2.2\n vrrp\n}\n";
  const Made made = made_of("BFD_CHECK {\n name b1\n alpha\n}\nBFD_CHECK {\n name b2\n}", instances);
  ASSERT_EQ(made.checkers.size(), 1u);
  EXPECT_EQ(made.as<health::BfdCheckSpec>(), health::BfdCheckSpec{"b1"});
  EXPECT_FALSE(made.checkers[0].spec->starts_up);
  ASSERT_EQ(made.complaints.size(), 1u);
  EXPECT_TRUE(made.complaints[0].ends_with("BFD_CHECK ignored: there is no bfd_instance b2 for checkers"));
}

TEST(CheckersFromConfig, EachHostOfSmtpCheckIsACheckerOfItsOwn) {
  const Made made = made_of(
      "SMTP_CHECK {\n helo_name lb.example.org\n retry 3\n host {\n connect_ip 10.0.2.20\n connect_port 25\n }\n"
      " host {\n connect_ip 10.0.2.21\n bindto 10.0.2.1\n }\n}");
  ASSERT_EQ(made.checkers.size(), 2u);
  EXPECT_EQ(made.as<health::SmtpCheckSpec>(0).helo_name, "lb.example.org");
  EXPECT_EQ(made.as<health::SmtpCheckSpec>(0).connect.port.host(), 25);
  EXPECT_EQ(made.as<health::SmtpCheckSpec>(1).connect.address.text(), "10.0.2.21");
  EXPECT_EQ(made.as<health::SmtpCheckSpec>(1).connect.port.host(), 80);
  EXPECT_TRUE(made.as<health::SmtpCheckSpec>(1).connect.bind_address);
  EXPECT_EQ(made.checkers[1].spec->timings.retry, 3u);
}

}  // namespace
}  // namespace sluice::control
