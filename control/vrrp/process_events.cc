#include "control/vrrp/process_events.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>

namespace sluice::control {

namespace {

constexpr int messages_at_once_max = 4096;  // the control thread has other work, too
constexpr std::size_t event_at = sizeof(nlmsghdr) + sizeof(cn_msg);

std::unexpected<Error> failed(const char* what) {
  return fail("vrrp_track_process", fmt::format("{}: {}", what, std::strerror(errno)));
}

/// The event in a datagram of the kernel's.
std::optional<proc_event> event_in(std::span<const char> datagram) {
  if (datagram.size() < event_at + sizeof(proc_event)) return std::nullopt;
  cn_msg message;
  std::memcpy(&message, datagram.data() + sizeof(nlmsghdr), sizeof message);
  if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC) return std::nullopt;
  proc_event event;
  std::memcpy(&event, datagram.data() + event_at, sizeof event);
  return event;
}

/// Nothing: none waits. An empty one: somebody else's.
std::optional<std::span<const char>> receive(int socket, std::span<char> buffer) {
  sockaddr_nl from{};
  socklen_t from_length = sizeof from;
  ssize_t length;
  do {
    length = ::recvfrom(socket, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from),
                        &from_length);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return std::nullopt;
  return buffer.first(from.nl_pid == 0 ? std::size_t(length) : 0);
}

}  // namespace

Result<ProcessEvents> ProcessEvents::open(unsigned buffer_bytes, bool force) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  if (!socket) return failed("the kernel has no connector");
  const int bytes = int(std::min<unsigned>(buffer_bytes, 1u << 30));
  if (bytes > 0) ::setsockopt(socket.get(), SOL_SOCKET, force ? SO_RCVBUFFORCE : SO_RCVBUF, &bytes, sizeof bytes);
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("can't listen to the kernel's news of processes");
  }
  const proc_cn_mcast_op operation = PROC_CN_MCAST_LISTEN;
  alignas(nlmsghdr) std::array<char, event_at + sizeof operation> request{};
  nlmsghdr header{};
  header.nlmsg_len = request.size();
  header.nlmsg_type = NLMSG_DONE;
  cn_msg message{};
  message.id = {CN_IDX_PROC, CN_VAL_PROC};
  message.len = sizeof operation;
  std::memcpy(request.data(), &header, sizeof header);
  std::memcpy(request.data() + sizeof header, &message, sizeof message);
  std::memcpy(request.data() + event_at, &operation, sizeof operation);
  if (::send(socket.get(), request.data(), request.size(), 0) < 0) {
    return failed("the kernel tells nothing of processes in this network namespace");
  }
  // It answers within send(); in another PID or user namespace than the first it says nothing at all.
  alignas(nlmsghdr) std::array<char, 1024> buffer;
  while (const auto datagram = receive(socket.get(), buffer)) {
    const auto event = event_in(*datagram);
    if (!event || event->what != proc_event::PROC_EVENT_NONE) continue;
    errno = int(event->event_data.ack.err);
    if (errno != 0) return failed("can't have the kernel's news of processes");
    return ProcessEvents(std::move(socket));
  }
  return fail("vrrp_track_process", "the kernel tells nothing of processes in this PID namespace");
}

ProcessEvents::Read ProcessEvents::read(const std::function<void(pid_t)>& came,
                                        const std::function<void(pid_t)>& went) {
  alignas(nlmsghdr) std::array<char, 1024> buffer;
  for (int i = 0; i < messages_at_once_max; ++i) {
    const auto datagram = receive(fd_.get(), buffer);
    if (!datagram) return errno == ENOBUFS ? Read::lost : Read::all;
    const auto event = event_in(*datagram);
    if (!event) continue;
    const auto& data = event->event_data;
    switch (event->what) {
      case proc_event::PROC_EVENT_FORK:
        if (data.fork.child_pid == data.fork.child_tgid) came(data.fork.child_tgid);
        break;
      case proc_event::PROC_EVENT_EXEC: came(data.exec.process_tgid); break;
      case proc_event::PROC_EVENT_COMM:
        if (data.comm.process_pid == data.comm.process_tgid) came(data.comm.process_tgid);
        break;
      case proc_event::PROC_EVENT_EXIT:
        if (data.exit.process_pid == data.exit.process_tgid) went(data.exit.process_tgid);
        break;
      default: break;
    }
  }
  return Read::more;
}

}  // namespace sluice::control
