// The file of a listening unix socket: its directory, a stale one's replacement, its mode, its removal. Opens and binds
// only; accepting connections is the server's work.
#pragma once

#include <string>

#include "net/error.h"

namespace sluice::control::api {

class SocketFile {
 public:
  /// Makes the directory (0755) and a bound, listening, non-blocking socket with mode 0600. A socket that nobody
  /// answers on is replaced; one that is answered, and any other file, is an error and stays.
  static Result<SocketFile> listen(const std::string& path);
  /// Removes the file if it is still the one that was made here. Closes the descriptor unless it was released.
  ~SocketFile();
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;

  /// Hands the descriptor over; the file is still removed at the end.
  int release_descriptor();

 private:
  SocketFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::string path_;
  int descriptor_ = -1;
  unsigned long device_ = 0;
  unsigned long inode_ = 0;
};

}  // namespace sluice::control::api
