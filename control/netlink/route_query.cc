#include "control/netlink/route_query.h"

#include <cerrno>
#include <cstring>

#include "control/netlink/messages.h"

namespace sluice::control::netlink {

namespace {

// Answers are read at once; this is room for a few.
constexpr std::size_t receive_buffer_bytes = 256 * 1024;

std::string refusal(int error) {
  // ___neigh_create() when gc_thresh3 is reached.
  if (error == ENOBUFS) return "the kernel's neighbour table is full, raise net.ipv4.neigh.default.gc_thresh3";
  if (error == EPERM) return "no permission to resolve neighbours, CAP_NET_ADMIN is needed";
  return std::strerror(error);
}

}  // namespace

Result<RouteQuery> RouteQuery::open() {
  auto socket = Socket::open({}, receive_buffer_bytes);
  if (!socket) return std::unexpected(socket.error());
  return RouteQuery(std::move(*socket));
}

template <typename Take>
auto RouteQuery::exchange(const Bytes& request, std::uint32_t sequence, Take&& take)
    -> Result<typename std::invoke_result_t<Take, const nlmsghdr&>::value_type> {
  if (auto sent = socket_.send(request); !sent) return std::unexpected(sent.error());
  std::invoke_result_t<Take, const nlmsghdr&> answer;
  while (!answer) {
    switch (socket_.receive()) {
      case Socket::Outcome::datagram:
        for_each_message(socket_.datagram(), [&](const nlmsghdr& message) {
          if (message.nlmsg_seq == sequence && !answer) answer = take(message);
        });
        break;
      case Socket::Outcome::overrun: break;  // something older was lost; ours may still be there
      case Socket::Outcome::nothing: return fail("netlink", "the kernel did not answer a request");
      case Socket::Outcome::broken: {
        if (auto socket = Socket::open({}, receive_buffer_bytes)) socket_ = std::move(*socket);
        return fail("netlink", "the socket broke during a request");
      }
    }
  }
  return std::move(*answer);
}

Result<RouteDecision> RouteQuery::decide(const net::IpAddr& address) {
  const auto sequence = socket_.next_sequence();
  return exchange(route_request(address, sequence), sequence, parse_route_answer);
}

Result<> RouteQuery::acknowledged(const Bytes& request, std::uint32_t sequence) {
  const auto error = exchange(request, sequence, parse_error);
  if (!error) return std::unexpected(error.error());
  if (*error != 0) return fail("", refusal(*error));
  return {};
}

Result<> RouteQuery::resolve(const NeighbourKey& key) {
  const auto sequence = socket_.next_sequence();
  return acknowledged(neighbour_use_request(key, sequence), sequence);
}

Result<> RouteQuery::probe(const NeighbourKey& key) {
  const auto sequence = socket_.next_sequence();
  return acknowledged(neighbour_probe_request(key, sequence), sequence);
}

}  // namespace sluice::control::netlink
