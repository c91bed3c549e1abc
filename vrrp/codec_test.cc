// The codec against captures of keepalived 2.2.7 and FRR 8.4.4, byte for byte in both directions; each check by a
// packet that fails just that one; and build -> check over random advertisements.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

#include "net/checksum.h"
#include "net/headers.h"
#include "vrrp/codec.h"
#include "vrrp/codec_wire.h"

namespace sluice::vrrp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes hex(std::string_view text) {
  Bytes bytes;
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(std::uint8_t(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

net::IpAddr ip(std::string_view text) { return net::IpAddr::parse(text).value(); }

AuthKey key(std::string_view text) {
  AuthKey key{};
  std::copy_n(text.begin(), std::min(text.size(), key.size()), key.begin());
  return key;
}

using namespace std::chrono_literals;
constexpr std::chrono::system_clock::time_point now{1'750'000'000s};

// Time is nothing to an advertisement that isn't signed.
Result<> build(const WireConfig& config, WireState& state, const net::IpAddr& source, const net::IpAddr& destination,
               std::uint8_t priority, Bytes& packet) {
  return build(config, state, source, destination, priority, now, packet);
}
std::expected<Advert, ReceiveError> check(const Arrival& arrival, const WireConfig& config, WireState& state) {
  return check(arrival, config, state, now);
}

const net::IpAddr node_a = ip("10.98.0.1");
const net::IpAddr group4 = multicast_group_v4;

WireConfig v2_password() {
  WireConfig config{.vrid = 51, .authentication = {AuthType::password, key("s3cret12")}};
  config.addresses = {ip("10.98.0.100")};
  return config;
}
WireConfig v2_ah() {
  WireConfig config{.vrid = 51, .authentication = {AuthType::ah, key("s3cret12")}};
  config.addresses = {ip("10.98.0.100"), ip("10.98.0.101")};
  return config;
}
WireConfig v3() {
  WireConfig config{.version = Version::v3, .vrid = 51, .advertisement_interval = Centiseconds(10)};
  config.addresses = {ip("10.98.0.100")};
  return config;
}
WireConfig v3_unicast() {
  WireConfig config = v3();
  config.unicast = true;
  config.peers = {{ip("10.98.0.2")}, {node_a}};
  return config;
}
WireConfig v3_ipv6() {
  WireConfig config{.version = Version::v3, .is_v6 = true, .vrid = 51, .advertisement_interval = Centiseconds(10)};
  config.addresses = {ip("fe80::100"), ip("fd98::100")};
  return config;
}

struct Capture {
  const char* name;
  WireConfig config;
  const char* frame;  // without Ethernet's header; IPv6: without IPv6's
  std::uint8_t priority;
  std::uint16_t ip_id;
  net::IpAddr source = node_a;
  net::IpAddr destination = group4;
};

const char* v2_password_frame =
    "45c0 0028 0001 0000 ff 70 d02f 0a620001 e0000012 21 33 96 01 01 01 cfb7 0a620064 7333637265743132";
const char* v3_frame = "45c0 0020 0001 0000 ff 70 d037 0a620001 e0000012 31 33 96 01 000a 4309 0a620064";
const char* v3_unicast_frame = "45c000200001 0000 ff70 a5e6 0a620001 0a620002 31339601000a 18b8 0a620064";

std::vector<Capture> captures() {
  const net::IpAddr link_local = ip("fe80::ff:fe00:101"), group6 = multicast_group_v6;
  return {
      {"v2 PASS", v2_password(), v2_password_frame, 150, 1},
      {"v2 PASS, priority 0", v2_password(),
       "45c0002800060000ff70d02a0a620001e0000012 2133000101 01 65b8 0a620064 7333637265743132", 0, 6},
      {"v2 AH", v2_ah(),
       "45c0 0044 0001 0000 ff 33 d050 0a620001 e0000012 70 04 0000 0a620001 00000001 1999ca94f5dca1b260e03129"
       "21 33 96 02 02 01 313c 0a620064 0a620065 0000000000000000",
       150, 1},
      {"v2 AH, the fourth", v2_ah(),
       "45c0 0044 0004 0000 ff 33 d04d 0a620001 e0000012 70 04 0000 0a620001 00000004 f73ec1d65f3f09e4770f721a"
       "21 33 96 02 02 01 313c 0a620064 0a620065 0000000000000000",
       150, 4},
      {"v2 AH, priority 0", v2_ah(),
       "45c0 0044 0005 0000 ff 33 d04c 0a620001 e0000012 70 04 0000 0a620001 00000005 88ba496c4ffb381b5406f9ca"
       "21330002 0201 c73c 0a620064 0a620065 0000000000000000",
       0, 5},
      {"v3", v3(), v3_frame, 150, 1},
      {"v3, priority 0", v3(), "45c0 0020 0012 0000 ff 70 d026 0a620001 e0000012 31330001 000a d909 0a620064", 0, 0x12},
      {"v3 unicast", v3_unicast(), v3_unicast_frame, 150, 1, node_a, ip("10.98.0.2")},
      {"v3 IPv6", v3_ipv6(), "31 33 96 02 000a 3c77 fe800000000000000000000000000100 fd980000000000000000000000000100",
       150, 0, link_local, group6},
      {"v3 IPv6, priority 0", v3_ipv6(),
       "3133 00 02 000a d277 fe800000000000000000000000000100 fd980000000000000000000000000100", 0, 0, link_local,
       group6},
  };
}

std::expected<Arrival, ReceiveError> open(const Bytes& packet, const Capture& capture) {
  if (!capture.config.is_v6) return open_ipv4(packet);
  return open_ipv6(packet, capture.source.v6(), capture.destination.v6(), 255);
}

TEST(Codec, BuildsWhatKeepalivedSends) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    WireState state;
    state.ip_id = std::uint16_t(capture.ip_id - 1);
    state.ah_sequence.received(capture.ip_id - 1u);  // in the captures both count together
    Bytes packet;
    ASSERT_TRUE(build(capture.config, state, capture.source, capture.destination, capture.priority, packet));
    EXPECT_EQ(packet, hex(capture.frame));
  }
}

TEST(Codec, TakesWhatKeepalivedSends) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const Bytes packet = hex(capture.frame);
    const auto arrival = open(packet, capture);
    ASSERT_TRUE(arrival);
    EXPECT_EQ(arrival->vrid, 51);
    EXPECT_EQ(arrival->destination, capture.destination);
    WireState state;
    const auto advert = check(*arrival, capture.config, state);
    ASSERT_TRUE(advert) << to_string(advert.error());
    EXPECT_EQ(advert->source, capture.source);
    EXPECT_EQ(advert->priority, capture.priority);
    EXPECT_EQ(advert->max_advertisement_interval, capture.config.advertisement_interval);
    EXPECT_EQ(advert->addresses, AddressList::same);
    EXPECT_FALSE(advert->interval_differs);
  }
}

