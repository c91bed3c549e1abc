// What the director tells its supervisor, over a socket pair of whole messages: that it lives, what it is doing, how
// things stand. The other way there are only signals, the same that an operator sends.
//
// A message is a word, and a line of text after a blank: readable in strace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::control {

struct DirectorMessage {
  enum class Kind : std::uint8_t {
    hello,      ///< every second
    ready,      ///< it serves, or serves again after a reload
    reloading,  ///< it began to
    status,     ///< text: a line for `systemctl status`
  };

  Kind kind = Kind::hello;
  std::string text;

  bool operator==(const DirectorMessage&) const = default;
};

/// Longer ones are cut: a sender never has to ask.
inline constexpr std::size_t director_message_bytes_max = 1024;

[[nodiscard]] std::string encode(const DirectorMessage& message);
/// Nothing: no such message.
[[nodiscard]] std::optional<DirectorMessage> decode(std::string_view bytes);

/// The director's end. Control thread only.
class SupervisorLink {
 public:
  /// Takes the socket over.
  explicit SupervisorLink(int socket) : socket_(socket) {}
  ~SupervisorLink();
  SupervisorLink(const SupervisorLink&) = delete;
  SupervisorLink& operator=(const SupervisorLink&) = delete;

  /// Never blocks. What a supervisor that hangs doesn't take is dropped; one that died ends us by a signal.
  void send(const DirectorMessage& message) const;

 private:
  int socket_;
};

}  // namespace sluice::control
