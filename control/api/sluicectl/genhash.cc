#include "control/api/sluicectl/genhash.h"

#include <fmt/format.h>
#include <getopt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "health/http_answer.h"
#include "health/http_get.h"

namespace sluice::control::api {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int exit_no_digest = 1;
constexpr std::size_t bytes_per_line = 16;
// What keepalived's reads at a time: in verbose mode each piece is dumped by itself.
constexpr std::size_t read_bytes = 4096;

constexpr const char* usage_text =
    "Usage: {} [OPTIONS]\n"
    "Fetches a page over HTTP and prints the MD5 digest of its body.\n"
    "  -s, --server ADDRESS        the web server's IP address\n"
    "  -p, --port PORT             its port\n"
    "  -u, --url PATH              what to fetch\n"
    "  -S, --use-ssl               over TLS\n"
    "  -I, --use-sni               name the virtual host in TLS, too\n"
    "  -V, --use-virtualhost NAME  the virtual host\n"
    "  -P, --protocol VERSION      1.0 (default), 1.0c (with \"Connection: close\") or 1.1\n"
    "  -t, --timeout SECONDS       for connecting and for each read (default: 5)\n"
    "  -m, --fwmark MARK           of the packets sent\n"
    "  -v, --verbose               print the answer, too\n"
    "  -h, --help                  print this\n";

template <typename Number>
std::optional<Number> number(std::string_view text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) return std::nullopt;
  return value;
}

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ok_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1;
  }
  void update(std::string_view bytes) {
    ok_ = ok_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
  }
  /// Nothing: this OpenSSL has no MD5.
  std::optional<health::Md5> result() {
    health::Md5 digest{};
    if (!ok_ || EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1) return std::nullopt;
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool ok_ = false;
};

/// One answer as it comes in: digests it, and shows it in verbose mode.
class Page {
 public:
  Page(const health::HttpLimits& limits, bool verbose)
      : answer_(limits.head_bytes_max, limits.body_bytes_max), verbose_(verbose) {}

  void take(std::string_view bytes) {
    const bool in_head = !answer_.head_complete();
    const std::uint64_t before = answer_.body_bytes();
    const std::string_view body = answer_.feed(bytes);
    digest_.update(body);
    if (!verbose_) return;
    if (in_head) {
      head_ += bytes.substr(0, bytes.size() - std::size_t(answer_.body_bytes() - before));
      if (answer_.head_complete()) show_head();
    }
    if (!body.empty()) show_body(body);
  }

  [[nodiscard]] const std::string& problem() const { return answer_.problem(); }

  Result<std::string> digest() {
    if (!answer_.head_complete()) return fail("", "no data received from remote webserver");
    const auto digest = digest_.result();
    if (!digest) return fail("", "MD5 isn't available in this OpenSSL");
    if (verbose_) {
      fmt::print(
          "\n-----------------------[    HTML hash resulting    ]-----------------------\n{}"
          "-----------------------[ HTML hash final resulting ]-----------------------\n",
          hex_dump({reinterpret_cast<const char*>(digest->data()), digest->size()}));
    }
    return health::to_string(*digest);
  }

 private:
  void show_head() const {
    fmt::print(
        "-----------------------[    HTTP Header Buffer    ]-----------------------\n{}"
        "-----------------------[ HTTP Header Ascii Buffer ]-----------------------\n{}\n",
        hex_dump(head_), head_);
  }

  void show_body(std::string_view body) {
    if (!std::exchange(shown_body_, true)) {
      fmt::print("-----------------------[        HTML Buffer        ]-----------------------\n");
    }
    fmt::print("{}", hex_dump(body));
  }

  health::HttpAnswer answer_;
  Digest digest_;
  bool verbose_;
  bool shown_body_ = false;
  std::string head_;
};

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};

