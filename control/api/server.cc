#include "control/api/server.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "control/api/request.h"
#include "control/api/socket_file.h"

namespace sluice::control::api {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Unix = asio::local::stream_protocol;

/// After accept() failed, usually for want of descriptors.
constexpr auto accept_pause = std::chrono::milliseconds(100);

http::response<http::string_body> to_http(Response response) {
  http::response<http::string_body> message(http::int_to_status(response.status), 11);
  if (message.result() == http::status::unknown) message.result(http::status::internal_server_error);
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.keep_alive(false);
  message.body() = std::move(response.body);
  if (!message.body().ends_with('\n')) message.body() += '\n';
  message.prepare_payload();
  return message;
}

Response to_error(const beast::error_code& error, const Limits& limits) {
  if (error == http::error::header_limit) {
    return Response::error(431,
                           "the request's header is longer than " + std::to_string(limits.header_bytes_max) + " bytes");
  }
  if (error == http::error::body_limit) return Response::error(413, "the request's body is too long");
  return Response::error(400, "not an HTTP request: " + error.message());
}

}  // namespace

Response Response::error(unsigned status, const std::string& what) {
  // replace: `what` may quote bytes of a client that are no UTF-8.
  return {status, nlohmann::json{{"error", what}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

class ApiServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, std::string path, std::map<std::string, Route> routes, Limits limits)
      : io_(io), path_(std::move(path)), routes_(std::move(routes)), limits_(limits), acceptor_(io), pause_(io) {}

  Result<> listen();
  void stop();

 private:
  class Client;
  class Answer;

  void accept();

  asio::io_context& io_;
  std::string path_;
  std::map<std::string, Route> routes_;
  Limits limits_;
  std::optional<SocketFile> file_;
  Unix::acceptor acceptor_;
  asio::steady_timer pause_;
  std::map<const Client*, std::weak_ptr<Client>> clients_;
  bool stopped_ = false;
};

/// One connection: reads one request, has it answered, writes the response, closes. Kept alive by its operations.
class ApiServer::Impl::Client : public std::enable_shared_from_this<Client> {
 public:
  Client(std::shared_ptr<Impl> server, Unix::socket socket)
      : server_(std::move(server)), socket_(std::move(socket)), timer_(server_->io_) {
    parser_.header_limit(std::uint32_t(server_->limits_.header_bytes_max));
    // Which route it is for, and so what it may bring, isn't known before its header is read: see handle_header().
    std::size_t body_bytes_max = 0;
    for (const auto& [path, route] : server_->routes_) body_bytes_max = std::max(body_bytes_max, route.body_bytes_max);
    parser_.body_limit(body_bytes_max);
  }
  ~Client() { server_->clients_.erase(this); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void read();
  void answer(Response response);
  void close();

 private:
  void handle_header();
  void handle(const Handler& handler);
  void discard_rest();
  /// Calls late() once the time is over; replaces an earlier limit. Holds the client until then or until cancelled.
  template <typename Late>
  void limit_time(std::chrono::milliseconds limit, Late late);

  std::shared_ptr<Impl> server_;
  Unix::socket socket_;
  asio::steady_timer timer_;  // of the phase it is in: read, wait for the answer, write
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  Request request_;
  http::response<http::string_body> response_;
  bool answered_ = false;
};

/// What a handler's Respond shares: answers 500 when the last copy goes without having been called.
class ApiServer::Impl::Answer {
 public:
  explicit Answer(std::weak_ptr<Client> client) : client_(std::move(client)) {}
  ~Answer() {
    if (const auto client = client_.lock()) client->answer(Response::error(500, "the request was dropped unanswered"));
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  void give(Response response) {
    if (const auto client = client_.lock()) client->answer(std::move(response));
  }

 private:
  std::weak_ptr<Client> client_;
};

template <typename Late>
void ApiServer::Impl::Client::limit_time(std::chrono::milliseconds limit, Late late) {
  timer_.expires_after(limit);
  timer_.async_wait([self = shared_from_this(), late](const beast::error_code& error) {
    if (!error) late(*self);
  });
}

void ApiServer::Impl::Client::read() {
  limit_time(server_->limits_.request_timeout,
             [](Client& client) { client.answer(Response::error(408, "the request did not arrive in time")); });
  http::async_read_header(socket_, buffer_, parser_,
                          [self = shared_from_this()](const beast::error_code& error, std::size_t /*bytes*/) {
                            if (self->answered_ || self->server_->stopped_) return;
                            // A client that just looked whether somebody is there.
                            if (error == http::error::end_of_stream) return self->close();
                            if (error) return self->answer(to_error(error, self->server_->limits_));
                            self->handle_header();
                          });
}

// Refuses what won't be served, before its body is read.
void ApiServer::Impl::Client::handle_header() {
  const auto& message = parser_.get();
  auto request = parse_target({message.target().data(), message.target().size()});
  if (!request) return answer(Response::error(400, "the request's target is not a path"));
  const auto found = server_->routes_.find(request->path);
  if (found == server_->routes_.end()) {
    std::string known;
    for (const auto& [path, unused] : server_->routes_) known += (known.empty() ? "" : ", ") + path;
    return answer(Response::error(404, request->path + " is not served, expected one of: " + known));
  }
  const Route& route = found->second;
  const Handler* handler = nullptr;
  if (message.method() == http::verb::get) handler = &route.get;
  if (message.method() == http::verb::post) handler = &route.post;
  if (handler == nullptr || !*handler) {
    const char* served = !route.post ? "only GET is" : !route.get ? "only POST is" : "only GET and POST are";
    return answer(Response::error(405, std::string(served) + " served at " + request->path));
  }
  const auto announced = parser_.content_length();
  if (announced && *announced > route.body_bytes_max)
    return answer(to_error(http::error::body_limit, server_->limits_));
  request_ = std::move(*request);
  http::async_read(socket_, buffer_, parser_,
                   [self = shared_from_this(), &route, handler](const beast::error_code& error, std::size_t /*bytes*/) {
                     if (self->answered_ || self->server_->stopped_) return;
                     if (error) return self->answer(to_error(error, self->server_->limits_));
                     if (self->parser_.get().body().size() > route.body_bytes_max) {
                       return self->answer(to_error(http::error::body_limit, self->server_->limits_));
                     }
                     self->handle(*handler);
                   });
}

void ApiServer::Impl::Client::handle(const Handler& handler) {
  request_.body = std::move(parser_.get().body());
  limit_time(server_->limits_.answer_timeout,
             [](Client& client) { client.answer(Response::error(503, "no answer within the time limit, try again")); });
  const auto pending = std::make_shared<Answer>(weak_from_this());
  handler(request_, [pending](Response response) { pending->give(std::move(response)); });
}

void ApiServer::Impl::Client::answer(Response response) {
  if (answered_ || server_->stopped_) return;
  answered_ = true;
  response_ = to_http(std::move(response));
  limit_time(server_->limits_.write_timeout, [](Client& client) { client.close(); });
  http::async_write(socket_, response_,
                    [self = shared_from_this()](const beast::error_code& error, std::size_t /*bytes*/) {
                      if (!error) self->discard_rest();
                      self->close();
                    });
}

// A unix socket that is closed with bytes unread looks to the client as if the connection had broken.
void ApiServer::Impl::Client::discard_rest() {
  beast::error_code error;
  std::array<char, 4096> scrap;
  socket_.non_blocking(true, error);
  for (int i = 0; i < 64 && !error; ++i) socket_.receive(asio::buffer(scrap), 0, error);
}

void ApiServer::Impl::Client::close() {
  timer_.cancel();
  beast::error_code ignored;
  socket_.close(ignored);
}

Result<> ApiServer::Impl::listen() {
  auto file = SocketFile::listen(path_);
  if (!file) return std::unexpected(file.error());
  file_.emplace(std::move(*file));
  acceptor_.assign(Unix(), file_->release_descriptor());
  accept();
  return {};
}

void ApiServer::Impl::accept() {
  acceptor_.async_accept([weak = weak_from_this()](const beast::error_code& error, Unix::socket socket) {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    if (error) {
      self->pause_.expires_after(accept_pause);
      self->pause_.async_wait([weak](const beast::error_code& cancelled) {
        const auto again = weak.lock();
        if (!cancelled && again && !again->stopped_) again->accept();
      });
      return;
    }
    const bool is_full = self->clients_.size() >= self->limits_.clients_max;
    // The one too many is served its refusal and nothing else, without waiting for its request.
    if (self->clients_.size() < 2 * self->limits_.clients_max) {
      const auto client = std::make_shared<Client>(self, std::move(socket));
      self->clients_[client.get()] = client;
      if (is_full)
        client->answer(Response::error(503, "too many clients of the control socket, try again"));
      else
        client->read();
    }
    self->accept();
  });
}

void ApiServer::Impl::stop() {
  stopped_ = true;
  beast::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
  file_.reset();
  // Clients erase themselves from the map when they end.
  const auto clients = clients_;
  for (const auto& [key, weak] : clients) {
    if (const auto client = weak.lock()) client->close();
  }
}

ApiServer::ApiServer(asio::io_context& io, std::string path, std::map<std::string, Route> routes, Limits limits)
    : impl_(std::make_shared<Impl>(io, std::move(path), std::move(routes), limits)) {}
ApiServer::~ApiServer() { impl_->stop(); }
Result<> ApiServer::listen() { return impl_->listen(); }

}  // namespace sluice::control::api