TEST(Codec, TakesWhatFrrSends) {
  WireConfig config = v3();
  config.advertisement_interval = Centiseconds(100);
  const Bytes packet = hex("45c0002062374000ff702e000a620002e000001231336401006474ae0a620064");
  WireState state;
  auto advert = check(*open_ipv4(packet), config, state);
  ASSERT_TRUE(advert) << to_string(advert.error());
  EXPECT_EQ(advert->priority, 100);

  config = v3_ipv6();
  config.addresses = {ip("fd98::100")};
  const Bytes six = hex("3133640100642882fd980000000000000000000000000100");
  const auto arrival = open_ipv6(six, ip("fe80::1401:8cbb:2bc3:78ae").v6(), multicast_group_v6, 255);
  advert = check(*arrival, config, state);
  ASSERT_TRUE(advert) << to_string(advert.error());
  EXPECT_EQ(advert->max_advertisement_interval, Centiseconds(100));
  EXPECT_TRUE(advert->interval_differs);
}

// --- one packet for each check -----------------------------------------------------------------------------------

// `packet` after `change`, with IPv4's and, unless told otherwise, VRRP's checksum put right.
template <typename Change>
std::expected<Advert, ReceiveError> after(const WireConfig& config, Bytes packet, Change change, bool repair = true,
                                          WireState state = {}) {
  change(packet);
  if (repair && packet.size() >= 28) {
    const auto header = net::load<net::Ipv4Header>(packet.data());
    const std::size_t at = header.header_length();
    const std::span<std::uint8_t> pdu(packet.data() + at, packet.size() - at);
    net::store(pdu.data() + 6, net::Be16(0));
    const auto sum = wire::sum(pdu, std::uint8_t(config.version), header.source, header.destination, false);
    net::store(pdu.data() + 6, net::Be16::from_raw(std::uint16_t(~sum)));
  }
  const auto arrival = open_ipv4(packet);
  if (!arrival) return std::unexpected(arrival.error());
  return check(*arrival, config, state);
}

