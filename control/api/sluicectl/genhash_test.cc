#include "control/api/sluicectl/genhash.h"

#include <gtest/gtest.h>

namespace sluice::control::api {
namespace {

using Words = std::vector<std::string>;

std::string complaint(const Words& words) {
  const auto options = parse_genhash(words);
  return options ? "none" : options.error().text();
}

TEST(Genhash, TakesShortAndLongOptions) {
  const Words brief{"-S",          "-I", "-s",  "10.0.0.1", "-p", "443", "-u", "/x", "-V",
                    "www.example", "-P", "1.1", "-t",       "3",  "-m",  "7",  "-v"};
  const Words full{
      "--use-ssl",      "--use-sni",   "--server=10.0.0.1", "--port=443", "--url=/x", "--use-virtualhost=www.example",
      "--protocol=1.1", "--timeout=3", "--fwmark=7",        "--verbose"};
  for (const Words& words : {brief, full}) {
    const auto options = parse_genhash(words);
    ASSERT_TRUE(options) << options.error().text();
    const health::HttpGetSpec& get = options->get;
    EXPECT_EQ(get.connect.address, *net::IpAddr::parse("10.0.0.1"));
    EXPECT_EQ(get.connect.port.host(), 443);
    EXPECT_EQ(get.connect.timeout, std::chrono::seconds(3));
    EXPECT_EQ(get.connect.mark, 7u);
    EXPECT_TRUE(options->tls);
    EXPECT_TRUE(options->server_name);
    EXPECT_EQ(get.version, health::HttpVersion::http_1_1);
    ASSERT_EQ(get.urls.size(), 1u);
    EXPECT_EQ(get.urls[0].path, "/x");
    EXPECT_EQ(get.urls[0].virtual_host, "www.example");
    EXPECT_TRUE(options->verbose);
  }
}

TEST(Genhash, HasKeepalivedsDefaults) {
  const auto options = parse_genhash({"-s", "::1", "-p", "80", "-u", "/"});
  ASSERT_TRUE(options);
  EXPECT_FALSE(options->tls);
  EXPECT_EQ(options->get.version, health::HttpVersion::http_1_0);
  EXPECT_FALSE(options->server_name);
  EXPECT_FALSE(options->verbose);
  EXPECT_FALSE(parse_genhash({"-s", "::1", "-p", "80", "-u", "/", "-V", "x"})->server_name) << "only with -I";
  EXPECT_EQ(parse_genhash({"-s", "::1", "-p", "80", "-u", "/", "-P", "1.0C"})->get.version,
            health::HttpVersion::http_1_0_close);
}

TEST(Genhash, RefusesWhatKeepalivedsRefusesInItsWords) {
  EXPECT_EQ(complaint({"-s", "localhost", "-p", "80", "-u", "/"}), "server should be an IP, not localhost");
  for (const char* port : {"http", "70000", "0", "", "80x", "-1"}) {
    EXPECT_EQ(complaint({"-s", "::1", "-p", port, "-u", "/"}), std::string("invalid port number '") + port + "'");
  }
  EXPECT_EQ(complaint({"-P", "2"}), "invalid HTTP protocol version '2'");
  EXPECT_EQ(complaint({"-t", "x"}), "invalid timeout 'x'");
  EXPECT_EQ(complaint({"-s", "::1", "-p", "80", "-u", "/", "extra"}), "Unexpected argument(s): extra");
  for (const Words& words : {Words{}, {"-s", "::1", "-p", "80"}, {"-s", "::1", "-u", "/"}, {"-p", "80", "-u", "/"}}) {
    EXPECT_EQ(complaint(words), "server, port and url are needed") << testing::PrintToString(words);
  }
  EXPECT_NE(complaint({"--nosuch"}), "none");
  EXPECT_NE(complaint({"-s"}), "none");
  EXPECT_EQ(complaint({"-h"}), "");
}

TEST(Genhash, DumpsBytesAsKeepalivedsDoes) {
  EXPECT_EQ(hex_dump(""), "");
  EXPECT_EQ(hex_dump("hello\n"), "0000  68 65 6c 6c 6f 0a       -                           hello.          \n");
  EXPECT_EQ(hex_dump(std::string("GET / HTTP/1.0\r\n\xff\x7f~ \t", 21)),
            "0000  47 45 54 20 2f 20 48 54 - 54 50 2f 31 2e 30 0d 0a   GET / HTTP/1.0..\n"
            "0016  ff 7f 7e 20 09          -                           ..~ .           \n");
}

}  // namespace
}  // namespace sluice::control::api
