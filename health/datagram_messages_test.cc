// DNS and ICMP messages, byte by byte.
#include <gtest/gtest.h>

#include "health/dns_message.h"
#include "health/icmp_echo.h"
#include "net/checksum.h"

namespace sluice::health {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(DnsMessage, AsksForTheRootAndForNames) {
  EXPECT_EQ(dns_question(0x1234, DnsType::soa, "."),
            (Bytes{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, /**/ 0, /**/ 0, 6, 0, 1}));
  const Bytes example{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 3, 'b', 'c', 'd', 0, 0, 28, 0, 1};
  EXPECT_EQ(dns_question(0x1234, DnsType::aaaa, "a.bcd"), example);
  EXPECT_EQ(dns_question(0x1234, DnsType::aaaa, "a.bcd."), example);
}

TEST(DnsMessage, RefusesWhatIsNoName) {
  const std::string longest_label(63, 'a');
  const std::string four = longest_label + "." + longest_label + "." + longest_label + ".";
  EXPECT_TRUE(dns_question(1, DnsType::a, longest_label));
  EXPECT_FALSE(dns_question(1, DnsType::a, longest_label + "a"));
  EXPECT_TRUE(dns_question(1, DnsType::a, four + std::string(61, 'a')));
  EXPECT_FALSE(dns_question(1, DnsType::a, four + std::string(62, 'a')));
  for (const auto* name : {"..", "a..b", ".a"}) EXPECT_FALSE(dns_question(1, DnsType::a, name)) << name;
}

TEST(DnsMessage, KnowsTheTypesOfTheConfiguration) {
  EXPECT_EQ(parse_dns_type("soa"), DnsType::soa);
  EXPECT_EQ(parse_dns_type("Aaaa"), DnsType::aaaa);
  EXPECT_EQ(parse_dns_type("A"), DnsType::a);
  EXPECT_EQ(parse_dns_type("SRV"), std::nullopt);
  EXPECT_EQ(parse_dns_type(""), std::nullopt);
}

TEST(DnsMessage, TakesOnlyAnswersWithItsId) {
  const auto read = [](Bytes bytes) { return read_dns_answer(bytes, 0x1234); };
  const Bytes good{0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_TRUE(read(good).is_answer);
  EXPECT_EQ(read(good).rcode, 0);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(read(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))).is_answer) << size;
  }
  Bytes other_id = good;
  other_id[1] = 0x35;
  EXPECT_FALSE(read(other_id).is_answer);
  Bytes question = good;
  question[2] = 0x01;
  EXPECT_FALSE(read(question).is_answer);
  Bytes refused = good;
  refused[3] = 0x85;
  EXPECT_EQ(read(refused).rcode, 5);
  EXPECT_EQ(rcode_words(5), "REFUSED");
  EXPECT_EQ(rcode_words(11), "rcode 11");
}

TEST(IcmpEcho, RequestCarriesWhatTheReplyMustRepeat) {
  const Bytes v4 = echo_request({false, 0xabcd, 7});
  EXPECT_EQ(v4[0], 8);
  EXPECT_EQ(net::checksum_sum(v4.data(), v4.size()), 0xffff);
  Bytes reply = v4;
  reply[0] = 0;
  EXPECT_TRUE(is_echo_reply(reply, {false, 0xabcd, 7}, false));
  EXPECT_FALSE(is_echo_reply(reply, {false, 0xabcd, 8}, false));
  EXPECT_FALSE(is_echo_reply(v4, {false, 0xabcd, 7}, false));
  // The kernel replaced the identifier.
  EXPECT_TRUE(is_echo_reply(reply, {false, 1, 7}, false));

  Bytes v6 = echo_request({true, 0xabcd, 7});
  EXPECT_EQ(v6[0], 128);
  v6[0] = 129;
  EXPECT_TRUE(is_echo_reply(v6, {true, 0xabcd, 7}, true));
  EXPECT_FALSE(is_echo_reply(v6, {true, 1, 7}, true));
}

TEST(IcmpEcho, RawMessagesBeginWithAnIpHeaderOfAnyLength) {
  const EchoId id{false, 0xabcd, 7};
  Bytes reply = echo_request(id);
  reply[0] = 0;
  for (const int words : {5, 6, 15}) {
    Bytes packet(static_cast<std::size_t>(words) * 4);
    packet[0] = static_cast<std::uint8_t>(0x40 | words);
    packet.insert(packet.end(), reply.begin(), reply.end());
    EXPECT_TRUE(is_echo_reply(packet, id, true)) << words;
    EXPECT_FALSE(is_echo_reply(packet, {false, 1, 7}, true)) << words;
    EXPECT_FALSE(is_echo_reply(Bytes(packet.begin(), packet.begin() + words * 4 + 7), id, true)) << words;
  }
  EXPECT_FALSE(is_echo_reply(Bytes(40, 0x41), id, true));  // an IP header of four bytes
}

}  // namespace
}  // namespace sluice::health
