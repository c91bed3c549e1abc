// Names to addresses without waiting for it: getaddrinfo(3) may take half a minute when no name server answers, and
// can't be stopped. It runs on a thread that nobody joins, not even at the program's end.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/error.h"

namespace sluice::control {

/// Control thread. One question at a time: while an old one isn't answered, a new one fails.
class NameLookup {
 public:
  explicit NameLookup(boost::asio::io_context& io);
  /// An answer that comes later goes nowhere. Before the io_context's end.
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// host: an address (answered at once) or a name. At least one address, or why there is none.
  boost::asio::awaitable<Result<std::vector<boost::asio::ip::tcp::endpoint>>> find(std::string host, std::uint16_t port,
                                                                                   std::chrono::milliseconds timeout);

 private:
  struct Question;
  boost::asio::io_context& io_;
  std::shared_ptr<Question> question_;
};

}  // namespace sluice::control
