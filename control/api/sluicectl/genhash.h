// genhash: fetches a web page as HTTP_GET and SSL_GET do, and prints the MD5 digest of its body, for `digest` in a url
// block. Options and output are those of keepalived's genhash; a failure is told on stderr and by the exit status,
// where keepalived's says so on stdout and ends with 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "health/spec.h"
#include "net/error.h"

namespace sluice::control::api {

struct GenhashOptions {
  /// One URL, whose statuses don't matter: any answer has a body.
  health::HttpGetSpec get;
  bool tls = false;
  bool server_name = false;  ///< in TLS: the virtual host
  bool verbose = false;
};

/// arguments: without the program's name. Error: what is wrong with them; empty if the usage was asked for.
[[nodiscard]] Result<GenhashOptions> parse_genhash(const std::vector<std::string>& arguments);

/// Bytes as genhash's verbose mode shows them: sixteen to a line, with a decimal offset before and characters after.
[[nodiscard]] std::string hex_dump(std::string_view bytes);

/// All of it: name is what the usage calls the program. Returns the exit status: 0 when a digest was printed, else 1.
int genhash_main(const std::string& name, const std::vector<std::string>& arguments);

}  // namespace sluice::control::api
