#include "control/netlink/changes.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "control/netlink/request.h"

namespace sluice::control::netlink {

namespace {

// The kernel answers while it is asked; this is for one that is very busy.
constexpr int answer_within_ms = 2000;

Request address_request(std::uint16_t type, const NewAddress& address) {
  Request request(type, 0);
  const InterfaceAddress& own = address.address;
  ifaddrmsg header{};
  header.ifa_family = own.address.is_v4() ? AF_INET : AF_INET6;
  header.ifa_prefixlen = address.peer ? address.peer->length : own.prefix_length;
  header.ifa_scope = address.scope;
  header.ifa_index = unsigned(own.ifindex);
  request.header(header);
  request.put(IFA_LOCAL, own.address);
  request.put(IFA_ADDRESS, address.peer ? address.peer->address : own.address);
  return request;
}

}  // namespace

Bytes add_address_request(const NewAddress& address) {
  Request request = address_request(RTM_NEWADDR, address);
  if (address.broadcast) request.put(IFA_BROADCAST, *address.broadcast);
  if (!address.label.empty()) request.put_text(IFA_LABEL, address.label);
  if (address.flags != 0) request.put(IFA_FLAGS, address.flags);
  if (address.preferred_lifetime) {
    ifa_cacheinfo lifetimes{};
    lifetimes.ifa_valid = 0xffff'ffff;  // for ever
    lifetimes.ifa_prefered = std::uint32_t(address.preferred_lifetime->count());
    request.put(IFA_CACHEINFO, lifetimes);
  }
  return request.bytes();
}

Bytes remove_address_request(const NewAddress& address) { return address_request(RTM_DELADDR, address).bytes(); }

Result<Changer> Changer::open() {
  auto socket = Socket::open({}, 4u << 20);
  if (!socket) return std::unexpected(socket.error());
  return Changer(std::move(*socket));
}

int Changer::apply(Bytes request) { return apply({&request, 1}).front(); }

std::vector<int> Changer::apply(std::span<Bytes> requests) {
  std::vector<int> errors(requests.size(), ETIMEDOUT);
  const std::uint32_t first = socket_.next_sequence();
  for (std::size_t i = 1; i < requests.size(); ++i) socket_.next_sequence();
  std::size_t open = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto& header = *reinterpret_cast<nlmsghdr*>(requests[i].data());
    header.nlmsg_seq = first + std::uint32_t(i);
    if (socket_.send(requests[i])) {
      ++open;
    } else {
      errors[i] = EIO;
    }
  }
  while (open > 0) {
    const auto outcome = socket_.receive();
    if (outcome == Socket::Outcome::nothing) {
      pollfd waiting{socket_.descriptor(), POLLIN, 0};
      if (::poll(&waiting, 1, answer_within_ms) <= 0) break;
      continue;
    }
    if (outcome != Socket::Outcome::datagram) break;
    for_each_message(socket_.datagram(), [&](const nlmsghdr& message) {
      const std::uint32_t index = message.nlmsg_seq - first;
      const auto error = parse_error(message);
      if (!error || index >= errors.size() || errors[index] != ETIMEDOUT) return;
      errors[index] = *error;
      --open;
    });
  }
  return errors;
}

}  // namespace sluice::control::netlink
