#include "control/bfd/bfd_sessions.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstring>

namespace sluice::control {

namespace bfd = vrrp::bfd;

struct BfdSessions::Running : std::enable_shared_from_this<Running> {
  Running(boost::asio::io_context& io, config::BfdInstance instance, bfd::Session session_)
      : config(std::move(instance)), session(std::move(session_)), timer(io) {}

  config::BfdInstance config;
  bfd::Session session;
  boost::asio::steady_timer timer;
  std::optional<vrrp::Time> armed_for;
  std::optional<BfdSender> sender;  // nothing: it couldn't be opened yet
  int send_error = 0;               // errno that was logged last
  std::string open_error;           // the same for opening
  std::chrono::system_clock::time_point last_change = std::chrono::system_clock::now();
  std::array<std::uint64_t, bfd::receive_errors> errors{};
  std::set<bfd::ReceiveError> said;  // kinds that were logged since the last change of state
};

/// A socket that sessions share, and the wait for it.
struct BfdSessions::Listener {
  Listener(boost::asio::io_context& io, BfdReceiver opened)
      : receiver(std::move(opened)), waiter(io, receiver.descriptor()) {}
  ~Listener() { waiter.release(); }  // the receiver closes it

  BfdReceiver receiver;
  boost::asio::posix::stream_descriptor waiter;
};

namespace {

// Read in one go: a flood at one port must not keep the others' deadlines from being looked at.
constexpr int datagrams_at_once = 256;
constexpr std::chrono::seconds open_again{1};

vrrp::Time now() {
  return vrrp::Time(
      std::chrono::duration_cast<vrrp::Microseconds>(std::chrono::steady_clock::now().time_since_epoch()));
}

bfd::SessionConfig session_config(const config::BfdInstance& instance) {
  return {.name = instance.name,
          .min_tx = instance.min_tx,
          .min_rx = instance.min_rx,
          .idle_tx = instance.idle_tx,
          .detect_mult = std::uint8_t(instance.multiplier),
          .passive = instance.passive};
}

bfd::SessionKey key_of(const config::BfdInstance& instance, std::uint32_t discriminator) {
  return {.discriminator = discriminator,
          .neighbor = instance.neighbor,
          .multihop = instance.multihop,
          .ttl_min = bfd::ttl_min_of(instance.ttl, instance.max_hops)};
}

bool is_same_session(const config::BfdInstance& before, const config::BfdInstance& after) {
  return before.name == after.name && before.neighbor == after.neighbor && before.source == after.source &&
         before.multihop == after.multihop;
}

}  // namespace

BfdSessions::BfdSessions(boost::asio::io_context& io, BfdHooks hooks) : io_(io), hooks_(std::move(hooks)), retry_(io) {
  std::random_device device;
  random_.seed((std::uint64_t{device()} << 32) | device());
}

BfdSessions::~BfdSessions() { stop(); }

void BfdSessions::log(std::string text, bool is_warning, bool is_detail) const {
  hooks_.log({std::move(text), is_warning, is_detail});
}

// --- making them -----------------------------------------------------------------------------------------------------

void BfdSessions::reload(const BfdInstances& instances) {
  std::vector<std::shared_ptr<Running>> before = std::move(sessions_);
  sessions_.clear();
  std::vector<const config::BfdInstance*> fresh;
  for (const config::BfdInstance& instance : instances) {
    const auto same = std::ranges::find_if(
        before, [&](const auto& each) { return each != nullptr && is_same_session(each->config, instance); });
    if (same == before.end()) {
      fresh.push_back(&instance);
      continue;
    }
    Running& running = *sessions_.emplace_back(std::move(*same));
    running.config = instance;
    if (running.sender) running.sender->set_ttl(instance.ttl);
    perform(running, running.session.reload(now(), session_config(instance)));
  }
  // Those that go say so before others with the same neighbor begin.
  for (const auto& gone : before) {
    if (gone != nullptr) perform(*gone, gone->session.stop(now()));
  }
  std::vector<Running*> begin;
  for (const config::BfdInstance* instance : fresh) begin.push_back(&add(*instance));
  keys_.clear();
  for (const auto& running : sessions_) keys_.push_back(key_of(running->config, running->session.discriminator()));
  open_receivers();
  for (Running* running : begin) perform(*running, running->session.start(now()));
}

BfdSessions::Running& BfdSessions::add(const config::BfdInstance& instance) {
  return *sessions_.emplace_back(
      std::make_shared<Running>(io_, instance, bfd::Session(session_config(instance), new_discriminator(), random_())));
}

std::uint32_t BfdSessions::new_discriminator() {
  for (;;) {
    const auto number = std::uint32_t(random_());
    const bool taken =
        std::ranges::any_of(sessions_, [&](const auto& each) { return each->session.discriminator() == number; });
    if (number != 0 && !taken) return number;
  }
}

// One for each family and kind of hop that is in use. Who has the port may leave it: it is tried again.
void BfdSessions::open_receivers() {
  std::set<Kind> wanted;
  for (const bfd::SessionKey& key : keys_) wanted.emplace(key.neighbor.is_v6(), key.multihop);
  std::erase_if(listeners_, [&](const auto& each) { return !wanted.contains(each.first); });
  std::erase_if(unopened_, [&](const auto& each) { return !wanted.contains(each.first); });
  bool is_missing = false;
  for (const Kind& kind : wanted) {
    if (listeners_.contains(kind)) continue;
    auto opened = BfdReceiver::open(kind.first, kind.second);
    if (!opened) {
      is_missing = true;
      std::string& why = unopened_[kind];
      if (why != opened.error().text()) log(why = opened.error().text(), true);
      continue;
    }
    if (unopened_.erase(kind) > 0) log(fmt::format("BFD listens, {}", kind.first ? "IPv6" : "IPv4"));
    listen(listeners_.emplace(kind, std::make_shared<Listener>(io_, std::move(*opened))).first->second);
  }
  if (!is_missing) return;
  retry_.expires_after(open_again);
  retry_.async_wait([this](const boost::system::error_code& error) {
    if (!error) open_receivers();
  });
}

void BfdSessions::stop() {
  retry_.cancel();
  for (const auto& running : sessions_) perform(*running, running->session.stop(now()));
  sessions_.clear();
  keys_.clear();
  listeners_.clear();
}

void BfdSessions::publish() {
  for (const auto& running : sessions_) {
    hooks_.changed(news_of(*running, false));
  }
}

BfdNews BfdSessions::news_of(const Running& running, bool is_lost) {
  BfdNews news{.name = running.config.name,
               .up = running.session.state() == bfd::State::up,
               .for_vrrp = running.config.for_vrrp,
               .for_checkers = running.config.for_checkers};
  if (is_lost) news.lost_neighbor = running.config.neighbor;
  return news;
}

// --- what comes in ---------------------------------------------------------------------------------------------------

// What a handler is about may have gone between its turn's coming and its turn.
void BfdSessions::listen(const std::shared_ptr<Listener>& listener) {
  listener->waiter.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                              [this, weak = std::weak_ptr(listener)](const boost::system::error_code& error) {
                                const auto alive = weak.lock();
                                if (error || alive == nullptr) return;
                                drain(*alive);
                                listen(alive);
                              });
}

