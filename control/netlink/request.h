// A netlink request under construction: header, attributes, attributes within attributes. What goes into it is known to
// those who include this; who sends it is changes.h. For .cc files: it brings libnl's headers.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "control/netlink/messages.h"
#include "net/address.h"

namespace sluice::control::netlink {

/// Grows up to its room; what doesn't fit isn't put in.
class Request {
 public:
  static constexpr std::size_t page = 4096;

  /// flags: beyond NLM_F_REQUEST and NLM_F_ACK.
  Request(std::uint16_t type, int flags, std::size_t room = page) : message_(nlmsg_alloc_size(room), &nlmsg_free) {
    if (message_ == nullptr) throw std::bad_alloc();
    nlmsg_put(message_.get(), NL_AUTO_PORT, 0, type, 0, NLM_F_REQUEST | NLM_F_ACK | flags);
  }

  /// Before any attribute.
  template <typename Header>
  void header(const Header& header) {
    nlmsg_append(message_.get(), const_cast<Header*>(&header), sizeof header, NLMSG_ALIGNTO);
  }

  template <typename T>
  void put(int attribute, const T& value) {
    nla_put(message_.get(), attribute, sizeof value, &value);
  }
  void put(int attribute, const net::IpAddr& address) {
    if (address.is_v4()) {
      put(attribute, address.v4());
    } else {
      put(attribute, address.v6());
    }
  }
  void put_text(int attribute, std::string_view text) {
    nla_put_string(message_.get(), attribute, std::string(text).c_str());
  }
  void put_bytes(int attribute, const void* bytes, std::size_t length) {
    nla_put(message_.get(), attribute, int(length), bytes);
  }

  /// Attributes put by `fill` are inside `attribute`.
  template <typename Fill>
  void nest(int attribute, Fill&& fill) {
    nlattr* start = nla_nest_start(message_.get(), attribute & NLA_TYPE_MASK);
    fill();
    // An empty nest means something, too: libnl would take it away.
    if (start != nullptr) nla_nest_end_keep_empty(message_.get(), start);
  }

  /// For what isn't an attribute.
  nl_msg* raw() { return message_.get(); }
  [[nodiscard]] Bytes bytes() const {
    const nlmsghdr* wire = nlmsg_hdr(message_.get());
    const auto* first = reinterpret_cast<const std::uint8_t*>(wire);
    return {first, first + wire->nlmsg_len};
  }

 private:
  std::unique_ptr<nl_msg, decltype(&nlmsg_free)> message_;
};

}  // namespace sluice::control::netlink
