// Runs one path of the engine for a fixed number of packets, for callgrind to count (tests/instructions.py): the count
// is the same on every run, whatever else the machine does.
//
//   bench_instructions dr|nat-in|nat-out|tun|open FLOWS TURNS       prints how many packets were measured
#include <cstdio>
#include <string>

#include "bench/engine_setup.h"

namespace sluice::bench {
namespace {

/// The only function whose instructions count.
[[gnu::noinline]] void measured(Setup& setup, Traffic& traffic, unsigned turns) {
  for (unsigned i = 0; i < turns; ++i) setup.turn(traffic);
}

int run(const std::string& name, std::uint32_t flows, unsigned turns) {
  using dataplane::ForwardMethod;
  SetupOptions options{.flows = flows, .room = std::uint32_t(turns * burst)};
  if (name == "dr") options.method = ForwardMethod::direct;
  if (name == "tun") options.method = ForwardMethod::tunnel;
  Setup setup(options);
  Traffic opening(flows, Side::client, vip, server, net::tcp_syn);
  opening.in_order_from(flows);
  Traffic& traffic = name == "open" ? opening : name == "nat-out" ? setup.replies() : setup.requests();
  // Every connection has been seen in this direction.
  for (std::uint32_t seen = 0; name != "open" && seen < 2 * flows; seen += burst) setup.turn(traffic);
  measured(setup, traffic, turns);
  if (setup.dropped() != 0) return 1;
  std::printf("%zu\n", turns * burst);
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return sluice::bench::run(argv[1], std::uint32_t(std::stoul(argv[2])), unsigned(std::stoul(argv[3])));
}
