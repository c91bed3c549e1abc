#include "control/api/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <optional>

namespace sluice::control::api {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Unix = asio::local::stream_protocol;

/// A million connections in JSON are some 200 MB.
constexpr std::uint64_t answer_bytes_max = 1u << 30;

std::unexpected<Error> no_answer(const std::string& path, const std::string& reason) {
  return fail("", "sluiced does not answer at " + path + ": " + reason);
}

std::unexpected<Error> no_connection(const std::string& path, const beast::error_code& error) {
  if (error == asio::error::access_denied) {
    return no_answer(path, "permission denied, only root may ask (try sudo)");
  }
  if (error == beast::errc::no_such_file_or_directory || error == asio::error::connection_refused) {
    return no_answer(path, "is it running? (systemctl status sluice; --socket names another path)");
  }
  return no_answer(path, error.message());
}

/// The daemon's {"error": ...}, or the status alone.
std::string refusal(const http::response<http::string_body>& response) {
  const auto json = nlohmann::json::parse(response.body(), nullptr, false);
  if (json.is_object() && json.contains("error") && json["error"].is_string()) return json["error"];
  return "status " + std::to_string(response.result_int());
}

Result<std::string> ask(const std::string& socket_path, http::request<http::string_body> request,
                        std::chrono::milliseconds timeout) {
  asio::io_context io;
  Unix::socket socket(io);
  std::optional<Unix::endpoint> endpoint;
  try {
    endpoint.emplace(socket_path);
  } catch (const boost::system::system_error& too_long) {
    return no_answer(socket_path, "the path is too long for a socket");
  }
  beast::error_code error;
  socket.connect(*endpoint, error);
  if (error) return no_connection(socket_path, error);

  request.set(http::field::host, "sluice");
  request.keep_alive(false);
  request.prepare_payload();
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(answer_bytes_max);

  // A daemon that is full answers before it has read the request: a failed write doesn't stop the read.
  std::optional<beast::error_code> read;
  http::async_write(socket, request, [](const beast::error_code&, std::size_t) {});
  http::async_read(socket, buffer, parser, [&](const beast::error_code& result, std::size_t) { read = result; });
  io.run_for(timeout);
  if (!read) return no_answer(socket_path, "it accepted the question but gave no answer in time");
  if (*read) return no_answer(socket_path, "the answer broke off: " + read->message());
  if (parser.get().result() != http::status::ok) return fail("sluiced", refusal(parser.get()));
  return std::move(parser.get().body());
}

}  // namespace

Result<std::string> get(const std::string& socket_path, const std::string& target, std::chrono::milliseconds timeout) {
  return ask(socket_path, {http::verb::get, target, 11}, timeout);
}

Result<std::string> post(const std::string& socket_path, const std::string& target, std::string body,
                         std::chrono::milliseconds timeout) {
  return ask(socket_path, {http::verb::post, target, 11, std::move(body)}, timeout);
}

}  // namespace sluice::control::api
