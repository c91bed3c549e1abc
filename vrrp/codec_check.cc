// Advertisements in: the checks in keepalived's order, each with a name of its own. Writing them is codec_build.cc.
#include <algorithm>
#include <optional>

#include "net/checksum.h"
#include "vrrp/codec.h"
#include "vrrp/codec_wire.h"

namespace sluice::vrrp {

namespace {

using Error = std::optional<ReceiveError>;

constexpr std::size_t ethernet_payload_min = 46;
constexpr std::size_t vlan_tag_size = 4;

// What check() passes from step to step.
struct Received {
  const Arrival& arrival;
  const WireConfig& config;
  wire::Head head;
  std::span<const std::uint8_t> advertisement;  // without padding, once the length is known to be right
  std::span<const std::uint8_t> trailer = {};   // auth_hmac's; empty: there is none

  [[nodiscard]] std::uint8_t version() const { return head.version_type >> 4; }
  [[nodiscard]] std::span<const std::uint8_t> addresses() const {
    return advertisement.subspan(sizeof head, head.addresses * wire::address_size(config.is_v6));
  }
};

// Short packets come with what Ethernet filled them up with; where a VLAN tag was taken off, with four bytes less.
bool is_padding(std::size_t length) {
  return length <= ethernet_payload_min && (ethernet_payload_min - length) % vlan_tag_size == 0;
}

// The packet's own version decides whether there are authentication data, so that another version counts as that, and
// not as another length. A signature is known by nothing but the length; with it a packet is longer than any padding.
// Who has no auth_hmac refuses it, as keepalived's before 2.4 do.
Error check_length(Received& in) {
  const std::size_t expected = in.arrival.advertisement_at + wire::advertisement_size(in.head, in.config.is_v6);
  const std::size_t length = in.arrival.packet.size();
  if (length < expected) return ReceiveError::length;
  const bool is_signed = in.config.hmac && length == expected + hmac_trailer_size;
  if (length != expected && !is_signed && (in.config.is_v6 || !is_padding(length))) return ReceiveError::length;
  in.advertisement = in.arrival.packet.first(expected).subspan(in.arrival.advertisement_at);
  if (is_signed) in.trailer = in.arrival.packet.last(hmac_trailer_size);
  return {};
}

ReceiveError counted_as(HmacError error) {
  switch (error) {
    case HmacError::malformed: return ReceiveError::hmac_malformed;
    case HmacError::unknown_key: return ReceiveError::hmac_unknown_key;
    case HmacError::digest: break;
  }
  return ReceiveError::hmac_digest;
}

// Yields the stamp of what is signed. What nobody with a key has made says nothing of clocks and replays, so that the
// digest comes first.
Error check_hmac(const Received& in, const WireState& state, std::chrono::system_clock::time_point now,
                 std::optional<HmacStamp>& stamp) {
  const HmacAuthentication& ours = *in.config.hmac;
  if (in.trailer.empty()) {
    return ours.mode == HmacAuthentication::Mode::enforce ? ReceiveError::hmac_missing : Error{};
  }
  const auto verified = verify(in.advertisement, in.trailer.first<hmac_trailer_size>(),
                               {in.version(), in.head.vrid, in.arrival.source}, ours.keys);
  if (!verified) return counted_as(verified.error());
  if (ours.window && !is_in_time(*verified, *ours.window, now)) return ReceiveError::hmac_stale;
  if (!state.hmac_replay.is_new(in.arrival.source, *verified)) return ReceiveError::hmac_replay;
  stamp = *verified;
  return {};
}

// Every byte is looked at, whatever differs: the time it takes says nothing about the password.
bool equal_in_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference = std::uint8_t(difference | (a[i] ^ b[i]));
  return difference == 0;
}

// Yields the sequence number by `sequence`. The number is looked at before the digest (RFC 2402 3.4.3), because that is
// cheap, but counts only after it. Padding isn't part of the digest.
Error check_ah(const Received& in, const WireState& state, std::uint32_t& sequence) {
  const auto packet = in.arrival.packet.first(in.arrival.advertisement_at + in.advertisement.size());
  const auto ip = net::load<net::Ipv4Header>(packet.data());
  const auto ah = net::load<AhHeader>(packet.data() + ip.header_length());
  // IP options would have to be sorted into those that count and those that don't; VRRP has none.
  if (ip.header_length() != sizeof ip || ah.next_header != ip_protocol_vrrp || ah.payload_length != ah_payload_length ||
      ah.reserved.raw() != 0) {
    return ReceiveError::ah_header;
  }
  if (ah.spi != ip.source.value) return ReceiveError::ah_spi;
  sequence = ah.sequence.host();
  if (!state.ah_sequence.is_new(sequence) || state.ah_source == ip.source) return ReceiveError::ah_replay;
  const auto digest = ah_digest(packet, in.config.authentication.key, in.config.unicast);
  if (!digest || !equal_in_constant_time(*digest, ah.digest)) return ReceiveError::ah_digest;
  return {};
}

Error check_authentication(const Received& in, const WireState& state, std::uint32_t& sequence) {
  const Authentication& ours = in.config.authentication;
  const unsigned type = in.head.interval.host() >> 8u;
  if (type > static_cast<unsigned>(AuthType::ah)) return ReceiveError::auth_type_unknown;
  if (type != static_cast<unsigned>(ours.type)) return ReceiveError::auth_type;
  if (ours.type == AuthType::ah) return check_ah(in, state, sequence);
  if (ours.type == AuthType::password &&
      !equal_in_constant_time(in.advertisement.last(wire::auth_data_size), ours.key)) {
    return ReceiveError::password;
  }
  return {};
}

// old_form: only the form of keepalived 1.3.6 and before makes it right, and that may be. keepalived itself stops
// looking at the checksum under v3_checksum_as_v2; that is a bug, not copied.
Error check_checksum(const Received& in, const WireState& state, bool& old_form) {
  const auto right = [&](const net::IpAddr& destination) {
    return wire::sum(in.advertisement, in.version(), in.arrival.source, destination, in.config.v3_checksum_as_v2) ==
           0xffff;
  };
  const bool may_be_old = in.config.unicast && !in.config.is_v6 && in.config.version == Version::v3;
  const OldUnicastChecksum old = in.config.old_unicast_checksum;
  if (may_be_old && (old == OldUnicastChecksum::always || state.old_unicast_checksum_seen)) {
    return right(multicast_group_v4) ? Error{} : ReceiveError::checksum;
  }
  if (right(in.arrival.destination)) return {};
  old_form = may_be_old && old == OldUnicastChecksum::automatic && right(multicast_group_v4);
  return old_form ? Error{} : ReceiveError::checksum;
}

bool is_multicast(const net::IpAddr& address) {
  return address.is_v6() ? address.v6().bytes[0] == 0xff : address.v4().is_multicast();
}

Error check_peer(const Received& in) {
  const auto& peers = in.config.peers;
  const bool wanted = in.config.check_unicast_src ||
                      std::any_of(peers.begin(), peers.end(), [](const UnicastPeer& p) { return p.checks_ttl; });
  if (!in.config.unicast || !wanted) return {};
  const auto peer =
      std::find_if(peers.begin(), peers.end(), [&](const UnicastPeer& p) { return p.address == in.arrival.source; });
  if (peer == peers.end()) return ReceiveError::unicast_source;
  const bool in_range = in.arrival.ttl >= peer->ttl_min && in.arrival.ttl <= peer->ttl_max;
  return peer->checks_ttl && !in_range ? ReceiveError::unicast_ttl : Error{};
}

// Nearly always the same bytes in the same order: the search is for the other case.
AddressList compare_addresses(const Received& in) {
  const auto& ours = in.config.addresses;
  if (in.head.addresses != ours.size()) return AddressList::another_count;
  const std::size_t size = wire::address_size(in.config.is_v6);
  const std::uint8_t* bytes = in.addresses().data();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const net::IpAddr theirs = wire::load_address(bytes + i * size, in.config.is_v6);
    if (theirs != ours[i] && std::find(ours.begin(), ours.end(), theirs) == ours.end()) return AddressList::others;
  }
  return AddressList::same;
}

}  // namespace

