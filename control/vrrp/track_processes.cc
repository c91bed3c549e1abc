#include "control/vrrp/track_processes.h"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <utility>

namespace sluice::control {

namespace {

constexpr std::chrono::seconds poll_interval{1};
// What is compared is in the configuration, and lines there are shorter.
constexpr std::size_t command_max = 64 * 1024;

std::string read_some(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text(most, '\0');
  in.read(text.data(), std::streamsize(most));
  text.resize(std::size_t(in.gcount()));
  return text;
}

std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < command.size();) {
    const std::size_t end = std::min(command.find('\0', at), command.size());
    words.push_back(command.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

/// Those that /proc shows.
std::vector<pid_t> processes_there() {
  std::vector<pid_t> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), &::closedir);
  if (folder == nullptr) return all;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    pid_t process = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), process);
    if (error == std::errc{} && end == name.data() + name.size()) all.push_back(process);
  }
  return all;
}

}  // namespace

std::optional<ProcessView> look_at_process(pid_t process, bool with_command) {
  const std::string folder = fmt::format("/proc/{}/", process);
  // "PID (NAME) STATE ...", and the name may hold anything.
  const std::string stat = read_some(folder + "stat", 512);
  const std::size_t begin = stat.find('(');
  const std::size_t end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end < begin || end + 2 >= stat.size()) {
    return std::nullopt;
  }
  const char state = stat[end + 2];
  if (state == 'Z' || state == 'X') return std::nullopt;
  ProcessView view{.name = stat.substr(begin + 1, end - begin - 1), .command = {}};
  if (with_command) view.command = words_of(read_some(folder + "cmdline", command_max));
  return view;
}

TrackProcesses::TrackProcesses(boost::asio::io_context& io, std::function<void(TrackedStatus)> changed, Log log)
    : changed_(std::move(changed)), log_(std::move(log)), waiter_(io), poll_timer_(io), delay_timer_(io) {}

TrackProcesses::~TrackProcesses() {
  if (waiter_.is_open()) waiter_.release();
}

void TrackProcesses::configure(const std::vector<config::TrackProcess>& processes, const config::SocketBuffer& buffer) {
  const std::vector<ProcessQuorum> before = std::exchange(quorums_, {});
  matching_.clear();
  needs_commands_ = std::ranges::any_of(processes, needs_command_line);
  for (const config::TrackProcess& each : processes) quorums_.emplace_back(each, 0);
  if (quorums_.empty()) {
    if (waiter_.is_open()) waiter_.release();
    events_.reset();
    poll_timer_.cancel();
    delay_timer_.cancel();
    watches_ = false;
    return;
  }
  // Before /proc is read: nothing happens unseen in between.
  if (!watches_) open_events(buffer);
  watches_ = true;
  scan();
  const std::vector<unsigned> running = count();
  for (std::size_t i = 0; i < quorums_.size(); ++i) {
    const auto same =
        std::ranges::find_if(before, [&](const ProcessQuorum& old) { return old.watched() == quorums_[i].watched(); });
    quorums_[i] = same != before.end() ? *same : ProcessQuorum(processes[i], running[i]);
  }
  recount();
}

std::vector<TrackedStatus> TrackProcesses::all() const {
  std::vector<TrackedStatus> all;
  for (const ProcessQuorum& quorum : quorums_) {
    all.push_back({vrrp::TrackKind::process, quorum.watched().name, quorum.up(), quorum.running()});
  }
  return all;
}

void TrackProcesses::open_events(const config::SocketBuffer& buffer) {
  auto events = ProcessEvents::open(buffer.bytes.value_or(0), buffer.force);
  if (!events) {
    log_(fmt::format("{}: processes are looked for each second", events.error().text()));
    return wait_for_poll();
  }
  events_ = std::move(*events);
  waiter_.assign(events_->descriptor());
  wait_for_events();
}

void TrackProcesses::wait_for_events() {
  waiter_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error || !events_) return;
    const auto read =
        events_->read([this](pid_t process) { look(process); }, [this](pid_t process) { forget(process); });
    if (read == ProcessEvents::Read::lost) scan();
    recount();
    wait_for_events();
  });
}

void TrackProcesses::wait_for_poll() {
  poll_timer_.expires_after(poll_interval);
  poll_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    scan();
    recount();
    wait_for_poll();
  });
}

void TrackProcesses::scan() {
  matching_.clear();
  for (const pid_t process : processes_there()) look(process);
}

void TrackProcesses::look(pid_t process) {
  const auto view = look_at_process(process, needs_commands_);
  if (!view) return forget(process);
  std::vector<std::size_t> which;
  for (std::size_t i = 0; i < quorums_.size(); ++i) {
    if (matches(quorums_[i].watched(), *view)) which.push_back(i);
  }
  if (which.empty()) return forget(process);
  matching_[process] = std::move(which);
}

void TrackProcesses::forget(pid_t process) { matching_.erase(process); }

/// How many run, by quorum.
std::vector<unsigned> TrackProcesses::count() const {
  std::vector<unsigned> running(quorums_.size(), 0);
  for (const auto& [process, which] : matching_) {
    for (const std::size_t each : which) ++running[each];
  }
  return running;
}

void TrackProcesses::recount() {
  const std::vector<unsigned> running = count();
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < quorums_.size(); ++i) {
    if (quorums_[i].count(running[i], now)) tell(quorums_[i]);
  }
  arm();
}

void TrackProcesses::tell(const ProcessQuorum& quorum) {
  const config::TrackProcess& watched = quorum.watched();
  log_(fmt::format("Quorum {} for tracked process {} ({} running)", quorum.up() ? "gained" : "lost", watched.name,
                   quorum.running()));
  changed_({vrrp::TrackKind::process, watched.name, quorum.up()});
}

void TrackProcesses::arm() {
  std::optional<ProcessQuorum::Time> next;
  for (const ProcessQuorum& quorum : quorums_) {
    if (quorum.due() && (!next || *quorum.due() < *next)) next = quorum.due();
  }
  if (!next) return void(delay_timer_.cancel());
  delay_timer_.expires_at(*next);
  delay_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    for (ProcessQuorum& quorum : quorums_) {
      if (quorum.on_time(std::chrono::steady_clock::now())) tell(quorum);
    }
    arm();
  });
}

}  // namespace sluice::control