/// A blocking connection, in the clear or in TLS: somebody waits for it, and has nothing else to do. The server's
/// certificate isn't looked at, as SSL_GET doesn't.
class Connection {
 public:
  Connection() = default;
  ~Connection() {
    session_.reset();
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Result<> open(const health::Connect& to) {
    socket_ = ::socket(to.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{std::chrono::duration_cast<std::chrono::seconds>(to.timeout).count(), 0};
    // On Linux the time to send is the time to connect, too.
    if (socket_ < 0 || ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        (to.mark != 0 && ::setsockopt(socket_, SOL_SOCKET, SO_MARK, &to.mark, sizeof to.mark) != 0)) {
      return fail("", words(errno));
    }
    const auto boost_address = asio::ip::make_address(to.address.text());
    const tcp::endpoint peer(boost_address, to.port.host());
    if (::connect(socket_, peer.data(), socklen_t(peer.size())) == 0) return {};
    return fail("Connection failed", errno == EINPROGRESS ? "timed out" : words(errno));
  }

  /// server_name: empty for none.
  Result<> begin_tls(const std::string& server_name) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    session_.reset(context_ ? SSL_new(context_.get()) : nullptr);
    if (session_ == nullptr || SSL_set_fd(session_.get(), socket_) != 1) return fail("TLS", "OpenSSL has no memory");
    // A server that closes without saying so in TLS has answered all the same.
    SSL_set_options(session_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (!server_name.empty()) SSL_set_tlsext_host_name(session_.get(), server_name.c_str());
    const int done = SSL_connect(session_.get());
    return done == 1 ? Result<>{} : std::unexpected(tls_error("SSL handshake/communication error", done));
  }

  Result<> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = session_ ? SSL_write(session_.get(), bytes.data(), int(bytes.size()))
                                : int(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) return std::unexpected(error("sending", sent));
      bytes.remove_prefix(std::size_t(sent));
    }
    return {};
  }

  /// 0 at the end.
  Result<std::size_t> receive(std::span<char> buffer) {
    const int got = session_ ? SSL_read(session_.get(), buffer.data(), int(buffer.size()))
                             : int(::recv(socket_, buffer.data(), buffer.size(), 0));
    if (got > 0) return std::size_t(got);
    const bool end = session_ ? SSL_get_error(session_.get(), got) == SSL_ERROR_ZERO_RETURN : got == 0;
    return end ? Result<std::size_t>(0) : std::unexpected(error("reading", got));
  }

 private:
  static std::string words(int number) { return std::generic_category().message(number); }

  [[nodiscard]] Error error(const char* doing, int result) const {
    if (session_) return tls_error(doing, result);
    return {doing, errno == EAGAIN ? "timed out" : words(errno)};
  }

