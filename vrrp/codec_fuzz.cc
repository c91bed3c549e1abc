// libFuzzer target: any bytes as a packet, in a buffer of exactly their size, under a configuration that the first two
// bytes choose. What is accepted is built again from what was understood, and must be accepted again as the same:
// decoder against encoder. Bit 0 of the first byte puts checksum and signature right, or hardly an input would get past
// them.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "vrrp/codec.h"
#include "vrrp/codec_wire.h"

namespace {

using namespace sluice;
using namespace sluice::vrrp;

void require(bool condition) {
  if (!condition) std::abort();
}

constexpr std::chrono::system_clock::time_point now{std::chrono::seconds(1'750'000'000)};
const net::Ipv6Addr source6{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

WireConfig choose(const std::uint8_t* choice) {
  WireConfig config;
  config.version = choice[0] & 2 ? Version::v3 : Version::v2;
  config.is_v6 = (choice[0] & 4) != 0;
  config.unicast = (choice[0] & 8) != 0;
  config.v3_checksum_as_v2 = (choice[0] & 16) != 0;
  config.check_unicast_src = (choice[0] & 32) != 0;
  config.peers = {{net::Ipv4Addr::of(10, 98, 0, 1), (choice[0] & 64) != 0, 1, 254}, {source6}};
  config.old_unicast_checksum = static_cast<OldUnicastChecksum>(choice[1] % 3);
  if (config.version == Version::v2 && !config.is_v6) {
    config.authentication = {static_cast<AuthType>(choice[1] / 3 % 3), {'s', '3', 'c', 'r', 'e', 't', '1', '2'}};
  }
  if (const unsigned mode = choice[1] / 9 % 4; mode > 0 && config.authentication.type == AuthType::none) {
    config.hmac = {{{7, std::vector<std::uint8_t>(32, 1)}}, 7, static_cast<HmacAuthentication::Mode>(mode - 1), {}};
    if (choice[1] / 36 % 2 != 0) config.hmac->window = std::chrono::seconds(5);
  }
  config.vrid = 51;
  config.advertisement_interval = Centiseconds(100);
  config.addresses = {net::IpAddr(net::Ipv4Addr::of(10, 98, 0, 100))};
  if (config.is_v6) config.addresses = {net::IpAddr(source6)};
  return config;
}

std::expected<Arrival, ReceiveError> open(const WireConfig& config, std::span<const std::uint8_t> packet) {
  if (!config.is_v6) return open_ipv4(packet);
  return open_ipv6(packet, source6, config.unicast ? source6 : multicast_group_v6, 255);
}

void repair(const WireConfig& config, const Arrival& arrival, std::uint8_t* packet) {
  std::span<std::uint8_t> advertisement(packet + arrival.advertisement_at,
                                        arrival.packet.size() - arrival.advertisement_at);
  const std::size_t size = wire::advertisement_size(net::load<wire::Head>(advertisement.data()), config.is_v6);
  const bool is_signed = config.hmac && advertisement.size() == size + hmac_trailer_size;
  const std::span<std::uint8_t> trailer = advertisement.last(is_signed ? hmac_trailer_size : 0);
  advertisement = advertisement.first(advertisement.size() - trailer.size());
  net::store(advertisement.data() + 6, net::Be16(0));
  const auto sum =
      wire::sum(advertisement, advertisement[0] >> 4, arrival.source, arrival.destination, config.v3_checksum_as_v2);
  net::store(advertisement.data() + 6, net::Be16::from_raw(std::uint16_t(~sum)));
  if (!is_signed) return;
  HmacClock clock;
  const HmacScope scope{std::uint8_t(advertisement[0] >> 4), config.vrid, arrival.source};
  std::ranges::copy(*sign(advertisement, scope, config.hmac->keys[0], clock.next(now)), trailer.begin());
}

void build_again(WireConfig config, WireState state, const Arrival& arrival, const Advert& advert) {
  config.advertisement_interval = advert.max_advertisement_interval;
  const auto head = net::load<wire::Head>(arrival.packet.data() + arrival.advertisement_at);
  const std::size_t size = wire::address_size(config.is_v6);
  config.addresses.clear();
  for (std::size_t i = 0; i < head.addresses; ++i) {
    config.addresses.push_back(
        wire::load_address(arrival.packet.data() + arrival.advertisement_at + sizeof head + i * size, config.is_v6));
  }
  config.unicast_ttl = arrival.ttl;
  WireState sender;
  sender.old_unicast_checksum_seen = state.old_unicast_checksum_seen;
  std::vector<std::uint8_t> packet;
  require(build(config, sender, arrival.source, arrival.destination, advert.priority, now, packet).has_value());
  const auto again = open(config, packet);
  require(again.has_value());
  state.ah_sequence = {};
  state.ah_source.reset();
  state.hmac_replay = {};
  const auto same = check(*again, config, state, now);
  require(same && same->priority == advert.priority && same->source == advert.source &&
          same->max_advertisement_interval == advert.max_advertisement_interval &&
          same->addresses == AddressList::same && !same->interval_differs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const WireConfig config = choose(data);
  const std::size_t length = size - 2;
  const std::unique_ptr<std::uint8_t[]> packet(new std::uint8_t[length]);
  std::copy(data + 2, data + size, packet.get());
  const auto arrival = open(config, {packet.get(), length});
  if (!arrival) return 0;
  if (data[0] & 1) repair(config, *arrival, packet.get());
  WireState state;
  const auto advert = check(*arrival, config, state, now);
  if (advert) build_again(config, state, *arrival, *advert);
  return 0;
}
