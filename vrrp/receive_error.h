// Why an advertisement that came in was thrown away. The one list from which come the counters, the names that
// sluicectl and the metrics show, and the manual's table. In the order in which the checks are made, which is
// keepalived's: an advertisement counts under the first that it fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::vrrp {

// name, meaning for the operator. unknown_vrid and not_listening are the receiver's to count (it knows its instances),
// owner_ignores the election's; all others come from codec.h.
#define SLUICE_VRRP_RECEIVE_ERRORS(X)                                                                             \
  X(too_short, "shorter than its own headers say, or than an advertisement can be")                               \
  X(not_vrrp, "neither VRRP nor VRRP behind an authentication header")                                            \
  X(unknown_vrid, "no instance here has this virtual router id")                                                  \
  X(not_listening, "the instance is in FAULT or INIT, or its start-up delay isn't over")                          \
  X(ah_presence, "has an authentication header that isn't expected, or lacks one that is")                        \
  X(length, "isn't as long as the number of its addresses says")                                                  \
  X(ttl, "TTL or hop limit isn't 255: a router has forwarded it")                                                 \
  X(version, "another VRRP version than the instance's")                                                          \
  X(hmac_missing, "isn't signed, and the instance enforces auth_hmac")                                            \
  X(hmac_malformed, "the signature's fixed fields are wrong")                                                     \
  X(hmac_unknown_key, "signed with a key whose id the instance doesn't have")                                     \
  X(hmac_digest, "the signature is wrong: changed on the way, or another key of that id")                         \
  X(hmac_stale, "signed further from the time here than time_window says: replayed, or a clock is wrong")         \
  X(hmac_replay, "its sender has sent that one, or a later one, before: replayed")                                \
  X(auth_type_unknown, "an authentication type that doesn't exist")                                               \
  X(auth_type, "another authentication type than the instance's")                                                 \
  X(password, "another password than the instance's")                                                             \
  X(ah_header, "the authentication header's fixed fields are wrong")                                              \
  X(ah_spi, "the authentication header's SPI isn't the sender's address")                                         \
  X(ah_replay, "an authentication header's sequence number that was seen before")                                 \
  X(ah_digest, "the authentication header's digest is wrong: changed on the way, or another password")            \
  X(interval, "VRRP 2 with another interval than the instance's, VRRP 3 with none")                               \
  X(type, "not an advertisement, the only type there is")                                                         \
  X(ip_length, "the IP header gives another length")                                                              \
  X(checksum, "the VRRP checksum is wrong")                                                                       \
  X(destination, "multicast to a unicast instance, or the other way round")                                       \
  X(owner_ignores, "the instance owns its addresses and is told to ignore advertisements (owner_ignore_adverts)") \
  X(unicast_source, "sent by none of the unicast peers")                                                          \
  X(unicast_ttl, "TTL or hop limit isn't in its unicast peer's range")

enum class ReceiveError : std::uint8_t {
#define SLUICE_NAME(name, meaning) name,
  SLUICE_VRRP_RECEIVE_ERRORS(SLUICE_NAME)
#undef SLUICE_NAME
};

inline constexpr std::array receive_error_names = {
#define SLUICE_TEXT(name, meaning) std::string_view(#name),
    SLUICE_VRRP_RECEIVE_ERRORS(SLUICE_TEXT)
#undef SLUICE_TEXT
};

inline constexpr std::array receive_error_meanings = {
#define SLUICE_TEXT(name, meaning) std::string_view(meaning),
    SLUICE_VRRP_RECEIVE_ERRORS(SLUICE_TEXT)
#undef SLUICE_TEXT
};

inline constexpr std::size_t receive_errors = receive_error_names.size();

[[nodiscard]] constexpr std::string_view to_string(ReceiveError error) {
  return receive_error_names[static_cast<std::size_t>(error)];
}
[[nodiscard]] constexpr std::string_view meaning(ReceiveError error) {
  return receive_error_meanings[static_cast<std::size_t>(error)];
}

}  // namespace sluice::vrrp