std::expected<Arrival, ReceiveError> open_ipv4(std::span<const std::uint8_t> packet) {
  if (packet.size() < sizeof(net::Ipv4Header)) return std::unexpected(ReceiveError::too_short);
  const auto ip = net::load<net::Ipv4Header>(packet.data());
  if (ip.version_ihl >> 4 != 4 || ip.header_length() < sizeof ip) return std::unexpected(ReceiveError::not_vrrp);
  Arrival arrival{packet, ip.header_length(), ip.source, ip.destination, ip.ttl};
  arrival.has_ah = ip.protocol == net::Protocol{ip_protocol_ah};
  if (!arrival.has_ah && ip.protocol != net::Protocol{ip_protocol_vrrp}) {
    return std::unexpected(ReceiveError::not_vrrp);
  }
  if (arrival.has_ah) arrival.advertisement_at += sizeof(AhHeader);
  if (packet.size() < arrival.advertisement_at + sizeof(wire::Head)) return std::unexpected(ReceiveError::too_short);
  arrival.vrid = net::load<wire::Head>(packet.data() + arrival.advertisement_at).vrid;
  return arrival;
}

std::expected<Arrival, ReceiveError> open_ipv6(std::span<const std::uint8_t> advertisement, const net::Ipv6Addr& source,
                                               const net::Ipv6Addr& destination, std::uint8_t hop_limit) {
  if (advertisement.size() < sizeof(wire::Head)) return std::unexpected(ReceiveError::too_short);
  return Arrival{
      advertisement, 0, source, destination, hop_limit, false, net::load<wire::Head>(advertisement.data()).vrid};
}

