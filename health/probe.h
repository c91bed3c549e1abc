// What the checkers share: the steps that every conversation over a socket is made of, each with its own time-out. A
// step that fails says why in words for the log. Runs on the health thread only.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "health/probe_result.h"
#include "health/retry.h"
#include "health/socket.h"
#include "health/spec.h"
#include "health/task.h"

namespace sluice::health {

/// This host couldn't do a step: "bind failed: cannot assign requested address". Says nothing about the server.
[[nodiscard]] ProbeResult not_counted(std::string_view step, int error);

/// The kernel's words for an errno, with a small letter as they stand in a clause.
[[nodiscard]] std::string error_words(int error);
/// Whether an errno of connect() or send() speaks of the network or the peer. Anything else is about this host.
[[nodiscard]] bool blames_the_server(int error);

/// Sets the mark and the interface of a socket, and binds it: what only this host can fail. Nothing if all is well.
[[nodiscard]] std::optional<ProbeResult> prepare(int fd, const Connect& to);
/// connect(2). 0 or an errno; EINPROGRESS is one.
[[nodiscard]] int connect_now(int fd, const Connect& to);

/// Opens, binds and connects `socket`, which must be closed; success means connected.
/// Classified as keepalived does: what the network or the peer says is a failure; what this host says (no socket, no
/// such bind address, no free port) isn't counted.
Task<ProbeResult> connect(Socket& socket, const Connect& to);

/// "5 s", "1.5 s", "20 ms".
[[nodiscard]] std::string to_words(std::chrono::milliseconds duration);

}  // namespace sluice::health