void BfdSessions::drain() {
  for (const auto& [kind, listener] : listeners_) drain(*listener);
}

void BfdSessions::drain(Listener& listener) {
  for (int i = 0; i < datagrams_at_once; ++i) {
    const auto datagram = listener.receiver.receive();
    if (!datagram) return;
    on_datagram(*datagram);
  }
}

void BfdSessions::on_datagram(const BfdDatagram& datagram) {
  const auto packet = bfd::decode(datagram.payload);
  if (!packet) return reject({packet.error(), std::nullopt}, datagram.arrival);
  const auto found = bfd::find_session(keys_, *packet, datagram.arrival);
  if (!found) return reject(found.error(), datagram.arrival);
  Running& running = *sessions_[*found];
  perform(running, running.session.on_packet(now(), *packet));
}

// Each kind is said once, of a session once in each of its states: a flood of packets is no flood of lines.
void BfdSessions::reject(const bfd::Misfit& why, const bfd::Arrival& arrival) {
  const auto kind = std::size_t(why.error);
  Running* running = why.session ? sessions_[*why.session].get() : nullptr;
  ++(running != nullptr ? running->errors : errors_)[kind];
  if (!(running != nullptr ? running->said : said_).insert(why.error).second) return;
  const std::string whose = running != nullptr ? fmt::format("({}) ", running->config.name) : "";
  log(fmt::format("{}Discarding packet from {} (TTL {}): {}", whose, arrival.source.text(), arrival.ttl,
                  bfd::meaning(why.error)),
      true);
}

