// What the tests of checkers share: listeners on loopback whose behaviour is a coroutine, and two loops that run one
// probe against them to its end. Test-only.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "health/probe.h"
#include "health/spec.h"

namespace sluice::health {
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
constexpr auto step_timeout = 150ms;

/// What a server does with one connection, request read or not.
using Behaviour = std::function<asio::awaitable<void>(tcp::socket&)>;

class CheckTest : public testing::Test {
 protected:
  /// Listens on a free port and gives each connection to `behaviour`. Its sockets are kept open until the test ends,
  /// unless the behaviour closes them.
  Connect serve(Behaviour behaviour) {
    acceptors_.emplace_back(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto port = acceptors_.back().local_endpoint().port();
    asio::co_spawn(io_, accept(acceptors_.back(), std::move(behaviour)), asio::detached);
    return at(port);
  }

  static Connect at(std::uint16_t port) {
    return {.address = net::Ipv4Addr::of(127, 0, 0, 1), .port = net::L4Port::of(port), .timeout = step_timeout};
  }

  std::uint16_t unused_port() {
    tcp::acceptor gone(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return gone.local_endpoint().port();
  }

  ProbeResult run(auto& check) {
    std::optional<ProbeResult> result;
    const auto probe = [&]() -> Task<void> { result = co_await check.probe(loop_); };
    Task<void> probing = probe();
    probing.start();
    const auto deadline = std::chrono::steady_clock::now() + 5s;
    while (!result && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.poll();
      loop_.turn(1ms);
    }
    if (!result) ADD_FAILURE() << "the probe never ended";
    return result.value_or(ProbeResult{Verdict::not_counted, "the probe never ended"});
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor, Behaviour behaviour) {
    for (;;) {
      auto [error, socket] = co_await acceptor.async_accept(no_throw);
      if (error) co_return;
      sockets_.push_back(std::make_unique<tcp::socket>(std::move(socket)));
      asio::co_spawn(io_, behaviour(*sockets_.back()), asio::detached);
    }
  }

  asio::io_context io_{1};  // the servers'
  EventLoop loop_;          // the probe's
  std::list<tcp::acceptor> acceptors_;
  std::list<std::unique_ptr<tcp::socket>> sockets_;
};

inline asio::awaitable<std::string> read_request(tcp::socket& socket) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    char buffer[512];
    const auto [error, size] = co_await socket.async_read_some(asio::buffer(buffer), no_throw);
    if (error) break;
    request.append(buffer, size);
  }
  co_return request;
}

/// Reads the request, sends `answer`, closes.
inline Behaviour answering(std::string answer) {
  return [answer = std::move(answer)](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    co_await asio::async_write(socket, asio::buffer(answer), no_throw);
    socket.close();
  };
}

/// Sends `piece` for ever, waiting `pause` in between.
inline Behaviour repeating(std::string opening, std::string piece, std::chrono::milliseconds pause) {
  return [=](tcp::socket& socket) -> asio::awaitable<void> {
    co_await read_request(socket);
    co_await asio::async_write(socket, asio::buffer(opening), no_throw);
    for (;;) {
      const auto [error, size] = co_await asio::async_write(socket, asio::buffer(piece), no_throw);
      if (error) co_return;
      asio::steady_timer timer(socket.get_executor(), pause);
      co_await timer.async_wait(no_throw);
    }
  };
}

inline asio::awaitable<void> say_nothing(tcp::socket&) { co_return; }

#define EXPECT_RESULT(result, expected_verdict, expected_reason)     \
  do {                                                               \
    const ProbeResult got = result;                                  \
    EXPECT_EQ(got.verdict, Verdict::expected_verdict) << got.reason; \
    EXPECT_EQ(got.reason, expected_reason);                          \
  } while (false)

}  // namespace sluice::health
