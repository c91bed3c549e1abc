// What the tables of sluicectl have in common: JSON in, aligned lines out, and one complaint about JSON that isn't the
// daemon's. For *_table.cc and tables.cc.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/error.h"

namespace sluice::control::api {

using Json = nlohmann::ordered_json;

/// Runs a renderer over parsed JSON; its complaints about missing or mistyped members become an error.
template <typename Render>
Result<std::string> rendered(std::string_view text, Render&& render) {
  try {
    return render(Json::parse(text));
  } catch (const Json::exception& unexpected) {
    return fail("", std::string("sluiced answered something else than expected, are sluicectl and sluiced of the same "
                                "version? ") +
                        unexpected.what());
  }
}

/// Lines of a table, its heading first.
struct Row {
  std::vector<std::string> cells;
  std::string details = {};  ///< whole lines that follow the row's
};

/// Each column as wide as its widest cell, a blank in between; the last one as it is.
[[nodiscard]] std::string aligned(const std::vector<Row>& rows);

/// " sent=3 received=0", or without those that are 0; " none" if nothing is left.
[[nodiscard]] std::string counts_text(const Json& counts, bool zeros);

/// "04:05:06", "3d 04:05:06"
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace sluice::control::api
