#include "health/conversation.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "health/probe.h"

namespace sluice::health {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using State = StreamStep::State;

namespace {

StreamStep failed_step(std::string_view doing, int error) {
  if (error == ECONNRESET) return {State::failed, 0, "the connection was reset in mid-answer"};
  return {State::failed, 0, std::string(doing) + " failed: " + error_words(error)};
}

}  // namespace

Conversation::Conversation(Socket& socket, milliseconds wait_max, milliseconds time_max)
    : socket_(socket), wait_max_(wait_max), time_max_(time_max), deadline_(steady_clock::now() + time_max) {}

Task<std::optional<std::string>> Conversation::begin_tls(std::shared_ptr<const TlsContext> context,
                                                         const std::string& server_name, bool compliant) {
  tls_.emplace(std::move(context), socket_, server_name, compliant);
  for (;;) {
    StreamStep step = tls_->handshake();
    if (step.state == State::done) co_return std::nullopt;
    if (step.state == State::failed) co_return "TLS handshake failed: " + step.reason;
    if (step.state == State::closed) co_return "TLS handshake failed: the server closed the connection";
    const Waited waited = co_await wait(step.state);
    if (waited == Waited::silence) co_return "TLS handshake failed: nothing came for " + to_words(wait_max_);
    if (waited == Waited::too_long) co_return too_long();
  }
}

Task<std::optional<std::string>> Conversation::send(std::string_view bytes) {
  while (!bytes.empty()) {
    StreamStep step = send_some(bytes);
    if (step.state == State::done) {
      bytes.remove_prefix(step.bytes);
      continue;
    }
    if (step.state == State::failed) co_return std::move(step.reason);
    if (step.state == State::closed) co_return "the server closed the connection";
    const Waited waited = co_await wait(step.state);
    if (waited == Waited::silence) co_return "nothing could be sent for " + to_words(wait_max_);
    if (waited == Waited::too_long) co_return too_long();
  }
  co_return std::nullopt;
}

Task<Conversation::Waited> Conversation::something_to_receive() {
  if (last_ == State::done && tls_ && tls_->buffered()) co_return Waited::ready;
  co_return co_await wait(last_ == State::wait_to_write ? State::wait_to_write : State::wait_to_read);
}

StreamStep Conversation::receive(std::span<char> buffer) {
  StreamStep step{State::wait_to_read, 0, {}};
  if (tls_) {
    step = tls_->receive(buffer);
  } else {
    const auto size = socket_.receive(buffer.data(), buffer.size());
    if (size > 0) step = {State::done, static_cast<std::size_t>(size), {}};
    if (size == 0) step = {State::closed, 0, {}};
    if (size < 0 && errno != EAGAIN && errno != EINTR) step = failed_step("reading", errno);
  }
  last_ = step.state;
  return step;
}

std::string Conversation::too_long() const { return "the answer took longer than " + to_words(time_max_); }

Task<Conversation::Waited> Conversation::wait(State what) {
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
  if (left <= milliseconds{0}) co_return Waited::too_long;
  const milliseconds patience = std::min(left, wait_max_);
  const bool ready =
      co_await socket_.wait(what == State::wait_to_write ? Socket::Ready::to_write : Socket::Ready::to_read, patience);
  if (ready) co_return Waited::ready;
  co_return patience < wait_max_ ? Waited::too_long : Waited::silence;
}

StreamStep Conversation::send_some(std::string_view bytes) {
  if (tls_) return tls_->send(bytes);
  const auto sent = socket_.send(bytes.data(), bytes.size());
  if (sent >= 0) return {State::done, static_cast<std::size_t>(sent), {}};
  if (errno == EAGAIN || errno == EINTR) return {State::wait_to_write, 0, {}};
  return failed_step("sending", errno);
}

}  // namespace sluice::health