#define EXPECT_REFUSED(result, reason)                                      \
  do {                                                                      \
    const auto refused = (result);                                          \
    ASSERT_FALSE(refused) << "accepted";                                    \
    EXPECT_EQ(to_string(refused.error()), to_string(ReceiveError::reason)); \
  } while (false)

TEST(Check, RefusesWhatIsTooShortOrNotVrrp) {
  const Bytes good = hex(v3_frame);
  for (const std::size_t length : {0, 1, 19, 20, 27}) {
    EXPECT_REFUSED(after(
                       v3(), good, [&](Bytes& p) { p.resize(length); }, false),
                   too_short);
  }
  EXPECT_REFUSED(after(
                     v3(), good, [](Bytes& p) { p[9] = 17; }, false),
                 not_vrrp);
  EXPECT_REFUSED(after(
                     v3(), good, [](Bytes& p) { p[0] = 0x44; }, false),
                 not_vrrp);
  EXPECT_REFUSED(after(
                     v3(), good, [](Bytes& p) { p[0] = 0x65; }, false),
                 not_vrrp);
  EXPECT_FALSE(open_ipv6(Bytes(7), {}, {}, 255));
}

TEST(Check, RefusesForeignVirtualRouterIds) {
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[21] = 52; }), unknown_vrid);
}

TEST(Check, RefusesAnotherLengthThanTheCountOfAddressesGives) {
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p.resize(31); }), length);
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[23] = 2; }), length);
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p.resize(33); }), length);
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p.resize(50); }), length);
}

TEST(Check, TakesEthernetPaddingWithAndWithoutVlanTag) {
  for (const std::size_t length : {46, 42, 38}) {
    EXPECT_TRUE(after(
        v3(), hex(v3_frame), [&](Bytes& p) { p.resize(length, 0xaa); }, false))
        << length;
  }
}

TEST(Check, RefusesWhatARouterForwarded) {
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[8] = 254; }), ttl);
  EXPECT_TRUE(after(v3_unicast(), hex(v3_unicast_frame), [](Bytes& p) { p[8] = 64; }));
}

TEST(Check, RefusesAnotherVersion) {
  EXPECT_REFUSED(after(
                     v3(), hex(v2_password_frame), [](Bytes&) {}, false),
                 version);
  WireConfig plain = v2_password();
  plain.authentication = {};
  EXPECT_REFUSED(after(
                     plain, hex(v3_frame), [](Bytes&) {}, false),
                 version);
}

TEST(Check, RefusesWrongPasswords) {
  const Bytes good = hex(v2_password_frame);
  EXPECT_REFUSED(after(v2_password(), good, [](Bytes& p) { p[24] = 3; }), auth_type_unknown);
  EXPECT_REFUSED(after(v2_password(), good, [](Bytes& p) { p[24] = 0; }), auth_type);
  EXPECT_REFUSED(after(v2_password(), good, [](Bytes& p) { p.back() = '3'; }), password);
  WireConfig none = v2_password();
  none.authentication = {};
  EXPECT_REFUSED(after(none, good, [](Bytes&) {}), auth_type);
}

TEST(Check, RefusesAnotherIntervalInVersion2AndReportsItInVersion3) {
  EXPECT_REFUSED(after(v2_password(), hex(v2_password_frame), [](Bytes& p) { p[25] = 2; }), interval);
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[25] = 0; }), interval);
  const auto advert = after(v3(), hex(v3_frame), [](Bytes& p) { p[24] = 0xf1; });
  ASSERT_TRUE(advert);
  EXPECT_TRUE(advert->interval_differs);
  EXPECT_EQ(advert->max_advertisement_interval, Centiseconds(0x10a)) << "the reserved bits count";
}

