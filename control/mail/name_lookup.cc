#include "control/mail/name_lookup.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

namespace sluice::control {

namespace asio = boost::asio;
using asio::ip::tcp;
using Found = Result<std::vector<tcp::endpoint>>;

struct NameLookup::Question {
  explicit Question(asio::io_context& context) : io(&context) {}

  std::mutex mutex;                       // held for the time of a post
  asio::io_context* io;                   // null: nobody waits for the answer any more. By mutex
  bool answered = false;                  // by mutex
  Found found;                            // before `answered`: of the thread that asks
  asio::steady_timer* waiting = nullptr;  // of the control thread
};

namespace {

Found look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list); error != 0) {
    return fail(host, ::gai_strerror(error));
  }
  std::vector<tcp::endpoint> all;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    tcp::endpoint endpoint;
    if (each->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), each->ai_addr, each->ai_addrlen);
    endpoint.resize(each->ai_addrlen);
    all.push_back(endpoint);
  }
  ::freeaddrinfo(list);
  if (all.empty()) return fail(host, "has no address");
  return all;
}

}  // namespace

NameLookup::NameLookup(asio::io_context& io) : io_(io) {}

NameLookup::~NameLookup() {
  if (question_ == nullptr) return;
  const std::lock_guard hold(question_->mutex);
  question_->io = nullptr;
  if (question_->waiting != nullptr) question_->waiting->cancel();
}

asio::awaitable<Found> NameLookup::find(std::string host, std::uint16_t port, std::chrono::milliseconds timeout) {
  boost::system::error_code not_numeric;
  if (const auto address = asio::ip::make_address(host, not_numeric); !not_numeric) {
    co_return std::vector{tcp::endpoint(address, port)};
  }
  if (question_ != nullptr) {
    const std::lock_guard hold(question_->mutex);
    if (!question_->answered) co_return fail(host, "the name is still being looked up");
  }
  const auto question = std::make_shared<Question>(io_);
  question_ = question;
  asio::steady_timer timer(io_, timeout);
  question->waiting = &timer;
  try {
    std::thread([question, host, port] {
      question->found = look_up(host, port);
      const std::lock_guard hold(question->mutex);
      question->answered = true;
      if (question->io == nullptr) return;
      asio::post(*question->io, [question] {
        if (question->waiting != nullptr) question->waiting->cancel();
      });
    }).detach();
  } catch (const std::system_error& error) {
    question_.reset();
    co_return fail(host, fmt::format("can't be looked up: {}", error.what()));
  }
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  question->waiting = nullptr;
  const std::lock_guard hold(question->mutex);
  if (!question->answered) co_return fail(host, "no name server answers");
  co_return std::move(question->found);
}

}  // namespace sluice::control
