#include "control/netlink/changes.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "net/byte_order.h"

namespace sluice::control::netlink {

namespace {

using NlMessage = std::unique_ptr<nl_msg, decltype(&nlmsg_free)>;

// The kernel answers while it is asked; this is for one that is very busy.
constexpr int answer_within_ms = 2000;

NlMessage message_of(std::uint16_t type, int flags) {
  NlMessage message(nlmsg_alloc(), &nlmsg_free);
  if (message == nullptr) throw std::bad_alloc();
  nlmsg_put(message.get(), NL_AUTO_PORT, 0, type, 0, NLM_F_REQUEST | NLM_F_ACK | flags);
  return message;
}

Bytes bytes_of(const NlMessage& message) {
  const nlmsghdr* wire = nlmsg_hdr(message.get());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(wire);
  return {bytes, bytes + wire->nlmsg_len};
}

template <typename T>
void put(const NlMessage& message, int attribute, const T& value) {
  nla_put(message.get(), attribute, sizeof value, &value);
}

void put(const NlMessage& message, int attribute, const net::IpAddr& address) {
  if (address.is_v4()) {
    put(message, attribute, address.v4());
  } else {
    put(message, attribute, address.v6());
  }
}

NlMessage address_message(std::uint16_t type, const NewAddress& address) {
  NlMessage message = message_of(type, 0);
  const InterfaceAddress& own = address.address;
  ifaddrmsg header{};
  header.ifa_family = own.address.is_v4() ? AF_INET : AF_INET6;
  header.ifa_prefixlen = address.peer ? address.peer->length : own.prefix_length;
  header.ifa_scope = address.scope;
  header.ifa_index = unsigned(own.ifindex);
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  put(message, IFA_LOCAL, own.address);
  put(message, IFA_ADDRESS, address.peer ? address.peer->address : own.address);
  return message;
}

}  // namespace

Bytes add_address_request(const NewAddress& address) {
  NlMessage message = address_message(RTM_NEWADDR, address);
  if (address.broadcast) put(message, IFA_BROADCAST, *address.broadcast);
  if (!address.label.empty()) nla_put_string(message.get(), IFA_LABEL, address.label.c_str());
  if (address.flags != 0) put(message, IFA_FLAGS, address.flags);
  if (address.preferred_lifetime) {
    ifa_cacheinfo lifetimes{};
    lifetimes.ifa_valid = 0xffff'ffff;  // for ever
    lifetimes.ifa_prefered = std::uint32_t(address.preferred_lifetime->count());
    put(message, IFA_CACHEINFO, lifetimes);
  }
  return bytes_of(message);
}

Bytes remove_address_request(const NewAddress& address) { return bytes_of(address_message(RTM_DELADDR, address)); }

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