TEST(Check, RefusesOtherTypesAndLengthsOfIp) {
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[20] = 0x32; }), type);
  EXPECT_REFUSED(after(v3(), hex(v3_frame), [](Bytes& p) { p[3] = 0x1f; }), ip_length);
}

TEST(Check, RefusesEveryChangedBitOfAnAdvertisement) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const Bytes good = hex(capture.frame);
    for (std::size_t bit = (capture.config.is_v6 ? 0 : 20) * 8; bit < good.size() * 8; ++bit) {
      Bytes bad = good;
      bad[bit / 8] = std::uint8_t(bad[bit / 8] ^ (1u << bit % 8));
      const auto arrival = open(bad, capture);
      WireState state;
      EXPECT_FALSE(arrival && check(*arrival, capture.config, state)) << "bit " << bit;
      EXPECT_TRUE(state.ah_sequence.is_new(1)) << "what isn't authentic moved the sequence, bit " << bit;
    }
  }
}

TEST(Check, RefusesWrongChecksumsWithAndWithoutPseudoHeader) {
  EXPECT_REFUSED(after(
                     v3(), hex(v3_frame), [](Bytes& p) { p[27] ^= 1; }, false),
                 checksum);
  WireConfig as_v2 = v3();
  as_v2.v3_checksum_as_v2 = true;
  EXPECT_REFUSED(after(
                     as_v2, hex(v3_frame), [](Bytes&) {}, false),
                 checksum);
  const auto without = [](Bytes& p) { net::store(&p[26], net::Be16(0x2dfb)); };
  EXPECT_TRUE(after(as_v2, hex(v3_frame), without, false));
  EXPECT_REFUSED(after(v3(), hex(v3_frame), without, false), checksum);
}

TEST(Check, RefusesMulticastForUnicastAndTheOtherWayRound) {
  EXPECT_REFUSED(after(v3_unicast(), hex(v3_frame), [](Bytes&) {}), destination);
  EXPECT_REFUSED(after(v3(), hex(v3_unicast_frame), [](Bytes&) {}), destination);
}

TEST(Check, KnowsUnicastPeersAndTheirTtl) {
  WireConfig config = v3_unicast();
  config.peers = {{ip("10.98.0.9")}};
  const Bytes good = hex(v3_unicast_frame);
  EXPECT_TRUE(after(config, good, [](Bytes&) {}));
  config.check_unicast_src = true;
  EXPECT_REFUSED(after(config, good, [](Bytes&) {}), unicast_source);
  config.check_unicast_src = false;
  config.peers = {{node_a, true, 250, 254}};
  EXPECT_REFUSED(after(config, good, [](Bytes&) {}), unicast_ttl);
  EXPECT_TRUE(after(config, good, [](Bytes& p) { p[8] = 250; }));
}

TEST(Check, ComparesAddressesWhateverTheirOrder) {
  WireConfig config = v3_ipv6();
  const auto received = [&] {
    const Bytes packet = hex(captures()[8].frame);
    WireState state;
    return check(*open_ipv6(packet, captures()[8].source.v6(), multicast_group_v6, 255), config, state)->addresses;
  };
  std::swap(config.addresses[0], config.addresses[1]);
  EXPECT_EQ(received(), AddressList::same);
  config.addresses[0] = ip("fd98::101");
  EXPECT_EQ(received(), AddressList::others);
  config.addresses.pop_back();
  EXPECT_EQ(received(), AddressList::another_count);
}

// --- old unicast checksum, AH --------------------------------------------------------------------------------------

