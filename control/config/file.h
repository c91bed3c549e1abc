// Reads a configuration file under keepalived's rules for one: regular, not executable; and under our size limit.
#pragma once

#include <string>

#include "net/error.h"

namespace sluice::control::config {

/// The whole file. Fails with the operating system's reason, or the rule that the file breaks; `where` is the path.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);

}  // namespace sluice::control::config
