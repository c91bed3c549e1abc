// The effective configuration, defaults and corrections included: in keepalived's language, to be read and fed back, or
// as JSON. And the list of every keyword that the language has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"

namespace sluice::control::config {

/// Read again, it gives a Config that is equal, without a complaint.
[[nodiscard]] std::string to_text(const Config& config);
/// One object; blocks by keyword, those that may stand more than once as arrays. Durations are seconds.
[[nodiscard]] std::string to_json(const Config& config);

/// What a keyword does here.
enum class Effect : std::uint8_t {
  acts,
  none,  ///< read and kept; Sluice has no use for it, and says why
  later  ///< read and kept; what it asks for isn't built yet
};

struct KeywordInfo {
  std::string block;  ///< "", "global_defs", "virtual_server/real_server/HTTP_GET/url"
  std::string_view name;
  std::string_view alias_of;  ///< empty: none
  Effect effect = Effect::acts;
  std::string_view reason;  ///< of an effect that isn't `acts`
};

/// In the order of the tables.
[[nodiscard]] std::vector<KeywordInfo> all_keywords();

}  // namespace sluice::control::config
