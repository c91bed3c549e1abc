// Runs one path of the engine for a fixed number of packets, for callgrind to count (tests/instructions.py): what it
// counts is stable to the instruction, whatever else the machine does.
//
//   bench_instructions CASE FLOWS TURNS     CASE: dr, nat-in, nat-out, tun, open; prints the packets that were measured
#include <cstring>
#include <string>

#include "bench/engine_setup.h"

namespace sluice::bench {
namespace {

/// The only function whose instructions count.
[[gnu::noinline]] void measured(Setup& setup, Side side, unsigned turns) {
  for (unsigned i = 0; i < turns; ++i) setup.turn(side);
}

int run(const std::string& name, std::uint32_t flows, unsigned turns) {
  using dataplane::ForwardMethod;
  const ForwardMethod method = name == "dr"    ? ForwardMethod::direct
                               : name == "tun" ? ForwardMethod::tunnel
                                               : ForwardMethod::nat;
  const Side side = name == "nat-out" ? Side::server : Side::client;
  Setup setup(flows, method);
  // Every connection has been seen this second in this direction.
  for (std::uint32_t seen = 0; seen < flows; seen += burst) setup.turn(side);
  measured(setup, side, turns);
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