TEST(OldUnicastChecksum, IsLearntFromAPeerAndKept) {
  WireConfig old = v3_unicast();
  old.old_unicast_checksum = OldUnicastChecksum::always;
  WireState sender, receiver;
  Bytes packet;
  ASSERT_TRUE(build(old, sender, node_a, ip("10.98.0.2"), 150, packet));
  ASSERT_NE(packet, hex(v3_unicast_frame));

  WireConfig config = v3_unicast();
  auto advert = check(*open_ipv4(packet), config, receiver);
  ASSERT_TRUE(advert);
  EXPECT_TRUE(advert->old_unicast_checksum_found);
  advert = check(*open_ipv4(packet), config, receiver);
  ASSERT_TRUE(advert);
  EXPECT_FALSE(advert->old_unicast_checksum_found) << "said twice";
  Bytes answer;
  ASSERT_TRUE(build(config, receiver, node_a, ip("10.98.0.2"), 150, answer));
  EXPECT_EQ(answer, packet) << "sends the old form, too";

  config.old_unicast_checksum = OldUnicastChecksum::never;
  WireState strict;
  EXPECT_REFUSED(check(*open_ipv4(packet), config, strict), checksum);
}

TEST(AuthenticationHeader, IsRefusedWhereItIsNotExpectedAndMissedWhereItIs) {
  WireConfig none = v2_ah();
  none.authentication = {};
  EXPECT_REFUSED(after(
                     none, hex(captures()[2].frame), [](Bytes&) {}, false),
                 ah_presence);
  EXPECT_REFUSED(after(v2_ah(), hex(v2_password_frame), [](Bytes&) {}), ah_presence);
}

TEST(AuthenticationHeader, EachOfItsFieldsIsChecked) {
  const Bytes good = hex(captures()[2].frame);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[20] = 6; }, false),
                 ah_header);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[21] = 5; }, false),
                 ah_header);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[23] = 1; }, false),
                 ah_header);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[27] = 2; }, false),
                 ah_spi);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[31] = 0; }, false),
                 ah_replay);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[31] = 2; }, false),
                 ah_digest);
  EXPECT_REFUSED(after(
                     v2_ah(), good, [](Bytes& p) { p[5] = 2; }, false),
                 ah_digest);  // the IP id counts
  EXPECT_TRUE(after(
      v2_ah(), good, [](Bytes& p) { p[1] = 0; }, false))
      << "TOS may change on the way";
  WireConfig other = v2_ah();
  other.authentication.key = key("s3cret13");
  EXPECT_REFUSED(after(
                     other, good, [](Bytes&) {}, false),
                 ah_digest);
}

TEST(AuthenticationHeader, RefusesReplaysAndGoesOnFromTheMastersNumber) {
  const auto all = captures();
  const Bytes first = hex(all[2].frame), fourth = hex(all[3].frame);
  WireState state;
  EXPECT_TRUE(check(*open_ipv4(fourth), v2_ah(), state));
  EXPECT_REFUSED(check(*open_ipv4(fourth), v2_ah(), state), ah_replay);
  EXPECT_REFUSED(check(*open_ipv4(first), v2_ah(), state), ah_replay);
  EXPECT_EQ(state.ah_sequence.next(), 5u);
}

TEST(AuthenticationHeader, TwoThatSpeakAtTheSameMomentHearEachOtherButNobodyHearsHimself) {
  WireState one, two;
  Bytes of_one, of_two;
  ASSERT_TRUE(build(v2_ah(), one, node_a, group4, 100, of_one));
  ASSERT_TRUE(build(v2_ah(), two, ip("10.98.0.2"), group4, 100, of_two));
  EXPECT_TRUE(check(*open_ipv4(of_two), v2_ah(), one));
  EXPECT_TRUE(check(*open_ipv4(of_one), v2_ah(), two));
  EXPECT_EQ(one.ah_sequence.next(), 2u);
  WireState alone;
  ASSERT_TRUE(build(v2_ah(), alone, node_a, group4, 100, of_one));
  EXPECT_REFUSED(check(*open_ipv4(of_one), v2_ah(), alone), ah_replay);
}

TEST(AuthenticationHeader, UnicastDoesNotCountTheTtl) {
  WireConfig config = v2_ah();
  config.unicast = true;
  WireState sender, receiver;
  Bytes packet;
  ASSERT_TRUE(build(config, sender, node_a, ip("10.98.0.2"), 150, packet));
  packet[8] = 17;
  EXPECT_TRUE(check(*open_ipv4(packet), config, receiver));
}

