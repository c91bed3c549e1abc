// Replays what Linux IPVS itself chose (kernel_logs/, recorded by the script there) and expects the same choices, the
// same counts and the same order of the list. The tests' bench stands for the rest of LVS.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "dataplane/sched/test_bench.h"

namespace sluice::dataplane::test {
namespace {

namespace fs = std::filesystem;

net::Endpoint endpoint(const std::string& text) {
  const auto colon = text.find(':');
  return {net::Ipv4Addr::parse(text.substr(0, colon)).value(),
          net::L4Port::of(static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))))};
}

/// "C:2:3:1 ...": name, weight, active, inactive, in the list's order; as the log's list lines have it.
std::string listing(Bench& bench) {
  std::string text;
  for (const Candidate& candidate : bench.service().candidates) {
    const Load& load = bench.loads()[index(candidate.destination)];
    text += std::string(" ") + Bench::name_of(candidate.destination) + ':' + std::to_string(candidate.weight) + ':' +
            std::to_string(load.active) + ':' + std::to_string(load.inactive);
  }
  return text;
}

Bench bench_of(std::istringstream& words) {
  std::string name;
  words >> name;
  Service options{};
  for (std::string option; words >> option;) {
    options.sh_fallback |= option == "sh-fallback";
    options.sh_port |= option == "sh-port";
  }
  return Bench(scheduler_from_name(name).value(), options);
}

/// One line of the log, done to the bench; choices, counts and order are compared.
void replay(const std::string& line, Bench& bench, std::size_t& choices) {
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  if (verb == "connect") {
    std::string client, to;
    char server = 0;
    words >> client >> to >> server;
    EXPECT_EQ(bench.connect(endpoint(client), net::Ipv4Addr::parse(to).value()), server);
    ++choices;
  } else if (verb == "add" || verb == "edit") {
    char name = 0;
    std::uint32_t weight = 0;
    Thresholds limit;
    words >> name >> weight >> limit.upper >> limit.lower;
    verb == "add" ? bench.add(name, weight, limit) : bench.edit(name, weight, limit);
  } else if (verb == "remove") {
    char name = 0;
    words >> name;
    bench.remove(name);
  } else if (verb == "finish" || verb == "end") {
    std::size_t connection = 0;
    words >> connection;
    verb == "finish" ? bench.finish(connection) : bench.end(connection);
  } else if (verb == "list") {
    EXPECT_EQ("list" + listing(bench), line);
  } else {
    ADD_FAILURE() << "a line that nobody understands";
  }
  EXPECT_FALSE(words.fail()) << "a line cut short";
}

class KernelLog : public testing::TestWithParam<fs::path> {};

TEST_P(KernelLog, HasTheSameChoices) {
  std::ifstream log(GetParam());
  std::string line;
  std::getline(log, line);
  ASSERT_TRUE(line.starts_with("# IPVS of Linux")) << line;
  std::getline(log, line);
  std::istringstream words(line);
  std::string verb;
  words >> verb;
  ASSERT_EQ(verb, "service");
  Bench bench = bench_of(words);
  std::size_t choices = 0;
  for (int number = 3; std::getline(log, line); ++number) {
    SCOPED_TRACE(GetParam().filename().string() + ":" + std::to_string(number) + ": " + line);
    replay(line, bench, choices);
    if (HasFailure()) return;
  }
  EXPECT_GT(choices, 100u);
}

std::vector<fs::path> logs() {
  std::vector<fs::path> found;
  for (const auto& file : fs::directory_iterator(SLUICE_KERNEL_LOGS)) {
    if (file.path().extension() == ".log") found.push_back(file.path());
  }
  std::ranges::sort(found);
  return found;
}

TEST(KernelLogs, CoverEveryScheduler) {
  std::vector<std::string> names;
  for (const auto& path : logs()) names.push_back(path.stem().string());
  for (const char* name : {"rr", "wrr", "lc", "wlc", "sh", "sh-fallback", "sh-port", "dh", "lblc"}) {
    EXPECT_TRUE(std::ranges::count(names, name) == 1) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, KernelLog, testing::ValuesIn(logs()), [](const auto& tested) {
  std::string name = tested.param.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace sluice::dataplane::test
