#include "health/socket.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::health {

Socket::~Socket() {
  if (descriptor_ < 0) return;
  loop_.forget(*this);
  ::close(descriptor_);
}

int Socket::open(int family, int type, int protocol) {
  const int descriptor = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (descriptor < 0) return errno;
  descriptor_ = descriptor;
  return 0;
}

int Socket::watch() { return loop_.watch(*this); }

long Socket::receive(void* to, std::size_t size, int flags) {
  const ssize_t received = ::recv(descriptor_, to, size, flags);
  if (received < 0 && errno == EAGAIN) would_block(Ready::to_read);
  return received;
}

long Socket::send(const void* from, std::size_t size) {
  const ssize_t sent = ::send(descriptor_, from, size, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) would_block(Ready::to_write);
  return sent;
}

void Socket::on_event(std::uint32_t events) {
  constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
  if ((events & (EPOLLIN | EPOLLRDHUP | broken)) != 0) ready_ |= static_cast<std::uint8_t>(Ready::to_read);
  if ((events & (EPOLLOUT | broken)) != 0) ready_ |= static_cast<std::uint8_t>(Ready::to_write);
  if (waiting_ != nullptr && (ready_ & waiting_->what_) != 0) waiting_->wake();
}

}  // namespace sluice::health
