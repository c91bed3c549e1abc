// One question to the control socket and its answer: sluicectl's side of server.h. Blocks, with a time limit.
#pragma once

#include <chrono>
#include <string>

#include "net/error.h"

namespace sluice::control::api {

/// GET `target` ("/connections?limit=10") from the daemon at `socket_path`; its JSON. When the daemon refuses, its own
/// words are the error; when nobody answers, the error says what to look at.
/// timeout: for the whole exchange.
[[nodiscard]] Result<std::string> get(const std::string& socket_path, const std::string& target,
                                      std::chrono::milliseconds timeout = std::chrono::seconds(15));

/// As get(), with a POST of `body`.
[[nodiscard]] Result<std::string> post(const std::string& socket_path, const std::string& target, std::string body,
                                       std::chrono::milliseconds timeout = std::chrono::minutes(2));

}  // namespace sluice::control::api
