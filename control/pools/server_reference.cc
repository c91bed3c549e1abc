#include "control/pools/server_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "control/pools/service_name.h"

namespace sluice::control {

namespace {

/// More names than that help nobody.
constexpr std::size_t names_max = 8;

std::string endpoint(const net::IpAddr& address, net::L4Port port) { return DestinationKey{address, port}.text(); }

bool names(std::string_view text, const VirtualServiceKey& key) {
  if (text == service_name(key)) return true;
  if (key.has_mark()) return text == fmt::format("fwmark {}", key.mark);
  const std::string plain = endpoint(key.address, key.port);
  return text == plain || text == fmt::format("{}/{}", plain,
                                              key.protocol == net::Protocol::tcp   ? "tcp"
                                              : key.protocol == net::Protocol::udp ? "udp"
                                                                                   : "sctp");
}

bool names(std::string_view text, const PoolSpec& pool) {
  return text == pool_name(pool) ||
         std::ranges::any_of(pool.services, [&](const VirtualServiceSpec& each) { return names(text, each.key); });
}

/// Of all, and of those that were found.
Result<std::size_t> only_one(const char* what, std::string_view text, const std::vector<std::string>& all,
                             const std::vector<std::size_t>& found) {
  if (found.size() == 1) return found.front();
  std::string list;
  const std::size_t count = found.empty() ? all.size() : found.size();
  for (std::size_t i = 0; i < std::min(count, names_max); ++i) {
    list += (i == 0 ? "" : ", ") + all[found.empty() ? i : found[i]];
  }
  if (count > names_max) list += fmt::format(" and {} more", count - names_max);
  if (!found.empty()) return fail(std::string(text), fmt::format("is more than one {}: {}", what, list));
  return fail(std::string(text), count == 0 ? fmt::format("no such {}: there is none", what)
                                            : fmt::format("no such {}; expected one of {}", what, list));
}

template <typename All, typename Name, typename Is>
Result<std::size_t> find(const char* what, std::string_view text, const All& all, Name&& name, Is&& is) {
  std::vector<std::string> names_of_all;
  std::vector<std::size_t> found;
  std::size_t i = 0;
  for (const auto& each : all) {
    names_of_all.push_back(name(each));
    if (is(each)) found.push_back(i);
    ++i;
  }
  return only_one(what, text, names_of_all, found);
}

}  // namespace

Result<std::size_t> find_pool(std::string_view text, const PoolList& pools) {
  return find("virtual server", text, pools, pool_name, [&](const PoolSpec& pool) { return names(text, pool); });
}

Result<std::size_t> find_server(std::string_view text, const PoolSpec& pool) {
  return find(
      "real server", text, pool.servers, [](const RealServerSpec& server) { return server.destination.key.text(); },
      [&](const RealServerSpec& server) {
        const DestinationKey& key = server.destination.key;
        return text == key.text() || text == key.address.text() || text == server_name(key, pool.protocol);
      });
}

}  // namespace sluice::control