TEST(AuthenticationHeader, NumbersStopAtTheEndAndStartAgainWithTheNextMastership) {
  AhSequence sequence;
  EXPECT_EQ(sequence.next(), 1u);
  sequence.received(AhSequence::last - 1);
  sequence.on_become_master();
  EXPECT_EQ(sequence.next(), AhSequence::last);
  EXPECT_EQ(sequence.next(), AhSequence::last);
  sequence.on_become_master();
  EXPECT_EQ(sequence.next(), 1u);
}

// --- auth_hmac -------------------------------------------------------------------------------------------------------

using Mode = HmacAuthentication::Mode;

HmacKey hmac_key(std::uint8_t id, std::uint8_t byte) { return {id, Bytes(32, byte)}; }

WireConfig with_hmac(WireConfig config, Mode mode = Mode::enforce) {
  config.authentication = {};
  config.hmac = {{hmac_key(1, 0x11), hmac_key(2, 0x22)}, 2, mode, 5s};
  return config;
}

Bytes signed_v3(const WireConfig& config = with_hmac(v3()), std::chrono::system_clock::time_point at = now) {
  WireState sender;
  Bytes packet;
  EXPECT_TRUE(build(config, sender, node_a, group4, 150, at, packet));
  return packet;
}

std::expected<Advert, ReceiveError> received(const Bytes& packet, const WireConfig& config = with_hmac(v3()),
                                             WireState state = {}) {
  return check(*open_ipv4(packet), config, state);
}

TEST(Hmac, TheTrailerIsBehindAnAdvertisementThatIsOtherwiseTheSame) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    WireConfig plain = capture.config;
    plain.authentication = {};
    const WireConfig config = with_hmac(plain);
    WireState one, two;
    Bytes bare, packet;
    ASSERT_TRUE(build(plain, one, capture.source, capture.destination, 150, bare));
    ASSERT_TRUE(build(config, two, capture.source, capture.destination, 150, packet));
    ASSERT_EQ(packet.size(), bare.size() + hmac_trailer_size);
    EXPECT_EQ(packet.size(), packet_bytes(config));
    const std::size_t at = config.is_v6 ? 0 : 20;
    EXPECT_TRUE(std::equal(bare.begin() + long(at), bare.end(), packet.begin() + long(at)))
        << "the checksum, which is VRRP's alone, too";
    WireState state;
    const auto advert = check(*open(packet, capture), config, state);
    ASSERT_TRUE(advert) << to_string(advert.error());
    EXPECT_EQ(advert->priority, 150);
    EXPECT_REFUSED(check(*open(packet, capture), plain, state), length);
    EXPECT_REFUSED(check(*open(packet, capture), config, state), hmac_replay);
  }
}

TEST(Hmac, EveryChangedBitIsNoticed) {
  for (const Capture& capture : captures()) {
    SCOPED_TRACE(capture.name);
    const WireConfig config = with_hmac(capture.config);
    WireState sender;
    Bytes good;
    ASSERT_TRUE(build(config, sender, capture.source, capture.destination, 150, good));
    for (std::size_t bit = (config.is_v6 ? 0 : 20) * 8; bit < good.size() * 8; ++bit) {
      Bytes bad = good;
      bad[bit / 8] = std::uint8_t(bad[bit / 8] ^ (1u << bit % 8));
      const auto arrival = open(bad, capture);
      WireState state;
      EXPECT_FALSE(arrival && check(*arrival, config, state)) << "bit " << bit;
      EXPECT_TRUE(state.hmac_replay.is_new(capture.source, {0, 0, 1})) << "what isn't authentic was kept, bit " << bit;
    }
  }
}

