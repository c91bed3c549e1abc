#include "health/probe.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace sluice::health {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);

tcp::endpoint endpoint(const net::IpAddr& address, net::L4Port port) {
  if (address.is_v4()) return {asio::ip::address_v4(address.v4().host()), port.host()};
  return {asio::ip::address_v6(address.v6().bytes), port.host()};
}

template <typename Socket>
asio::awaitable<bool> ready(Socket& socket, asio::socket_base::wait_type what, std::chrono::milliseconds timeout) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, timeout);
  const auto first = co_await (socket.async_wait(what, no_throw) || timer.async_wait(no_throw));
  co_return first.index() == 0;
}

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
    const tcp::endpoint from = endpoint(*to.bind_address, to.bind_port);
    if (::bind(fd, from.data(), static_cast<socklen_t>(from.size())) != 0) return not_counted("bind", errno);
  }
  return std::nullopt;
}

int connect_now(int fd, const Connect& to) {
  const tcp::endpoint destination = endpoint(to.address, to.port);
  return ::connect(fd, destination.data(), static_cast<socklen_t>(destination.size())) == 0 ? 0 : errno;
}

asio::awaitable<ProbeResult> connect(tcp::socket& socket, const Connect& to) {
  boost::system::error_code error;
  if (socket.open(to.address.is_v4() ? tcp::v4() : tcp::v6(), error)) co_return not_counted("socket", error.value());
  if (socket.native_non_blocking(true, error)) co_return not_counted("socket", error.value());
  if (auto problem = prepare(socket.native_handle(), to)) co_return std::move(*problem);

  // Not Asio's async_connect: it hides whether the kernel refused at once or the network answered, and only the
  // second always counts.
  if (const int refused = connect_now(socket.native_handle(), to); refused != 0) {
    if (refused != EINPROGRESS) {
      co_return blames_the_server(refused) ? failure(error_words(refused)) : not_counted("connect", refused);
    }
    const bool answered = co_await ready(socket, tcp::socket::wait_write, to.timeout);
    if (!answered) co_return failure("no connection within " + to_words(to.timeout));
    int so_error = 0;
    socklen_t size = sizeof so_error;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_ERROR, &so_error, &size) != 0) so_error = errno;
    if (so_error != 0) co_return failure(error_words(so_error));
  }
  co_return success("connected");
}

asio::awaitable<bool> readable(tcp::socket& socket, std::chrono::milliseconds timeout) {
  return ready(socket, tcp::socket::wait_read, timeout);
}
asio::awaitable<bool> readable(DatagramSocket& socket, std::chrono::milliseconds timeout) {
  return ready(socket, DatagramSocket::wait_read, timeout);
}
asio::awaitable<bool> writable(tcp::socket& socket, std::chrono::milliseconds timeout) {
  return ready(socket, tcp::socket::wait_write, timeout);
}

std::string to_words(std::chrono::milliseconds duration) {
  const auto ms = duration.count();
  if (ms < 1000) return fmt::format("{} ms", ms);
  return fmt::format("{:g} s", static_cast<double>(ms) / 1000.0);
}

}  // namespace sluice::health
