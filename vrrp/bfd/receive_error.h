// Why a BFD packet that came in was thrown away: the list from which come the counters, the names that sluicectl shows,
// and the manual's table. In the order of the checks (RFC 5880 6.8.6); a packet counts under the first that it fails.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::vrrp::bfd {

// name, meaning for the operator. The first nine are codec.h's, the others demultiplex.h's.
#define SLUICE_BFD_RECEIVE_ERRORS(X)                                                                             \
  X(too_short, "shorter than a control packet, 24 bytes")                                                        \
  X(version, "not BFD version 1")                                                                                \
  X(length_small, "its length field is less than 24, or 26 with authentication")                                 \
  X(length_large, "its length field is more than what came")                                                     \
  X(detect_mult, "its detection multiplier is 0")                                                                \
  X(multipoint, "its multipoint bit is set")                                                                     \
  X(my_discriminator, "its My Discriminator is 0")                                                               \
  X(poll_and_final, "polls and answers a poll at once")                                                          \
  X(authentication, "is authenticated, and no session here is")                                                  \
  X(unknown_discriminator, "its Your Discriminator is none of ours, or of a session that ended")                 \
  X(your_discriminator_zero, "its Your Discriminator is 0, but its state neither Down nor AdminDown")            \
  X(unknown_neighbor, "its Your Discriminator is 0, and no session here has its sender as neighbor")             \
  X(source_address, "its Your Discriminator is of a session with another neighbor, or of the other kind of hop") \
  X(ttl, "its TTL or hop limit is less than ttl - max_hops: it comes from too far away")

enum class ReceiveError : std::uint8_t {
#define SLUICE_NAME(name, meaning) name,
  SLUICE_BFD_RECEIVE_ERRORS(SLUICE_NAME)
#undef SLUICE_NAME
};

inline constexpr std::array receive_error_names = {
#define SLUICE_TEXT(name, meaning) std::string_view(#name),
    SLUICE_BFD_RECEIVE_ERRORS(SLUICE_TEXT)
#undef SLUICE_TEXT
};

inline constexpr std::array receive_error_meanings = {
#define SLUICE_TEXT(name, meaning) std::string_view(meaning),
    SLUICE_BFD_RECEIVE_ERRORS(SLUICE_TEXT)
#undef SLUICE_TEXT
};

inline constexpr std::size_t receive_errors = receive_error_names.size();

[[nodiscard]] constexpr std::string_view to_string(ReceiveError error) {
  return receive_error_names[static_cast<std::size_t>(error)];
}
[[nodiscard]] constexpr std::string_view meaning(ReceiveError error) {
  return receive_error_meanings[static_cast<std::size_t>(error)];
}

}  // namespace sluice::vrrp::bfd