  [[nodiscard]] Error tls_error(const char* doing, int result) const {
    const int kind = SSL_get_error(session_.get(), result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return {doing, "timed out"};
    if (kind == SSL_ERROR_SYSCALL) return {doing, errno != 0 ? words(errno) : "the server closed the connection"};
    const char* reason = ERR_reason_error_string(ERR_get_error());
    return {doing, reason != nullptr ? reason : "OpenSSL doesn't say why"};
  }

  int socket_ = -1;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> session_;
};

Result<std::string> digest_of(const GenhashOptions& options) {
  const health::UrlSpec& url = options.get.urls[0];
  Connection connection;
  if (auto done = connection.open(options.get.connect); !done) return std::unexpected(done.error());
  if (options.tls) {
    auto done = connection.begin_tls(options.server_name ? url.virtual_host : "");
    if (!done) return std::unexpected(done.error());
  }
  if (auto done = connection.send(health::http_request(options.get, url)); !done) return std::unexpected(done.error());
  Page page(options.get.limits, options.verbose);
  std::array<char, read_bytes> buffer{};
  for (;;) {
    const auto got = connection.receive(buffer);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return page.digest();
    page.take({buffer.data(), *got});
    if (!page.problem().empty()) return fail("", page.problem());
  }
}

/// What one option says, or what is wrong with it.
Result<> take(GenhashOptions& options, int option, const char* value) {
  health::UrlSpec& url = options.get.urls[0];
  health::Connect& connect = options.get.connect;
  const std::string text = value != nullptr ? value : "";
  switch (option) {
    case 's': {
      const auto address = net::IpAddr::parse(text);
      if (!address) return fail("", fmt::format("server should be an IP, not {}", text));
      connect.address = *address;
      return {};
    }
    case 'p': {
      const auto port = number<std::uint16_t>(text, 1, 65535);
      if (!port) return fail("", fmt::format("invalid port number '{}'", text));
      connect.port = net::L4Port::of(*port);
      return {};
    }
    case 'P':
      if (text == "1.0")
        options.get.version = health::HttpVersion::http_1_0;
      else if (text == "1.0c" || text == "1.0C")
        options.get.version = health::HttpVersion::http_1_0_close;
      else if (text == "1.1")
        options.get.version = health::HttpVersion::http_1_1;
      else
        return fail("", fmt::format("invalid HTTP protocol version '{}'", text));
      return {};
    case 't': {
      const auto seconds = number<unsigned>(text, 1, 86'400);
      if (!seconds) return fail("", fmt::format("invalid timeout '{}'", text));
      connect.timeout = std::chrono::seconds(*seconds);
      return {};
    }
    case 'm': {
      const auto mark = number<std::uint32_t>(text, 0, ~0u);
      if (!mark) return fail("", fmt::format("invalid fwmark '{}'", text));
      connect.mark = *mark;
      return {};
    }
    case 'u': url.path = text; return {};
    case 'V': url.virtual_host = text; return {};
    case 'S': options.tls = true; return {};
    case 'I': options.server_name = true; return {};
    case 'v': options.verbose = true; return {};
    case 'h': return fail("", "");
    default: return fail("", "unknown option, or one without its argument");
  }
}

}  // namespace

Result<GenhashOptions> parse_genhash(const std::vector<std::string>& arguments) {
  static constexpr std::array<option, 12> forms{{{"use-ssl", no_argument, nullptr, 'S'},
                                                 {"use-sni", no_argument, nullptr, 'I'},
                                                 {"server", required_argument, nullptr, 's'},
                                                 {"port", required_argument, nullptr, 'p'},
                                                 {"url", required_argument, nullptr, 'u'},
                                                 {"use-virtualhost", required_argument, nullptr, 'V'},
                                                 {"verbose", no_argument, nullptr, 'v'},
                                                 {"help", no_argument, nullptr, 'h'},
                                                 {"fwmark", required_argument, nullptr, 'm'},
                                                 {"protocol", required_argument, nullptr, 'P'},
                                                 {"timeout", required_argument, nullptr, 't'},
                                                 {}}};
  GenhashOptions options;
  options.get.urls.emplace_back().path.clear();
  options.get.connect.port = net::L4Port::of(0);
  bool server = false;
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "genhash");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  optind = 0;  // glibc: begin anew
  opterr = 0;
  for (int code = 0;
       (code = ::getopt_long(int(words.size()), argv.data(), "SIs:p:u:V:vhm:P:t:", forms.data(), nullptr)) != -1;) {
    if (auto taken = take(options, code, optarg); !taken) return std::unexpected(taken.error());
    server = server || code == 's';
  }
  if (std::size_t(optind) < words.size())
    return fail("", fmt::format("Unexpected argument(s): {}", argv[std::size_t(optind)]));
  if (!server || options.get.connect.port.is_zero() || options.get.urls[0].path.empty()) {
    return fail("", "server, port and url are needed");
  }
  return options;
}

std::string hex_dump(std::string_view bytes) {
  fmt::memory_buffer text;
  const auto put = std::back_inserter(text);
  for (std::size_t offset = 0; offset < bytes.size(); offset += bytes_per_line) {
    const std::string_view line = bytes.substr(offset, bytes_per_line);
    fmt::format_to(put, "{:04}  ", offset);
    for (std::size_t i = 0; i < bytes_per_line; ++i) {
      if (i == bytes_per_line / 2) fmt::format_to(put, "- ");
      if (i < line.size())
        fmt::format_to(put, "{:02x} ", static_cast<unsigned char>(line[i]));
      else
        fmt::format_to(put, "   ");
    }
    fmt::format_to(put, "  ");
    for (std::size_t i = 0; i < bytes_per_line; ++i) {
      const bool printable = i < line.size() && line[i] >= ' ' && line[i] <= '~';
      text.push_back(printable ? line[i] : i < line.size() ? '.' : ' ');
    }
    text.push_back('\n');
  }
  return fmt::to_string(text);
}

int genhash_main(const std::string& name, const std::vector<std::string>& arguments) {
  const auto options = parse_genhash(arguments);
  if (!options) {
    if (!options.error().what.empty()) fmt::print(stderr, "{}: {}\n", name, options.error().text());
    fmt::print(stderr, fmt::runtime(usage_text), name);
    return exit_no_digest;
  }
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const auto began = std::chrono::steady_clock::now();
  const auto digest = digest_of(*options);
  if (!digest) {
    std::fflush(stdout);
    fmt::print(stderr, "{}: {}\n", name, digest.error().text());
    return exit_no_digest;
  }
  fmt::print("{}\n", *digest);
  if (options->verbose) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began);
    fmt::print("\nGlobal response time for [{}] = {} usecs\n", options->get.urls[0].path, took.count());
  }
  return std::fflush(stdout) == 0 ? 0 : exit_no_digest;
}

}  // namespace sluice::control::api
