// Texts of the model's small values; see common.h.
#include "control/config/model/common.h"

#include <fmt/format.h>

namespace sluice::control::config {

std::string Position::text() const { return fmt::format("{}:{}:{}", file == nullptr ? "" : *file, line, column); }

std::string Prefix::text() const { return fmt::format("{}/{}", address.text(), length); }

}  // namespace sluice::control::config
