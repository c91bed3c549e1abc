// Reads a configuration file under keepalived's rules for one: regular, not executable; and under our size limit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/error.h"

namespace sluice::control::config {

/// The whole file. Fails with the operating system's reason, or the rule that the file breaks; `where` is the path.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);

/// The file of that name, or, if there is none and the name is a pattern, all files that match it: their names and
/// texts, file_bytes_max in all. Fails if one of them can't be read.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> read_config_files(const std::string& path);

}  // namespace sluice::control::config