std::expected<Advert, ReceiveError> check(const Arrival& arrival, const WireConfig& config, WireState& state,
                                          std::chrono::system_clock::time_point now) {
  if (arrival.vrid != config.vrid || arrival.source.is_v6() != config.is_v6) {
    return std::unexpected(ReceiveError::unknown_vrid);
  }
  Received in{arrival, config, net::load<wire::Head>(arrival.packet.data() + arrival.advertisement_at), {}, {}};
  const bool is_v2 = config.version == Version::v2;
  const auto interval = in.head.interval.host();
  std::uint32_t sequence = 0;
  std::optional<HmacStamp> stamp;
  bool old_form = false;

  if (arrival.has_ah != (config.authentication.type == AuthType::ah)) {
    return std::unexpected(ReceiveError::ah_presence);
  }
  if (const Error error = check_length(in)) return std::unexpected(*error);
  if (!config.unicast && arrival.ttl != ttl_multicast) return std::unexpected(ReceiveError::ttl);
  if (in.version() != static_cast<std::uint8_t>(config.version)) return std::unexpected(ReceiveError::version);
  if (config.hmac) {
    if (const Error error = check_hmac(in, state, now, stamp)) return std::unexpected(*error);
  }
  if (is_v2) {
    if (!config.is_v6) {
      if (const Error error = check_authentication(in, state, sequence)) return std::unexpected(*error);
    }
    if (Centiseconds((interval & 0xff) * 100) != config.advertisement_interval) {
      return std::unexpected(ReceiveError::interval);
    }
  }
  if ((in.head.version_type & 0xf) != wire::type_advertisement) return std::unexpected(ReceiveError::type);
  if (!config.is_v6 && net::load<net::Ipv4Header>(arrival.packet.data()).total_length.host() !=
                           arrival.advertisement_at + in.advertisement.size() + in.trailer.size()) {
    return std::unexpected(ReceiveError::ip_length);
  }
  if (!is_v2 && (interval & wire::interval_mask_v3) == 0) return std::unexpected(ReceiveError::interval);
  if (const Error error = check_checksum(in, state, old_form)) return std::unexpected(*error);
  if (is_multicast(arrival.destination) == config.unicast) return std::unexpected(ReceiveError::destination);
  if (const Error error = check_peer(in)) return std::unexpected(*error);

  if (arrival.has_ah) state.ah_sequence.received(sequence);
  if (stamp) state.hmac_replay.received(arrival.source, *stamp, wire::hmac_senders_max(config));
  if (old_form) state.old_unicast_checksum_seen = true;
  Advert advert{arrival.source, in.head.priority, config.advertisement_interval};
  if (!is_v2) advert.max_advertisement_interval = Centiseconds(interval & wire::interval_mask_v3);
  advert.interval_differs = advert.max_advertisement_interval != config.advertisement_interval;
  advert.addresses = compare_addresses(in);
  advert.old_unicast_checksum_found = old_form;
  return advert;
}

}  // namespace sluice::vrrp
