// How the ports say what they chose and what went wrong short of an error, without knowing a logger.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace sluice::dataplane {

enum class LogLevel : std::uint8_t { debug, info, warning };

/// Receives one line, without a newline. Called on the thread that called into the port's code; may be empty.
using Log = std::function<void(LogLevel, std::string_view)>;

}  // namespace sluice::dataplane
