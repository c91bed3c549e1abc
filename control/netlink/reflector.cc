#include "control/netlink/reflector.h"

#include <linux/rtnetlink.h>
#include <poll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>

#include "control/netlink/messages.h"
#include "control/netlink/socket.h"

namespace sluice::control::netlink {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr std::array groups{
    int(RTNLGRP_LINK),      int(RTNLGRP_IPV4_IFADDR), int(RTNLGRP_IPV6_IFADDR),
    int(RTNLGRP_NEIGH),     int(RTNLGRP_IPV4_ROUTE),  int(RTNLGRP_IPV6_ROUTE),
    int(RTNLGRP_IPV4_RULE), int(RTNLGRP_IPV6_RULE),   int(RTNLGRP_NEXTHOP),
};
/// Links first: addresses and neighbours refer to them.
constexpr std::array<std::uint16_t, 3> dump_order{RTM_GETLINK, RTM_GETADDR, RTM_GETNEIGH};

constexpr auto start_timeout = std::chrono::seconds(5);
/// Between attempts when the kernel refuses a dump or the socket broke.
constexpr auto retry_delay = std::chrono::seconds(1);
/// Datagrams per turn, so that a flood of events leaves room for control's other work.
constexpr int datagrams_per_turn = 64;
/// The same where somebody waits for the newest.
constexpr int datagrams_at_once = 4096;

}  // namespace

class Reflector::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ReflectorOptions options, Socket socket)
      : io_(io), options_(options), socket_(std::move(socket)), descriptor_(io), retry_timer_(io) {}

  Result<> read_everything_first();
  void follow();
  void stop();
  /// False when the socket is broken.
  bool read_some(int datagrams_max);

  asio::io_context& io_;
  Mirror mirror_;
  Counters counters_;
  std::list<std::weak_ptr<Listener>> listeners_;

 private:
  void wait();
  void take(const nlmsghdr& message);
  void take_dump_end(const nlmsghdr& message);
  void begin_resync();
  void request_next_dump();
  void finish_resync();
  void retry_later();
  void reopen();
  void tell(const std::vector<Event>& changes);
  template <typename Call>
  void for_each_listener(Call&& call);

  ReflectorOptions options_;
  Socket socket_;
  asio::posix::stream_descriptor descriptor_;
  asio::steady_timer retry_timer_;
  std::size_t dump_step_ = dump_order.size();  // == size: no resync is under way
  std::uint32_t dump_sequence_ = 0;
  bool dump_interrupted_ = false;  // the kernel's tables changed under the dump, or events were lost
  bool synchronised_once_ = false;
  bool stopped_ = false;
};

Result<> Reflector::Impl::read_everything_first() {
  const auto deadline = steady_clock::now() + start_timeout;
  begin_resync();
  while (!synchronised_once_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    pollfd waiting{socket_.descriptor(), POLLIN, 0};
    if (left <= 0 || poll(&waiting, 1, int(left)) == 0) {
      return fail("netlink", "the kernel did not list its links, addresses and neighbours within 5 seconds");
    }
    if (!read_some(datagrams_per_turn)) return fail("netlink", "the socket broke while links were being read");
  }
  return {};
}

void Reflector::Impl::follow() {
  descriptor_.assign(socket_.descriptor());
  wait();
}

void Reflector::Impl::stop() {
  stopped_ = true;
  retry_timer_.cancel();
  if (descriptor_.is_open()) descriptor_.release();  // cancels the wait; closing is the socket's business
}

void Reflector::Impl::wait() {
  descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [weak = weak_from_this()](const boost::system::error_code& error) {
                           const auto self = weak.lock();
                           if (error || !self || self->stopped_) return;
                           if (self->read_some(datagrams_per_turn)) {
                             self->wait();
                           } else {
                             self->descriptor_.release();
                             self->retry_later();
                           }
                         });
}

bool Reflector::Impl::read_some(int datagrams_max) {
  for (int i = 0; i < datagrams_max; ++i) {
    switch (socket_.receive()) {
      case Socket::Outcome::nothing: return true;
      case Socket::Outcome::broken: return false;
      case Socket::Outcome::overrun:
        ++counters_.overruns;
        if (dump_step_ == dump_order.size()) {
          begin_resync();
        } else {
          dump_interrupted_ = true;
        }
        break;
      case Socket::Outcome::datagram:
        for_each_message(socket_.datagram(), [this](const nlmsghdr& message) { take(message); });
        break;
    }
  }
  return true;
}

