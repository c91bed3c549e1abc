// Splits a request's target into path and query. Pure. Reading requests is server.h's work.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/api/server.h"

namespace sluice::control::api {

/// "/connections?limit=10&x" to {"/connections", {{"limit", "10"}, {"x", ""}}}. %XX is decoded in names and values,
/// '+' is not special. Nothing if it doesn't begin with '/', or for a broken or zero %XX. The last of equal names
/// counts.
[[nodiscard]] std::optional<Request> parse_target(std::string_view target);

/// For a value in a query: everything but letters, digits and "-._~/" as %XX, so that parse_target() gives it back.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace sluice::control::api
