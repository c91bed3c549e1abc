#include "control/vrrp/track_files.h"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

namespace sluice::control {

namespace {

// A number and what stands around it; more isn't a track_file.
constexpr std::size_t text_max = 128;

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

std::optional<std::int64_t> number_of_track_file(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, std::size_t(text.data() + text.size() - end));
  if (error != std::errc{} || rest.find_first_not_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  return value;
}

Result<std::unique_ptr<TrackFiles>> TrackFiles::open(boost::asio::io_context& io,
                                                     std::function<void(TrackedStatus)> changed, Log log) {
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) return fail("track_file", fmt::format("no inotify instance: {}", std::strerror(errno)));
  return std::unique_ptr<TrackFiles>(new TrackFiles(io, inotify, std::move(changed), std::move(log)));
}

TrackFiles::TrackFiles(boost::asio::io_context& io, int inotify, std::function<void(TrackedStatus)> changed, Log log)
    : inotify_(io, inotify), changed_(std::move(changed)), log_(std::move(log)) {
  wait();
}
TrackFiles::~TrackFiles() = default;

void TrackFiles::configure(const std::vector<config::TrackFile>& files) {
  std::map<std::string, Watched> before = std::move(files_);
  files_.clear();
  std::set<std::string> folders;
  for (const config::TrackFile& file : files) {
    const bool exists = std::filesystem::exists(file.path);
    if (file.init && (!exists || file.init->overwrite)) std::ofstream(file.path) << file.init->value << "\n";
    Watched watched{.path = file.path};
    if (const auto old = before.find(file.name); old != before.end() && old->second.path == file.path) {
      watched = old->second;
    }
    look(file.name, files_.emplace(file.name, std::move(watched)).first->second, false);
    folders.insert(folder_of(file.path));
  }
  // The folder, not the file: editors replace files by others, and a file may not be there yet.
  for (const std::string& folder : folders) {
    if (watched_folders_.contains(folder)) continue;
    const int watch = ::inotify_add_watch(inotify_.native_handle(), folder.c_str(),
                                          IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
    if (watch < 0) {
      log_(fmt::format("track_files in {} can't be watched: {}", folder, std::strerror(errno)));
    } else {
      watched_folders_.emplace(folder, watch);
    }
  }
  std::erase_if(watched_folders_, [&](const auto& each) {
    if (folders.contains(each.first)) return false;
    ::inotify_rm_watch(inotify_.native_handle(), each.second);
    return true;
  });
}

std::vector<TrackedStatus> TrackFiles::all() const {
  std::vector<TrackedStatus> all;
  for (const auto& [name, file] : files_) all.push_back({vrrp::TrackKind::file, name, true, file.value});
  return all;
}

void TrackFiles::wait() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    read_events();
    wait();
  });
}

// Which file it was hardly matters: there are few, and they are short. But one that is written anew is empty for a
// moment, and that is no news until its writer closes it.
void TrackFiles::read_events() {
  alignas(inotify_event) std::array<char, 4096> events;
  ssize_t size = 0;
  while ((size = ::read(inotify_.native_handle(), events.data(), events.size())) > 0) {
    for (const char* at = events.data(); at < events.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if (event->len == 0) continue;
      if ((event->mask & IN_MODIFY) != 0) {
        being_written_.insert(event->name);
      } else {
        being_written_.erase(event->name);
      }
    }
  }
  for (auto& [name, file] : files_) look(name, file, true);
}

void TrackFiles::look(const std::string& name, Watched& file, bool tell) {
  std::array<char, text_max> text;
  std::ifstream in(file.path, std::ios::binary);
  in.read(text.data(), text.size());
  const std::string_view read(text.data(), in.good() || in.eof() ? std::size_t(in.gcount()) : 0);
  if (tell && in.is_open() && read.empty() && being_written_.contains(file.path.substr(file.path.rfind('/') + 1)))
    return;
  const auto number = number_of_track_file(read);
  if (!number && read.find_first_not_of(" \t\r\n") != std::string_view::npos && !file.has_complained) {
    log_(fmt::format("track_file {}: {} holds no number, it counts as 0", name, file.path));
  }
  file.has_complained = !number;
  const std::int64_t value = number.value_or(0);
  if (value == file.value) return;
  file.value = value;
  if (tell) changed_({vrrp::TrackKind::file, name, true, value});
}

}  // namespace sluice::control
