// The control socket: HTTP/1.1 over a unix socket, JSON answers. It turns requests into calls of handlers and their
// answers into responses, and holds every client to its limits. What there is to be asked, and what the JSON says,
// belongs to whoever registers the handlers.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/error.h"

namespace boost::asio {
class io_context;
}

namespace sluice::control::api {

inline constexpr const char* default_socket_path = "/run/sluice/sluice.sock";

struct Request {
  std::string path;                          ///< "/connections"
  std::string body;                          ///< of a POST
  std::map<std::string, std::string> query;  ///< "?limit=10" is {"limit", "10"}; percent-decoded

  /// The query's value as a number; `fallback` when it is absent or no number.
  [[nodiscard]] std::size_t number(const std::string& name, std::size_t fallback) const;
};

struct Response {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";

  /// {"error": what}
  static Response error(unsigned status, const std::string& what);
};

/// Gives the answer, at once or later, on the control thread. The first call counts. May be called after the client
/// or the server has gone. If every copy is destroyed uncalled, the client gets status 500.
using Respond = std::function<void(Response)>;

/// On the control thread; must not block.
using Handler = std::function<void(const Request&, Respond)>;

/// What a path serves: a method without a handler is refused. GET changes nothing; what changes something is a POST.
struct Route {
  Handler get;
  Handler post;
  std::size_t body_bytes_max = 64 * 1024;  ///< of a POST's body
};

struct Limits {
  std::size_t clients_max = 32;                                         ///< at a time; one more gets 503
  std::size_t header_bytes_max = 8 * 1024;                              ///< request line and headers
  std::chrono::milliseconds request_timeout = std::chrono::seconds(5);  ///< from connecting to the request's end
  std::chrono::milliseconds answer_timeout = std::chrono::seconds(10);  ///< for a handler; then 503
  std::chrono::milliseconds write_timeout = std::chrono::seconds(10);   ///< for a client to take the whole answer
};

/// One request per connection. Lives on the control thread's io_context, which must outlive it.
class ApiServer {
 public:
  /// routes: by path.
  ApiServer(boost::asio::io_context& io, std::string path, std::map<std::string, Route> routes, Limits limits = {});
  /// Ends all connections and removes the socket file, if it is still this server's.
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Makes the directory (mode 0755) and the socket (mode 0600) and begins to accept. A socket file that is there
  /// already is replaced if nobody answers on it; anything else that is in the way is left alone and is an error.
  Result<> listen();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control::api
