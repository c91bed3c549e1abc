// Advertisements out. Reading them is codec_check.cc.
#include <algorithm>
#include <cassert>

#include "net/checksum.h"
#include "vrrp/codec.h"
#include "vrrp/codec_wire.h"

namespace sluice::vrrp {

namespace wire {

std::uint16_t sum(std::span<const std::uint8_t> advertisement, std::uint8_t version, const net::IpAddr& source,
                  const net::IpAddr& destination, bool v3_checksum_as_v2) {
  const auto length = std::uint32_t(advertisement.size());
  std::uint16_t pseudo = 0;
  if (source.is_v6()) {
    struct {
      net::Ipv6Addr source, destination;
      net::Be32 length, next_header;
    } header{source.v6(), destination.v6(), net::Be32(length), net::Be32(ip_protocol_vrrp)};
    static_assert(sizeof header == 40);
    pseudo = net::checksum_sum(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  } else if (version != 2 && !v3_checksum_as_v2) {
    // RFC 5798 5.2.8 as keepalived, FRR and tcpdump read it; RFC 9568 says that there is none (v3_checksum_as_v2).
    struct {
      net::Ipv4Addr source, destination;
      net::Be16 protocol, length;
    } header{source.v4(), destination.v4(), net::Be16(ip_protocol_vrrp), net::Be16(std::uint16_t(length))};
    static_assert(sizeof header == 12);
    pseudo = net::checksum_sum(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  }
  return net::checksum_sum(advertisement.data(), advertisement.size(), pseudo);
}

void store_address(std::uint8_t* bytes, const net::IpAddr& address) {
  if (address.is_v6()) {
    net::store(bytes, address.v6());
  } else {
    net::store(bytes, address.v4());
  }
}

net::IpAddr load_address(const std::uint8_t* bytes, bool is_v6) {
  if (is_v6) return net::load<net::Ipv6Addr>(bytes);
  return net::load<net::Ipv4Addr>(bytes);
}

}  // namespace wire

namespace {

constexpr std::size_t ethernet_header_size = 14;
constexpr std::size_t ipv6_header_size = 40;

net::Be16 interval_field(const WireConfig& config) {
  const auto interval = config.advertisement_interval;
  if (config.version == Version::v3) {
    assert(interval.count() > 0 && interval <= interval_max_v3);
    return net::Be16(std::uint16_t(interval.count()));
  }
  assert(interval.count() > 0 && interval.count() % 100 == 0 && interval <= interval_max_v2);
  return net::Be16(std::uint16_t((static_cast<unsigned>(config.authentication.type) << 8) | (interval.count() / 100)));
}

// The address that the checksum of VRRP 3 over IPv4 takes for the destination.
net::IpAddr summed_destination(const WireConfig& config, const WireState& state, const net::IpAddr& destination) {
  const bool old = config.unicast && !config.is_v6 &&
                   (config.old_unicast_checksum == OldUnicastChecksum::always || state.old_unicast_checksum_seen);
  return old ? net::IpAddr(multicast_group_v4) : destination;
}

void store_ipv4_header(const WireConfig& config, WireState& state, net::Ipv4Addr source, net::Ipv4Addr destination,
                       std::span<std::uint8_t> packet) {
  if (++state.ip_id == 0) state.ip_id = 1;
  const bool ah = config.authentication.type == AuthType::ah;
  net::Ipv4Header ip{};
  ip.version_ihl = 0x45;
  ip.tos = type_of_service;
  ip.total_length = net::Be16(std::uint16_t(packet.size()));
  ip.id = net::Be16(state.ip_id);
  ip.ttl = config.unicast ? config.unicast_ttl : ttl_multicast;
  ip.protocol = net::Protocol{ah ? ip_protocol_ah : ip_protocol_vrrp};
  ip.source = source;
  ip.destination = destination;
  net::store(packet.data(), ip);
  ip.checksum = net::checksum(packet.data(), sizeof ip);
  net::store(packet.data(), ip);
}

Result<> store_ah(const WireConfig& config, WireState& state, net::Ipv4Addr source, std::span<std::uint8_t> packet) {
  AhHeader ah{ip_protocol_vrrp, ah_payload_length, net::Be16(0), source.value, net::Be32(state.ah_sequence.next()), {}};
  std::uint8_t* at = packet.data() + sizeof(net::Ipv4Header);
  net::store(at, ah);
  const auto digest = ah_digest(packet, config.authentication.key, config.unicast);
  if (!digest) return fail({}, "libcrypto refuses HMAC-MD5, which auth_type AH needs (is a FIPS provider active?)");
  ah.digest = *digest;
  state.ah_source = source;
  net::store(at, ah);
  return {};
}

// What comes back with our own address was recorded and is replayed: it counts as seen.
Result<> store_hmac(const WireConfig& config, WireState& state, const net::IpAddr& source,
                    std::chrono::system_clock::time_point now, std::span<const std::uint8_t> advertisement,
                    std::span<std::uint8_t, hmac_trailer_size> at) {
  const HmacKey* key = config.hmac->signing_key();
  if (key == nullptr) return fail({}, "no key to sign an advertisement with");
  HmacStamp stamp = state.hmac_clock.next(now);
  // A clock that was ahead is right now. Who went on counting from there wouldn't be heard until that time has come.
  if (config.hmac->window && !is_in_time(stamp, *config.hmac->window, now)) {
    state.hmac_clock = {};
    stamp = state.hmac_clock.next(now);
  }
  const auto trailer =
      sign(advertisement, {static_cast<std::uint8_t>(config.version), config.vrid, source}, *key, stamp);
  if (!trailer) return fail({}, "libcrypto refuses HMAC-SHA-256, which auth_hmac needs");
  state.hmac_replay.received(source, stamp, wire::hmac_senders_max(config));
  std::ranges::copy(*trailer, at.begin());
  return {};
}

// Without IP's header and AH's.
std::size_t advertisement_bytes(const WireConfig& config) {
  return sizeof(wire::Head) + config.addresses.size() * wire::address_size(config.is_v6) +
         wire::auth_size(static_cast<std::uint8_t>(config.version), config.is_v6);
}

std::size_t headers_bytes(const WireConfig& config) {
  if (config.is_v6) return 0;
  return sizeof(net::Ipv4Header) + (config.authentication.type == AuthType::ah ? sizeof(AhHeader) : 0);
}

}  // namespace

std::size_t addresses_max(std::size_t mtu, bool is_v6, Version version, AuthType authentication, bool has_hmac) {
  std::size_t rest = ethernet_header_size + (is_v6 ? ipv6_header_size : sizeof(net::Ipv4Header)) + sizeof(wire::Head) +
                     wire::auth_size(static_cast<std::uint8_t>(version), is_v6);
  if (authentication == AuthType::ah) rest += sizeof(AhHeader);
  if (has_hmac) rest += hmac_trailer_size;
  if (mtu < rest) return 0;
  return std::min<std::size_t>((mtu - rest) / wire::address_size(is_v6), 255);
}

std::size_t packet_bytes(const WireConfig& config) {
  const bool is_signed = config.hmac && config.hmac->signs();
  return headers_bytes(config) + advertisement_bytes(config) + (is_signed ? hmac_trailer_size : 0);
}

Result<> build(const WireConfig& config, WireState& state, const net::IpAddr& source, const net::IpAddr& destination,
               std::uint8_t priority, std::chrono::system_clock::time_point now, std::vector<std::uint8_t>& packet) {
  assert(config.addresses.size() <= 255);
  assert(source.is_v6() == config.is_v6 && destination.is_v6() == config.is_v6);
  const auto version = static_cast<std::uint8_t>(config.version);
  const bool ah = config.authentication.type == AuthType::ah;
  assert(config.authentication.type == AuthType::none || wire::auth_size(version, config.is_v6) > 0);
  const std::size_t address_size = wire::address_size(config.is_v6);
  packet.assign(packet_bytes(config), 0);
  const auto advertisement = std::span(packet).subspan(headers_bytes(config), advertisement_bytes(config));

  wire::Head head{std::uint8_t((version << 4) | wire::type_advertisement),
                  config.vrid,
                  priority,
                  std::uint8_t(config.addresses.size()),
                  interval_field(config),
                  net::Be16(0)};
  net::store(advertisement.data(), head);
  std::uint8_t* next = advertisement.data() + sizeof head;
  for (const net::IpAddr& address : config.addresses) {
    wire::store_address(next, address);
    next += address_size;
  }
  // The data of AH are eight zeros; its digest stands in the header in front.
  if (config.authentication.type == AuthType::password) net::store(next, config.authentication.key);
  head.checksum = net::Be16::from_raw(std::uint16_t(~wire::sum(
      advertisement, version, source, summed_destination(config, state, destination), config.v3_checksum_as_v2)));
  net::store(advertisement.data(), head);
  if (config.hmac && config.hmac->signs()) {
    if (auto done = store_hmac(config, state, source, now, advertisement, std::span(packet).last<hmac_trailer_size>());
        !done) {
      return done;
    }
  }

  if (config.is_v6) return {};
  store_ipv4_header(config, state, source.v4(), destination.v4(), packet);
  if (ah) return store_ah(config, state, source.v4(), packet);
  return {};
}

}  // namespace sluice::vrrp
