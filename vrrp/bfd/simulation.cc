#include "vrrp/bfd/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "vrrp/bfd/demultiplex.h"
#include "vrrp/bfd/session.h"

namespace sluice::vrrp::bfd::simulation {

namespace {

using namespace std::chrono_literals;

constexpr Microseconds quiet_time = 30s;  // at the end; slow packets and a detection time of 255 slow ones fit in

struct Side {
  std::unique_ptr<Session> session;  // null: the host is dead
  net::IpAddr address;
  Time heard{};                  // last packet that was taken
  std::optional<Time> periodic;  // last packet that wasn't an answer or news
  Microseconds quickest{};       // interval that held since
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  std::optional<std::string> run() {
    sides_[0].address = net::Ipv4Addr::of(10, 0, 0, 1);
    sides_[1].address = net::Ipv4Addr::of(10, 0, 0, 2);
    passive_ = chance(0.3) ? int(pick(0, 1)) : -1;
    loss_ = chance(0.3) ? 0 : 0.05 * double(pick(0, 8));
    for (int side = 0; side < 2; ++side) start(side);
    Time disturbance = now_ + Microseconds(pick(0, 3'000'000));
    const Time quiet = now_ + Microseconds(pick(5'000'000, 40'000'000));
    while (complaint_.empty() && now_ < quiet) {
      advance(std::min(disturbance, quiet));
      if (now_ == disturbance) {
        disturb();
        disturbance = now_ + Microseconds(pick(1'000, 4'000'000));
      }
    }
    if (!complaint_.empty()) return complaint_;
    loss_ = 0;
    cut_ = {false, false};
    late_max_ = 2ms;
    for (int side = 0; side < 2; ++side) {
      if (sides_[side].session == nullptr) start(side);
    }
    const Time settled = now_ + quiet_time;
    while (complaint_.empty() && now_ < settled) advance(settled);
    for (const Side& side : sides_) {
      if (complaint_.empty() && side.session->state() != State::up) complain("not Up over a quiet wire");
    }
    const auto downs = [&] {
      return sides_[0].session->counters().times_down + sides_[1].session->counters().times_down;
    };
    const auto before = downs();
    const Time end = now_ + 10s;
    while (complaint_.empty() && now_ < end) advance(end);
    if (complaint_.empty() && downs() != before) complain("went down over a quiet wire");
    if (complaint_.empty()) return std::nullopt;
    return complaint_;
  }

 private:
  std::uint64_t pick(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }
  bool chance(double p) { return std::bernoulli_distribution(p)(random_); }
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = fmt::format("at {} us: {}", now_.time_since_epoch().count(), std::move(what));
  }

  SessionConfig any_config(int side) {
    return {.name = side == 0 ? "a" : "b",
            .min_tx = Microseconds(pick(5'000, 300'000)),
            .min_rx = Microseconds(pick(5'000, 300'000)),
            .idle_tx = Microseconds(pick(0, 2'000'000)),
            .detect_mult = std::uint8_t(pick(2, 6)),
            .passive = passive_ == side};
  }

  void start(int side) {
    sides_[side].session = std::make_unique<Session>(any_config(side), std::uint32_t(pick(1, 0xffffffff)), random_());
    sides_[side].heard = now_;
    sides_[side].periodic.reset();
    perform(side, sides_[side].session->start(now_), false);
  }

  void disturb() {
    const int side = int(pick(0, 1));
    switch (pick(0, 5)) {
      case 0: cut_[std::size_t(side)] = !cut_[std::size_t(side)]; break;
      case 1: cut_ = {false, false}; break;
      case 2: late_max_ = Microseconds(pick(100, 80'000)); break;
      case 3: sides_[side].session.reset(); break;  // it dies, and says nothing
      case 4: {
        if (sides_[side].session != nullptr) perform(side, sides_[side].session->stop(now_), false);
        start(side);
        break;
      }
      case 5: {
        if (sides_[side].session == nullptr) return start(side);
        perform(side, sides_[side].session->reload(now_, any_config(side)), false);
        break;
      }
    }
  }

  /// To what happens next, but not beyond `limit`.
  void advance(Time limit) {
    Time next = limit;
    if (!wire_.empty()) next = std::min(next, wire_.begin()->first);
    for (const Side& side : sides_) {
      if (side.session != nullptr && side.session->deadline()) next = std::min(next, *side.session->deadline());
    }
    now_ = std::max(now_, next);
    while (!wire_.empty() && wire_.begin()->first <= now_) {
      const auto [to, bytes] = wire_.begin()->second;
      wire_.erase(wire_.begin());
      deliver(to, bytes);
    }
    for (int i = 0; i < 2; ++i) {
      Side& side = sides_[i];
      if (side.session == nullptr) continue;
      const auto deadline = side.session->deadline();
      if (!deadline || *deadline > now_) continue;
      const Microseconds time = side.session->detection_time();
      const bool was_on = side.session->state() == State::up || side.session->state() == State::init;
      const auto actions = side.session->on_timer(now_);
      if (was_on && side.session->state() == State::down && now_ - side.heard < time) complain("down too early");
      perform(i, actions, true);
      if (side.session->deadline() && *side.session->deadline() <= now_) complain("the deadline doesn't move on");
    }
    for (const Side& side : sides_) {
      if (side.session != nullptr && side.session->state() == State::up &&
          now_ - side.heard > side.session->detection_time())
        complain("Up without a neighbor");
    }
  }

  void deliver(int to, const PacketBytes& bytes) {
    Side& side = sides_[to];
    if (side.session == nullptr) return;
    const auto packet = decode(bytes);
    if (!packet) return complain("an unreadable packet of ours");
    const SessionKey key{side.session->discriminator(), sides_[1 - to].address};
    if (!find_session({&key, 1}, *packet, {key.neighbor, 255})) return;
    side.heard = now_;
    perform(to, side.session->on_packet(now_, *packet), false);
  }

  void perform(int from, const Actions& actions, bool by_timer) {
    Side& side = sides_[from];
    const bool is_news =
        std::ranges::any_of(actions, [](const Action& each) { return std::holds_alternative<StateChange>(each); });
    side.quickest = std::min(side.quickest, side.session->transmit_interval());
    for (const Action& action : actions) {
      const auto* send = std::get_if<Send>(&action);
      if (send == nullptr) continue;
      if (by_timer && !is_news) {
        if (side.periodic && now_ - *side.periodic < side.quickest * 75 / 100) complain("packets too close");
        side.periodic = now_;
        side.quickest = side.session->transmit_interval();
      }
      if (cut_[std::size_t(from)]) continue;
      for (int copies = chance(0.02) ? 2 : 1; copies > 0; --copies) {
        if (chance(loss_)) continue;
        const Time arrives = now_ + Microseconds(pick(50, std::uint64_t(late_max_.count())));
        wire_.emplace(arrives, std::pair(1 - from, encode(send->packet)));
      }
    }
  }

  std::mt19937_64 random_;
  Time now_{1s};
  std::array<Side, 2> sides_;
  std::multimap<Time, std::pair<int, PacketBytes>> wire_;
  std::array<bool, 2> cut_{};
  double loss_ = 0;
  Microseconds late_max_{1000};
  int passive_ = -1;
  std::string complaint_;
};

}  // namespace

std::optional<std::string> run(std::uint64_t seed) { return History(seed).run(); }

}  // namespace sluice::vrrp::bfd::simulation