TEST(Hmac, EachMistakeHasItsName) {
  const Bytes good = signed_v3();
  const std::size_t trailer = good.size() - hmac_trailer_size;
  ASSERT_TRUE(received(good));
  EXPECT_REFUSED(received(hex(v3_frame)), hmac_missing);
  const auto changed = [&](std::size_t at, std::uint8_t to) {
    Bytes bad = good;
    bad[trailer + at] = to;
    return received(bad);
  };
  EXPECT_REFUSED(changed(0, 2), hmac_malformed);
  EXPECT_REFUSED(changed(3, 1), hmac_malformed);
  EXPECT_REFUSED(changed(1, 3), hmac_unknown_key);
  EXPECT_REFUSED(changed(1, 1), hmac_digest);
  EXPECT_REFUSED(changed(7, 0), hmac_digest);  // no clock is suspected of what nobody has signed
  WireConfig other = with_hmac(v3());
  other.hmac->keys[1] = hmac_key(2, 0x33);
  EXPECT_REFUSED(received(good, other), hmac_digest);
  EXPECT_REFUSED(received(signed_v3(with_hmac(v3()), now - 6s)), hmac_stale);
  EXPECT_REFUSED(received(signed_v3(with_hmac(v3()), now + 6s)), hmac_stale);
  Bytes shorter = good;
  shorter.pop_back();
  EXPECT_REFUSED(received(shorter), length);
  shorter.resize(good.size() + 1);
  EXPECT_REFUSED(received(shorter), length);
  Bytes cut = good;  // IP's header says that there is less
  cut[3] = std::uint8_t(cut[3] - hmac_trailer_size);
  EXPECT_REFUSED(received(cut), ip_length);
}

TEST(Hmac, MigrationModesTakeWhatIsNotSignedButNothingThatIsSignedWrong) {
  for (const Mode mode : {Mode::permissive, Mode::receive_only}) {
    const WireConfig config = with_hmac(v3(), mode);
    EXPECT_TRUE(received(hex(v3_frame), config));
    EXPECT_TRUE(received(signed_v3(), config));
    Bytes bad = signed_v3();
    bad.back() ^= 1;
    EXPECT_REFUSED(received(bad, config), hmac_digest);
  }
  const std::size_t bare = hex(v3_frame).size();
  EXPECT_EQ(signed_v3(with_hmac(v3(), Mode::permissive)).size(), bare + hmac_trailer_size);
  EXPECT_EQ(signed_v3(with_hmac(v3(), Mode::receive_only)).size(), bare);
}

TEST(Hmac, MonotonicAsksOnlyThatEachIsLaterThanTheOneBefore) {
  WireConfig config = with_hmac(v3());
  config.hmac->window.reset();
  WireState sender, receiver;
  std::vector<Bytes> packets(3);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    ASSERT_TRUE(build(config, sender, node_a, group4, 150, now - 24h - i * 1s, packets[i]));  // a clock that goes back
  }
  EXPECT_TRUE(check(*open_ipv4(packets[1]), config, receiver));
  EXPECT_REFUSED(check(*open_ipv4(packets[0]), config, receiver), hmac_replay);
  EXPECT_REFUSED(check(*open_ipv4(packets[1]), config, receiver), hmac_replay);
  EXPECT_TRUE(check(*open_ipv4(packets[2]), config, receiver));
}

TEST(Hmac, AClockThatWasAheadIsOfNoConsequenceOnceItIsRight) {
  const WireConfig config = with_hmac(v3());
  WireState sender, receiver;
  Bytes packet;
  ASSERT_TRUE(build(config, sender, node_a, group4, 150, now + 1h, packet));
  EXPECT_REFUSED(check(*open_ipv4(packet), config, receiver), hmac_stale);
  for (const auto at : {now, now - 2s}) {  // a small step back leaves the numbers growing
    ASSERT_TRUE(build(config, sender, node_a, group4, 150, at, packet));
    EXPECT_TRUE(check(*open_ipv4(packet), config, receiver));
  }
}

TEST(Hmac, WhatFailsALaterCheckIsNotRemembered) {
  WireConfig config = with_hmac(v3_unicast());
  WireState sender, receiver;
  Bytes packet;
  ASSERT_TRUE(build(config, sender, node_a, ip("10.98.0.2"), 150, packet));
  Bytes bad = packet;
  bad[26] ^= 1;  // the checksum isn't signed
  EXPECT_REFUSED(check(*open_ipv4(bad), config, receiver), checksum);
  EXPECT_TRUE(check(*open_ipv4(packet), config, receiver));
}

TEST(Hmac, NobodyHearsHimself) {
  WireState alone;
  Bytes packet;
  ASSERT_TRUE(build(with_hmac(v3()), alone, node_a, group4, 150, packet));
  EXPECT_REFUSED(check(*open_ipv4(packet), with_hmac(v3()), alone), hmac_replay);
}