void Reflector::Impl::take(const nlmsghdr& message) {
  // Events carry sequence 0; sequences of ours begin at 1.
  const bool is_dump = dump_step_ < dump_order.size() && message.nlmsg_seq == dump_sequence_;
  if (is_dump && (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0) dump_interrupted_ = true;
  if (message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR) {
    if (is_dump) take_dump_end(message);
    return;
  }
  if (const auto event = parse_event(message)) tell(mirror_.apply(*event));
}

void Reflector::Impl::take_dump_end(const nlmsghdr& message) {
  if (message.nlmsg_type == NLMSG_ERROR) {
    dump_step_ = dump_order.size();
    retry_later();
    return;
  }
  ++dump_step_;
  if (dump_step_ < dump_order.size()) {
    request_next_dump();
  } else if (dump_interrupted_) {
    begin_resync();
  } else {
    finish_resync();
  }
}

// Dumps come through the socket that brings the events, so that both are in the order in which things happened.
void Reflector::Impl::begin_resync() {
  dump_interrupted_ = false;
  dump_step_ = 0;
  mirror_.begin_resync();
  request_next_dump();
}

void Reflector::Impl::request_next_dump() {
  dump_sequence_ = socket_.next_sequence();
  if (!socket_.send(dump_request(dump_order[dump_step_], dump_sequence_))) {
    dump_step_ = dump_order.size();
    retry_later();
  }
}

void Reflector::Impl::finish_resync() {
  ++counters_.resyncs;
  synchronised_once_ = true;
  tell(mirror_.finish_resync());
  tell({PolicyChanged{}});  // routes are not mirrored: which of them changed unseen is not known
}

void Reflector::Impl::retry_later() {
  retry_timer_.expires_after(retry_delay);
  retry_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || self->stopped_) return;
    if (!self->descriptor_.is_open())
      self->reopen();
    else if (self->dump_step_ == dump_order.size())
      self->begin_resync();
  });
}

void Reflector::Impl::reopen() {
  auto socket = Socket::open(groups, options_.receive_buffer_bytes);
  if (!socket) {
    retry_later();
    return;
  }
  socket_ = std::move(*socket);
  begin_resync();
  follow();
}

template <typename Call>
void Reflector::Impl::for_each_listener(Call&& call) {
  // A list, because a listener may subscribe others meanwhile; the dead are swept on the way.
  for (auto it = listeners_.begin(); it != listeners_.end();) {
    if (const auto listener = it->lock()) {
      call(*listener);
      ++it;
    } else {
      it = listeners_.erase(it);
    }
  }
}

void Reflector::Impl::tell(const std::vector<Event>& changes) {
  const auto call = [](const auto& function, const auto&... arguments) {
    if (function) function(arguments...);
  };
  for (const auto& change : changes) {
    for_each_listener([&](const Listener& listener) {
      std::visit(
          [&](const auto& it) {
            using T = std::decay_t<decltype(it)>;
            if constexpr (std::is_same_v<T, LinkSet>) call(listener.link_changed, it.link);
            if constexpr (std::is_same_v<T, LinkRemoved>) call(listener.link_removed, it.link);
            if constexpr (std::is_same_v<T, AddressSet>) call(listener.address_added, it.address);
            if constexpr (std::is_same_v<T, AddressRemoved>) call(listener.address_removed, it.address);
            if constexpr (std::is_same_v<T, NeighbourSet>) call(listener.neighbour_changed, it.neighbour);
            if constexpr (std::is_same_v<T, RouteChanged>) call(listener.route_changed, it.prefix);
            if constexpr (std::is_same_v<T, PolicyChanged>) call(listener.routing_changed);
          },
          change);
    });
  }
}

Result<std::unique_ptr<Reflector>> Reflector::start(asio::io_context& io, ReflectorOptions options) {
  auto socket = Socket::open(groups, options.receive_buffer_bytes);
  if (!socket) return std::unexpected(socket.error());
  auto impl = std::make_shared<Impl>(io, options, std::move(*socket));
  if (auto read = impl->read_everything_first(); !read) return std::unexpected(read.error());
  impl->follow();
  return std::unique_ptr<Reflector>(new Reflector(std::move(impl)));
}

Reflector::Reflector(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reflector::~Reflector() { impl_->stop(); }

const Mirror& Reflector::mirror() const { return impl_->mirror_; }
asio::io_context& Reflector::io() const { return impl_->io_; }
Reflector::Counters Reflector::counters() const { return impl_->counters_; }

// A socket that broke is found broken again by whoever waits for it, and opened anew there.
void Reflector::catch_up() { (void)impl_->read_some(datagrams_at_once); }

Subscription Reflector::subscribe(Listener listener) {
  auto shared = std::make_shared<Listener>(std::move(listener));
  impl_->listeners_.push_back(shared);
  return Subscription(std::move(shared));
}

}  // namespace sluice::control::netlink
