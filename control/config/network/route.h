// What the reading and the writing of routes share. Internal to control/config/network.
#pragma once

#include <array>

#include "control/config/network/line.h"

namespace sluice::control::config {

inline constexpr std::array<Choice<RouteType>, 10> route_types = {{{"unicast", RouteType::unicast},
                                                                   {"local", RouteType::local},
                                                                   {"broadcast", RouteType::broadcast},
                                                                   {"anycast", RouteType::anycast},
                                                                   {"multicast", RouteType::multicast},
                                                                   {"blackhole", RouteType::blackhole},
                                                                   {"unreachable", RouteType::unreachable},
                                                                   {"prohibit", RouteType::prohibit},
                                                                   {"throw", RouteType::throw_},
                                                                   {"nat", RouteType::nat}}};

inline constexpr std::array<Choice<RoutePlace>, 3> route_places = {
    {{"prepend", RoutePlace::prepend}, {"append", RoutePlace::append}, {"add", RoutePlace::add}}};

inline constexpr std::array<Choice<RoutePreference>, 3> route_preferences = {
    {{"low", RoutePreference::low}, {"medium", RoutePreference::medium}, {"high", RoutePreference::high}}};

/// [lock] N.
inline constexpr std::array<Choice<std::optional<RouteMetric> IpRoute::*>, 5> route_metrics = {
    {{"mtu", &IpRoute::mtu},
     {"advmss", &IpRoute::advmss},
     {"reordering", &IpRoute::reordering},
     {"cwnd", &IpRoute::cwnd},
     {"ssthresh", &IpRoute::ssthresh}}};

/// [lock] N[ms|s], up to keepalived's limits.
struct RouteTime {
  std::string_view word;
  std::optional<RouteMetric> IpRoute::*value;
  std::uint32_t max_us;
};
inline constexpr std::array<RouteTime, 3> route_times = {{{"rtt", &IpRoute::rtt, 960'000'000},
                                                          {"rttvar", &IpRoute::rttvar, 480'000'000},
                                                          {"rto_min", &IpRoute::rto_min, 120'000'000}}};

inline constexpr std::array<Choice<std::optional<std::uint32_t> IpRoute::*>, 4> route_numbers = {
    {{"window", &IpRoute::window},
     {"initcwnd", &IpRoute::initcwnd},
     {"initrwnd", &IpRoute::initrwnd},
     {"expires", &IpRoute::expires}}};

inline constexpr std::array<Choice<std::optional<bool> IpRoute::*>, 2> route_switches = {
    {{"quickack", &IpRoute::quickack}, {"fastopen_no_cookie", &IpRoute::fastopen_no_cookie}}};

}  // namespace sluice::control::config
