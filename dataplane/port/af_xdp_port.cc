#include "dataplane/port/af_xdp_port.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice::dataplane {

namespace {

/// Sent frames are picked up in bursts: completions share cache lines with the kernel.
constexpr std::size_t reclaim_batch = burst_max;

}  // namespace

AfXdpPort::AfXdpPort(PortId id, PortStatus status, UmemPool& pool, std::vector<std::unique_ptr<XskSocket>> sockets)
    : id_(id), status_(std::move(status)), pool_(pool), sockets_(std::move(sockets)) {}

Result<std::unique_ptr<AfXdpPort>> AfXdpPort::create(PortId id, PortStatus status, UmemPool& pool,
                                                     std::vector<std::unique_ptr<XskSocket>> sockets) {
  status.queue = sockets.front()->queue();
  const auto interface = status.interface;
  std::unique_ptr<AfXdpPort> port(new AfXdpPort(id, std::move(status), pool, std::move(sockets)));
  for (auto& socket : port->sockets_) socket->refill(pool, true);

  port->wait_fd_ = port->sockets_.front()->fd();
  if (port->sockets_.size() == 1) return port;
  port->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  bool watched = port->epoll_ >= 0;
  for (const auto& socket : port->sockets_) {
    epoll_event event{.events = EPOLLIN, .data = {}};
    watched = watched && epoll_ctl(port->epoll_, EPOLL_CTL_ADD, socket->fd(), &event) == 0;
  }
  if (!watched) return fail(interface, std::string("its queues can't be waited for: ") + std::strerror(errno));
  port->wait_fd_ = port->epoll_;
  return port;
}

AfXdpPort::~AfXdpPort() {
  if (epoll_ >= 0) close(epoll_);
}

std::size_t AfXdpPort::receive(std::span<Frame> frames) {
  std::size_t received = 0;
  for (std::size_t turn = 0; turn < sockets_.size() && received < frames.size(); ++turn) {
    auto& socket = *sockets_[next_];
    next_ = next_ + 1 == sockets_.size() ? 0 : next_ + 1;
    received += socket.receive(frames.subspan(received), id_);
    socket.refill(pool_, false);
  }
  if (received == 0) {
    for (auto& socket : sockets_) socket->refill(pool_, true);
    sockets_.front()->reclaim(pool_);
  }
  return received;
}

std::size_t AfXdpPort::transmit(std::span<const Frame> frames) { return sockets_.front()->transmit(frames, pool_); }

void AfXdpPort::flush() {
  auto& socket = *sockets_.front();
  socket.kick();
  if (socket.sending() >= reclaim_batch) socket.reclaim(pool_);
}

std::size_t AfXdpPort::frames_lent() const {
  std::size_t lent = 0;
  for (const auto& socket : sockets_) lent += socket->lent();
  return lent;
}

std::uint64_t AfXdpPort::lost() const {
  std::uint64_t drops = 0;
  for (const auto& socket : sockets_) drops += socket->kernel_drops();
  return drops;
}

}  // namespace sluice::dataplane
