// Watches the track_files that instances track: a number in a file, taken as it changes. A file that isn't there, or
// holds no number, counts as 0 (keepalived). Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/config.h"
#include "control/vrrp/vrrp_settings.h"
#include "net/error.h"

namespace sluice::control {

/// The number that a track_file's text stands for; nothing: none, which counts as 0 and is worth a line in the log.
[[nodiscard]] std::optional<std::int64_t> number_of_track_file(std::string_view text);

class TrackFiles {
 public:
  using Log = std::function<void(const std::string&)>;

  /// Error: the kernel has no inotify instance left.
  static Result<std::unique_ptr<TrackFiles>> open(boost::asio::io_context& io,
                                                  std::function<void(TrackedStatus)> changed, Log log);
  ~TrackFiles();
  TrackFiles(const TrackFiles&) = delete;
  TrackFiles& operator=(const TrackFiles&) = delete;

  /// Watches these from now on. Writes the initial value where `init_file` asks for it.
  void configure(const std::vector<config::TrackFile>& files);
  [[nodiscard]] std::vector<TrackedStatus> all() const;

 private:
  struct Watched {
    std::string path;
    std::int64_t value = 0;
    bool has_complained = false;
  };

  TrackFiles(boost::asio::io_context& io, int inotify, std::function<void(TrackedStatus)> changed, Log log);
  void wait();
  void read_events();
  void look(const std::string& name, Watched& file, bool tell);

  boost::asio::posix::stream_descriptor inotify_;
  std::function<void(TrackedStatus)> changed_;
  Log log_;
  std::map<std::string, Watched> files_;        // by name
  std::map<std::string, int> watched_folders_;  // inotify's watch of each
  std::set<std::string> being_written_;         // names of files that were written to, and not closed yet
};

}  // namespace sluice::control
