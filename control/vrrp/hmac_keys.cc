#include "control/vrrp/hmac_keys.h"

#include <fmt/format.h>

#include <charconv>

#include "control/config/file.h"

namespace sluice::control {

namespace {

constexpr std::size_t bytes_min = 32;
constexpr std::size_t bytes_max = 64;

Result<std::vector<std::uint8_t>> bytes_of(const std::string& secret) {
  constexpr std::string_view from_file = "file:";
  if (!secret.starts_with(from_file)) return hmac_secret_of(secret);
  const std::string path = secret.substr(from_file.size());
  const auto text = config::read_config_file(path);
  if (!text) return std::unexpected(text.error());
  auto bytes = hmac_secret_of(*text);
  if (!bytes) return fail(path, bytes.error().what);
  return bytes;
}

}  // namespace

Result<std::vector<std::uint8_t>> hmac_secret_of(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
  std::vector<std::uint8_t> bytes;
  constexpr std::string_view hexadecimal = "hex:";
  if (!text.starts_with(hexadecimal)) {
    bytes.assign(text.begin(), text.end());
  } else {
    text.remove_prefix(hexadecimal.size());
    for (std::size_t at = 0; at < text.size(); at += 2) {
      const std::string_view digits = text.substr(at, 2);
      std::uint8_t byte = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (error != std::errc{} || end != digits.data() + 2)
        return fail({}, "not hexadecimal, expected two digits a byte");
      bytes.push_back(byte);
    }
  }
  if (bytes.size() < bytes_min || bytes.size() > bytes_max) {
    return fail({}, fmt::format("a key of {} bytes, expected {} to {}", bytes.size(), bytes_min, bytes_max));
  }
  return bytes;
}

std::vector<vrrp::HmacKey> read_hmac_keys(const config::AuthHmac& hmac,
                                          const std::function<void(const std::string&)>& say) {
  std::vector<vrrp::HmacKey> keys;
  for (const config::HmacKey& key : hmac.keys) {
    auto secret = bytes_of(key.secret);
    if (!secret) {
      say(fmt::format("key {} of auth_hmac can't be used: {}", key.id, secret.error().text()));
      continue;
    }
    keys.push_back({std::uint8_t(key.id), std::move(*secret)});
  }
  return keys;
}

}  // namespace sluice::control
