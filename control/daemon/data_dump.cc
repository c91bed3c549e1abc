#include "control/daemon/data_dump.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <system_error>

#include "net/address.h"

namespace sluice::control {

namespace {

using Text = fmt::memory_buffer;

template <typename... Args>
void line(Text& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
  text.push_back('\n');
}

void header(Text& text, const char* title) { line(text, "------< {} >------", title); }

const char* yes_no(bool value) { return value ? "yes" : "no"; }

// keepalived's endpoint: "[192.0.2.1]:tcp:80".
std::string endpoint(const net::IpAddr& address, net::L4Port port, net::Protocol protocol) {
  std::string name{net::to_string(protocol)};
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return fmt::format("[{}]:{}:{}", address.text(), name, port.host());
}

const VirtualServiceStatus* find(const std::vector<VirtualServiceStatus>& table, const VirtualServiceKey& key) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const VirtualServiceStatus& status) { return status.spec.key == key; });
  return found == table.end() ? nullptr : &*found;
}

void put_server(Text& text, const RealServerStatus& server) {
  line(text, "   RIP = {}, RPORT = {}, WEIGHT = {}", server.destination.key.address.text(),
       server.destination.key.port.host(), server.destination.weight);
  line(text, "     forwarding method = {}", to_string(server.destination.method));
  line(text, "     Alive = {}", server.up ? 1 : 0);
  line(text, "     Set = {}", server.in_table ? 1 : 0);
  line(text, "     Effective weight = {}", server.in_table ? server.table_weight : 0);
}

void put_service(Text& text, const PoolStatus& pool, const VirtualServiceStatus* in_table) {
  line(text, " VS VIP = {}, VPORT = {}", pool.service.address.text(), pool.service.port.host());
  line(text, "   Address family = {}", pool.service.address.is_v4() ? "inet" : "inet6");
  line(text, "   protocol = {}", net::to_string(pool.service.protocol));
  if (in_table != nullptr) line(text, "   lb_algo = {}", in_table->spec.scheduler);
  line(text, "   quorum = {}, hysteresis = {}", pool.quorum, pool.hysteresis);
  if (pool.sorry_server) {
    line(text, "   sorry server = {}",
         endpoint(pool.sorry_server->address, pool.sorry_server->port, pool.service.protocol));
    line(text, "   sorry server in use = {}", yes_no(pool.sorry_server_serves));
  }
  const auto alive =
      std::any_of(pool.servers.begin(), pool.servers.end(), [](const auto& server) { return server.up; });
  line(text, "   VS alive = {}", alive ? 1 : 0);
  line(text, "   quorum_state_up = {}", pool.has_quorum ? 1 : 0);
  if (!pool.backend_error.empty()) line(text, "   error = {}", pool.backend_error);
  for (const RealServerStatus& server : pool.servers) put_server(text, server);
}

void put_checkers(Text& text, const PoolStatus& pool) {
  const auto& vs = pool.service;
  for (const RealServerStatus& server : pool.servers) {
    for (const CheckerStatus& checker : server.checkers) {
      line(text, " {} -> {}", endpoint(vs.address, vs.port, vs.protocol),
           endpoint(server.destination.key.address, server.destination.key.port, vs.protocol));
      line(text, "   Type = {}", checker.kind);
      line(text, "   Target = {}", checker.target);
      line(text, "   Up = {}", yes_no(checker.up));
      line(text, "   Has run = {}", yes_no(checker.has_run));
      line(text, "   Retries iterations = {}", checker.retries);
      if (!checker.reason.empty()) line(text, "   Last result = {}", checker.reason);
    }
  }
}

}  // namespace

std::string parent_data_text(const ParentData& data) {
  Text text;
  header(text, "Global definitions");
  line(text, " Parent pid = {}", data.pid);
  line(text, " Director pid = {}", data.director);
  return fmt::to_string(text);
}

std::string check_data_text(const std::vector<VirtualServiceStatus>& table, const std::vector<PoolStatus>& pools) {
  Text text;
  header(text, "LVS Topology");
  for (const PoolStatus& pool : pools) put_service(text, pool, find(table, pool.service));
  header(text, "Health checkers");
  for (const PoolStatus& pool : pools) put_checkers(text, pool);
  return fmt::to_string(text);
}

std::string status_line(const PoolCounts& counts) {
  return fmt::format("{} virtual server{}, {} of {} real server{} up", counts.pools, counts.pools == 1 ? "" : "s",
                     counts.servers_up, counts.servers, counts.servers == 1 ? "" : "s");
}

Result<> write_data_file(const std::string& name, const std::string& text) {
  const char* variable = std::getenv("TMPDIR");
  const std::string directory = variable != nullptr && variable[0] == '/' ? variable : "/tmp";
  const std::string path = directory + "/" + name;
  const auto failed = [&] { return fail(path, std::generic_category().message(errno)); };
  // A name that nobody can foresee, made by us (O_EXCL), takes the place of whatever somebody may have put there.
  std::string temporary = directory + "/." + name + "-XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) return failed();
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t more = ::write(file, text.data() + written, text.size() - written);
    if (more < 0 && errno != EINTR) break;
    if (more > 0) written += std::size_t(more);
  }
  const bool whole = written == text.size();
  Result<> done;
  if (!whole || ::rename(temporary.c_str(), path.c_str()) != 0) {
    done = failed();
    ::unlink(temporary.c_str());
  }
  ::close(file);
  return done;
}

}  // namespace sluice::control
