// The keys of auth_hmac as bytes: what stands in the configuration, or in the files that it names, which are read anew
// with each reload, so that the secret needn't be in the configuration.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "net/error.h"
#include "vrrp/hmac_trailer.h"

namespace sluice::control {

/// text: hex:DIGITS or the characters themselves, 32 to 64 bytes; white space at the end doesn't count. Errors don't
/// quote it.
[[nodiscard]] Result<std::vector<std::uint8_t>> hmac_secret_of(std::string_view text);

/// A key that can't be had is told to `say`, and left out. Files are under the rules for a configuration file.
[[nodiscard]] std::vector<vrrp::HmacKey> read_hmac_keys(const config::AuthHmac& hmac,
                                                        const std::function<void(const std::string&)>& say);

}  // namespace sluice::control