TEST(Hmac, WithoutItsKeyNothingIsSent) {
  WireConfig config = with_hmac(v3());
  config.hmac->active_key = 3;
  WireState state;
  Bytes packet;
  EXPECT_FALSE(build(config, state, node_a, group4, 150, packet));
}

// --- limits ---------------------------------------------------------------------------------------------------------

TEST(Codec, CountsIpIdsFromOneAndNeverSendsZero) {
  WireState state;
  state.ip_id = 0xffff;
  Bytes packet;
  ASSERT_TRUE(build(v3(), state, node_a, group4, 150, packet));
  EXPECT_EQ(net::load<net::Ipv4Header>(packet.data()).id.host(), 1);
}

TEST(Codec, KnowsHowManyAddressesFit) {
  EXPECT_EQ(addresses_max(1500, true, Version::v3, AuthType::none), 89u);
  EXPECT_EQ(addresses_max(1500, false, Version::v3, AuthType::none), 255u);
  EXPECT_EQ(addresses_max(150, false, Version::v3, AuthType::none), 27u);
  EXPECT_EQ(addresses_max(150, false, Version::v2, AuthType::ah), 19u);
  EXPECT_EQ(addresses_max(150, false, Version::v3, AuthType::none, true), 20u);
  EXPECT_EQ(addresses_max(40, false, Version::v2, AuthType::none), 0u);
}

TEST(Codec, BuildThenCheckYieldsTheSameAdvertisement) {
  const char* given = std::getenv("SLUICE_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  std::mt19937 random{std::uint32_t(seed)};
  const auto below = [&](unsigned limit) { return unsigned(random() % limit); };
  const auto address = [&](bool is_v6) -> net::IpAddr {
    if (!is_v6) return net::Ipv4Addr::from_host(0x0a000000u | below(1u << 24));
    net::Ipv6Addr six{{0xfd}};
    for (std::size_t i = 8; i < 16; ++i) six.bytes[i] = std::uint8_t(random());
    return six;
  };
  for (int round = 0; round < 3000; ++round) {
    WireConfig config;
    config.version = below(2) ? Version::v2 : Version::v3;
    config.is_v6 = below(3) == 0;
    config.vrid = std::uint8_t(1 + below(255));
    config.advertisement_interval =
        config.version == Version::v2 ? Centiseconds(100 * (1 + below(255))) : Centiseconds(1 + below(4095));
    if (config.version == Version::v2 && !config.is_v6) {
      config.authentication.type = static_cast<AuthType>(below(3));
      config.authentication.key = key(std::to_string(random()));
    }
    if (config.authentication.type == AuthType::none && below(2) != 0) {
      config = with_hmac(config, static_cast<Mode>(below(3)));
    }
    config.unicast = below(2) != 0;
    config.v3_checksum_as_v2 = below(2) != 0;
    config.old_unicast_checksum = static_cast<OldUnicastChecksum>(below(3));
    for (unsigned i = below(256); i > 0; --i) config.addresses.push_back(address(config.is_v6));
    const net::IpAddr source = address(config.is_v6);
    const net::IpAddr group = config.is_v6 ? net::IpAddr(multicast_group_v6) : net::IpAddr(multicast_group_v4);
    const net::IpAddr destination = config.unicast ? address(config.is_v6) : group;
    const auto priority = std::uint8_t(below(256));

    WireState sender, receiver;
    Bytes packet;
    ASSERT_TRUE(build(config, sender, source, destination, priority, packet));
    const auto arrival = config.is_v6 ? open_ipv6(packet, source.v6(), destination.v6(), 255) : open_ipv4(packet);
    ASSERT_TRUE(arrival) << to_string(arrival.error());
    const auto advert = check(*arrival, config, receiver);
    ASSERT_TRUE(advert) << to_string(advert.error());
    ASSERT_EQ(advert->source, source);
    ASSERT_EQ(advert->priority, priority);
    ASSERT_EQ(advert->max_advertisement_interval, config.advertisement_interval);
    ASSERT_EQ(advert->addresses, AddressList::same);
    ASSERT_FALSE(advert->old_unicast_checksum_found);
  }
}

}  // namespace
}  // namespace sluice::vrrp