// We may be late, and what would have kept the session may wait in a socket: it is read first.
void BfdSessions::on_deadline(Running& running) {
  running.armed_for.reset();
  drain();
  perform(running, running.session.on_timer(now()));
}

// --- what is decided -------------------------------------------------------------------------------------------------

void BfdSessions::perform(Running& running, const bfd::Actions& actions) {
  // Who waits for it hears of it before the log and the neighbor do.
  for (const bfd::Action& action : actions) {
    const auto* change = std::get_if<bfd::StateChange>(&action);
    if (change == nullptr) continue;
    running.last_change = std::chrono::system_clock::now();
    running.said.clear();
    const bool is_up = change->to == bfd::State::up;
    if (is_up != (change->from == bfd::State::up) && change->to != bfd::State::admin_down)
      hooks_.changed(news_of(running, change->local == bfd::Diagnostic::detection_time_expired));
  }
  for (const bfd::Action& action : actions) {
    if (const auto* packet = std::get_if<bfd::Send>(&action)) send(running, packet->packet);
    if (const auto* line = std::get_if<bfd::Log>(&action)) log(line->text, false, line->detail);
  }
  arm(running);
}

void BfdSessions::send(Running& running, const bfd::ControlPacket& packet) {
  if (!running.sender) {
    auto opened = BfdSender::open(
        {running.config.neighbor, running.config.source, running.config.multihop, running.config.ttl}, random_);
    if (!opened) {
      if (running.open_error != opened.error().text())
        log(fmt::format("({}) {}", running.config.name, running.open_error = opened.error().text()), true);
      return;
    }
    running.sender = std::move(*opened);
  }
  const int error = running.sender->send(bfd::encode(packet));
  if (error != 0 && error != running.send_error) {
    log(fmt::format("({}) can't send to {}: {}", running.config.name, running.config.neighbor.text(),
                    std::strerror(error)),
        true);
  }
  running.send_error = error;
}

void BfdSessions::arm(Running& running) {
  const auto deadline = running.session.deadline();
  if (deadline == running.armed_for) return;
  running.armed_for = deadline;
  if (!deadline) {
    running.timer.cancel();
    return;
  }
  running.timer.expires_at(std::chrono::steady_clock::time_point(deadline->time_since_epoch()));
  running.timer.async_wait([this, weak = running.weak_from_this()](const boost::system::error_code& error) {
    const auto alive = weak.lock();
    if (!error && alive != nullptr) on_deadline(*alive);
  });
}

BfdStatus BfdSessions::status() const {
  BfdStatus result;
  result.errors = errors_;
  for (const auto& running : sessions_) {
    const bfd::Session& session = running->session;
    const config::BfdInstance& config = running->config;
    result.sessions.push_back({.name = config.name,
                               .neighbor = config.neighbor,
                               .source = config.source,
                               .multihop = config.multihop,
                               .passive = config.passive,
                               .ttl = config.ttl,
                               .ttl_min = bfd::ttl_min_of(config.ttl, config.max_hops),
                               .max_hops = config.max_hops,
                               .for_vrrp = config.for_vrrp,
                               .for_checkers = config.for_checkers,
                               .state = session.state(),
                               .remote_state = session.remote_state(),
                               .diagnostic = session.diagnostic(),
                               .remote_diagnostic = session.remote_diagnostic(),
                               .discriminator = session.discriminator(),
                               .remote_discriminator = session.remote_discriminator(),
                               .min_tx = config.min_tx,
                               .min_rx = config.min_rx,
                               .idle_tx = config.idle_tx,
                               .remote_min_tx = session.remote_min_tx(),
                               .remote_min_rx = session.remote_min_rx(),
                               .detect_mult = config.multiplier,
                               .remote_detect_mult = session.remote_detect_mult(),
                               .transmit_interval = session.transmit_interval(),
                               .detection_time = session.detection_time(),
                               .polling = session.is_polling(),
                               .in_state = now() - session.last_change(),
                               .last_change = running->last_change,
                               .counters = session.counters(),
                               .errors = running->errors});
  }
  return result;
}

}  // namespace sluice::control
