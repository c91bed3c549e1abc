// A conversation over a connected TCP socket, in the clear or in TLS, with a limit for each wait and one for all of it:
// connect_timeout alone would let a peer that sends a byte now and then keep a checker for ever. What is said is the
// checkers' business.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "health/socket.h"
#include "health/stream_step.h"
#include "health/task.h"
#include "health/tls.h"

namespace sluice::health {

/// Health thread only; must not outlive the socket.
class Conversation {
 public:
  /// wait_max: for each wait. time_max: from now, for all of them.
  Conversation(Socket& socket, std::chrono::milliseconds wait_max, std::chrono::milliseconds time_max);

  /// From here on in TLS. The reason of failure, or nothing.
  Task<std::optional<std::string>> begin_tls(std::shared_ptr<const TlsContext> context, const std::string& server_name,
                                             bool compliant);

  /// Sends all of it. The reason of failure, or nothing.
  Task<std::optional<std::string>> send(std::string_view bytes);

  enum class Waited : std::uint8_t { ready, silence, too_long };
  /// Until receive() is worth a call.
  Task<Waited> something_to_receive();
  /// Takes what is there, never waits.
  StreamStep receive(std::span<char> buffer);

  /// "the answer took longer than 60 s", for Waited::too_long.
  [[nodiscard]] std::string too_long() const;

 private:
  Task<Waited> wait(StreamStep::State what);
  StreamStep send_some(std::string_view bytes);

  Socket& socket_;
  std::chrono::milliseconds wait_max_;
  std::chrono::milliseconds time_max_;
  std::chrono::steady_clock::time_point deadline_;
  StreamStep::State last_ = StreamStep::State::wait_to_read;  // of receive()
  std::optional<TlsSession> tls_;
};

}  // namespace sluice::health
