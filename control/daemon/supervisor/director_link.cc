#include "control/daemon/supervisor/director_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::control {

namespace {

using Kind = DirectorMessage::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 4> words{{
    {Kind::hello, "hello"},
    {Kind::ready, "ready"},
    {Kind::reloading, "reloading"},
    {Kind::status, "status"},
}};

}  // namespace

std::string encode(const DirectorMessage& message) {
  const auto found =
      std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == message.kind; });
  std::string bytes{found->second};
  if (!message.text.empty()) bytes += " " + message.text;
  std::replace(bytes.begin(), bytes.end(), '\n', ' ');
  if (bytes.size() > director_message_bytes_max) bytes.resize(director_message_bytes_max);
  return bytes;
}

std::optional<DirectorMessage> decode(std::string_view bytes) {
  const std::size_t blank = std::min(bytes.find(' '), bytes.size());
  const auto found =
      std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.second == bytes.substr(0, blank); });
  if (found == words.end()) return std::nullopt;
  return DirectorMessage{found->first, std::string(bytes.substr(std::min(blank + 1, bytes.size())))};
}

SupervisorLink::~SupervisorLink() {
  if (socket_ >= 0) ::close(socket_);
}

void SupervisorLink::send(const DirectorMessage& message) const {
  const std::string bytes = encode(message);
  (void)::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace sluice::control
