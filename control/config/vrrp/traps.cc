// Settings of one instance that are allowed and hurt: each is said in one sentence, and what to write instead in
// another.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

constexpr unsigned owner_priority = 255;
/// An effective priority stays within 1..254 unless the instance is the owner.
constexpr int effective_min = 1;
constexpr int effective_max = 254;
/// Of an instance that doesn't say.
constexpr int usual_priority = 100;

class Traps {
 public:
  Traps(Context& context, const Statement& statement, const InstanceDraft& draft)
      : context_(context), statement_(statement), draft_(draft), vi_(draft.vi) {}

  void run() {
    strict();
    weights();
  }

 private:
  void strict() {
    if (!vi_.strict) return;
    if (!vi_.accept && !vi_.addresses.empty() && vi_.priority != owner_priority) {
      careful(statement_.place,
              fmt::format("{} is in strict mode, which means no_accept: packets to its virtual addresses are dropped, "
                          "not even ping is answered; {}",
                          quoted(vi_.name),
                          vi_.version == 3 ? "write 'accept' in it, or no vrrp_strict"
                                           : "write no vrrp_strict (or 'version 3' and 'accept')"));
    }
    if (!vi_.unicast_peers.empty()) {
      careful(draft_.unicast_at.value_or(statement_.place),
              fmt::format("{} is in strict mode and has unicast_peers, which the RFCs don't know: a strict router "
                          "discards what it sends; write no vrrp_strict, or no unicast_peer",
                          quoted(vi_.name)));
    }
  }

  // --- weights ---

  void weights() {
    if (vi_.priority == owner_priority) return;
    int down = 0;
    for (const auto& [list, keyword] : lists) {
      for (const Tracked& tracked : vi_.tracking.*list) {
        // A file's number multiplies its weight: it says nothing alone.
        if (keyword == "track_file" || tracked.weight.value == 0) continue;
        const int weight = tracked.weight.reverse ? -tracked.weight.value : tracked.weight.value;
        if (weight < 0) down -= weight;
        clamp(keyword, tracked.name, weight);
      }
    }
    const int lowest = std::max(effective_min, static_cast<int>(vi_.priority) - down);
    if (down > 0 && vi_.state == InitialState::master && lowest > usual_priority) {
      careful(statement_.place,
              fmt::format("with everything down that {} tracks, its priority is still {}: a backup with the usual {} "
                          "never takes over; make the weights larger than the distance between the priorities",
                          quoted(vi_.name), lowest, usual_priority));
    }
  }

  /// A weight beyond the range of priorities acts in part, or not at all.
  void clamp(std::string_view keyword, const std::string& name, int weight) {
    const int priority = static_cast<int>(vi_.priority);
    const int room = weight > 0 ? effective_max - priority : priority - effective_min;
    if (std::abs(weight) <= room) return;
    const Place place = line_of(keyword, name);
    if (room == 0) {
      careful(place,
              fmt::format("the weight {} of {} never acts: a priority stays within 1..254, and {} has {} already; "
                          "write a priority that leaves room for it",
                          weight, quoted(name), quoted(vi_.name), priority));
    } else {
      careful(place,
              fmt::format("the weight {} of {} acts as {}: a priority stays within 1..254, and {} has {}; write a "
                          "smaller weight or a priority that leaves room for it",
                          weight, quoted(name), weight > 0 ? room : -room, quoted(vi_.name), priority));
    }
  }

  [[nodiscard]] Place line_of(std::string_view keyword, const std::string& name) const {
    const auto& places = draft_.tracking.places;
    const auto found = places.find(fmt::format("{} {}", keyword, name));
    return found == places.end() ? statement_.place : found->second;
  }

  void careful(Place place, const std::string& message) { context_.diagnostics.notice(place, "careful: " + message); }

  struct ListName {
    std::vector<Tracked> Tracking::*list;
    std::string_view keyword;
  };
  static constexpr ListName lists[] = {{&Tracking::interfaces, "track_interface"},
                                       {&Tracking::scripts, "track_script"},
                                       {&Tracking::files, "track_file"},
                                       {&Tracking::processes, "track_process"},
                                       {&Tracking::bfds, "track_bfd"}};

  Context& context_;
  const Statement& statement_;
  const InstanceDraft& draft_;
  const VrrpInstance& vi_;
};

}  // namespace

void warn_of_traps(Context& context, const Statement& statement, const InstanceDraft& draft) {
  Traps(context, statement, draft).run();
}

}  // namespace sluice::control::config
