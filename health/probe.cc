#include "health/probe.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace sluice::health {

namespace {

/// For bind(2) and connect(2).
class SocketAddress {
 public:
  SocketAddress(const net::IpAddr& address, net::L4Port port) {
    if (address.is_v4()) {
      set(sockaddr_in{.sin_family = AF_INET,
                      .sin_port = htons(port.host()),
                      .sin_addr = {htonl(address.v4().host())},
                      .sin_zero = {}});
      return;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port.host());
    std::memcpy(&v6.sin6_addr, address.v6().bytes.data(), sizeof v6.sin6_addr);
    set(v6);
  }

  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }

 private:
  template <typename Address>
  void set(const Address& address) {
    std::memcpy(&storage_, &address, sizeof address);
    size_ = sizeof address;
  }

  sockaddr_storage storage_;
  socklen_t size_ = 0;
};

}  // namespace

ProbeResult not_counted(std::string_view step, int error) {
  return {Verdict::not_counted, fmt::format("{} failed: {}", step, error_words(error))};
}

std::string error_words(int error) {
  std::string words = std::generic_category().message(error);
  if (words.size() > 1 && std::islower(static_cast<unsigned char>(words[1])) != 0) {
    words[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(words[0])));
  }
  return words;
}

bool blames_the_server(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ECONNREFUSED:
    case EHOSTDOWN:
    case ENETDOWN:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT: return true;
    default: return false;
  }
}

std::optional<ProbeResult> prepare(int fd, const Connect& to) {
  if (to.mark != 0 && ::setsockopt(fd, SOL_SOCKET, SO_MARK, &to.mark, sizeof to.mark) != 0) {
    return not_counted("setting the mark", errno);
  }
  if (!to.bind_interface.empty()) {
    const auto size = static_cast<socklen_t>(to.bind_interface.size());
    if (::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, to.bind_interface.c_str(), size) != 0) {
      return not_counted("binding to " + to.bind_interface, errno);
    }
  }
  if (to.bind_address) {
    // A fixed source port is used by one probe after the other; TIME_WAIT of the last one must not stop the next.
    const int reuse = 1;
    if (!to.bind_port.is_zero()) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
    const SocketAddress from(*to.bind_address, to.bind_port);
    if (::bind(fd, from.data(), from.size()) != 0) return not_counted("bind", errno);
  }
  return std::nullopt;
}

int connect_now(int fd, const Connect& to) {
  const SocketAddress destination(to.address, to.port);
  return ::connect(fd, destination.data(), destination.size()) == 0 ? 0 : errno;
}

Task<ProbeResult> connect(Socket& socket, const Connect& to) {
  if (const int error = socket.open(to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM, IPPROTO_TCP); error != 0) {
    co_return not_counted("socket", error);
  }
  if (auto problem = prepare(socket.descriptor(), to)) co_return std::move(*problem);

  // Whether this host refused at once or the network answered matters: only the second always counts.
  const int refused = connect_now(socket.descriptor(), to);
  if (refused != 0 && refused != EINPROGRESS) {
    co_return blames_the_server(refused) ? failure(error_words(refused)) : not_counted("connect", refused);
  }
  if (const int error = socket.watch(); error != 0) co_return not_counted("epoll", error);
  if (refused == EINPROGRESS) {
    const bool answered = co_await socket.wait(Socket::Ready::to_write, to.timeout);
    if (!answered) co_return failure("no connection within " + to_words(to.timeout));
    int so_error = 0;
    socklen_t size = sizeof so_error;
    if (::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &so_error, &size) != 0) so_error = errno;
    if (so_error != 0) co_return failure(error_words(so_error));
  }
  co_return success("connected");
}

std::string to_words(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  return fmt::format("{:g} s", static_cast<double>(ms) / 1000.0);
}

}  // namespace sluice::health
