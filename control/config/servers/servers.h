// What the files of this folder show each other: reading and writing the parts of a virtual server, and the last pass
// that turns what was written into final values. Internal to control/config.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/keywords.h"

namespace sluice::control::config {

/// lvs_method NAT | DR | TUN [type T] [port N] [nocsum|csum|remcsum]. Nothing: it can't be meant.
std::optional<Forwarding> read_forwarding(Context& context, const Statement& statement);
void write_forwarding(Writer& writer, std::string_view keyword, const Forwarding& forwarding);

void read_real_server(Context& context, const Statement& statement, VirtualServer& vs);
void write_real_servers(Writer& writer, std::string_view keyword, const VirtualServer& vs);
void list_real_server(const std::string& block, std::vector<KeywordInfo>& out);

}  // namespace sluice::control::config
