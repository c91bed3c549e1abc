#include "control/api/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "control/api/client.h"

namespace sluice::control::api {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// A plain client that sends bytes as they are.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval limit{5, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(const std::string& bytes) { ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Everything until the server closes.
  std::string receive() {
    std::string all;
    char part[4096];
    for (ssize_t n; (n = ::recv(socket_, part, sizeof part, 0)) > 0;) all.append(part, std::size_t(n));
    return all;
  }
  [[nodiscard]] bool connected() const { return connected_; }

 private:
  int socket_;
  bool connected_ = false;
};

class ApiServerTest : public testing::Test {
 protected:
  ApiServerTest() {
    std::string pattern = "/tmp/sluice-api-test-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    path_ = directory_ + "/run/sluice.sock";
  }
  ~ApiServerTest() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  void start(Limits limits = {}) {
    server_ = std::make_unique<ApiServer>(io_, path_, routes(), limits);
    const auto listening = server_->listen();
    ASSERT_TRUE(listening) << listening.error().text();
    work_.emplace(io_.get_executor());
    thread_ = std::thread([this] { io_.run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    boost::asio::post(io_, [this] { server_.reset(), work_.reset(); });
    thread_.join();
  }

  std::map<std::string, Route> routes() {
    const auto echo_body = [](const Request& request, const Respond& respond) {
      respond({.body = nlohmann::json(request.body).dump()});
    };
    return {
        {"/echo",
         {.get = [](const Request& request,
                    const Respond& respond) { respond({.body = nlohmann::json(request.query).dump()}); }}},
        {"/take", {.post = echo_body, .body_bytes_max = 100'000}},
        {"/take-more", {.post = echo_body, .body_bytes_max = 5'000'000}},
        {"/later",
         {.get =
              [this](const Request&, const Respond& respond) {
                auto timer = std::make_shared<boost::asio::steady_timer>(io_, milliseconds(50));
                timer->async_wait([timer, respond](auto) { respond({.body = R"({"late":true})"}); });
              }}},
        {"/never", {.get = [this](const Request&, Respond respond) { kept_.push_back(std::move(respond)); }}},
        {"/forgotten", {.get = [](const Request&, const Respond&) {}}},
        {"/big",
         {.get =
              [](const Request&, const Respond& respond) {
                respond({.body = nlohmann::json(std::string(20'000'000, 'x')).dump()});
              }}},
    };
  }

  std::string exchange(const std::string& bytes) {
    RawClient client(path_);
    client.send(bytes);
    return client.receive();
  }

  std::string directory_;
  std::string path_;
  boost::asio::io_context io_;
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
  std::unique_ptr<ApiServer> server_;
  std::vector<Respond> kept_;
  std::thread thread_;
};

TEST_F(ApiServerTest, AnswersWithTheHandlersJson) {
  start();
  EXPECT_EQ(get(path_, "/echo?limit=3").value(), "{\"limit\":\"3\"}\n");
  EXPECT_EQ(get(path_, "/later").value(), "{\"late\":true}\n");
  const auto raw = exchange("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 200 OK\r\n")) << raw;
  EXPECT_NE(raw.find("Content-Type: application/json"), std::string::npos) << raw;
}

TEST_F(ApiServerTest, BigAnswersArriveWhole) {
  start();
  EXPECT_EQ(get(path_, "/big").value().size(), 20'000'003u);
}

TEST_F(ApiServerTest, TakesABodyUpToThePathsLimit) {
  start();
  EXPECT_EQ(post(path_, "/take", "hello").value(), "\"hello\"\n");
  EXPECT_EQ(post(path_, "/take", "").value(), "\"\"\n");
  EXPECT_EQ(post(path_, "/take", std::string(100'000, 'x')).value().size(), 100'003u);
  EXPECT_EQ(post(path_, "/take-more", std::string(5'000'000, 'x')).value().size(), 5'000'003u);
  EXPECT_FALSE(post(path_, "/take", std::string(100'001, 'x')));
  EXPECT_TRUE(get(path_, "/echo"));
}

TEST_F(ApiServerTest, BadRequestsGetAJsonErrorAndTheNextGoodOneItsAnswer) {
  start();
  struct Row {
    const char* description;
    std::string bytes;
    const char* status;
    const char* words;
  };
  const Row rows[] = {
      {"garbage", "\x16\x03\x01 hello\r\n\r\n", "400", "not an HTTP request"},
      {"unknown path", "GET /nothing HTTP/1.1\r\n\r\n", "404", "expected one of: /big, /echo"},
      {"not a path", "GET nothing HTTP/1.1\r\n\r\n", "400", "not a path"},
      {"method", "DELETE /echo HTTP/1.1\r\n\r\n", "405", "only GET is served at /echo"},
      {"a change by GET", "GET /take HTTP/1.1\r\n\r\n", "405", "only POST is served at /take"},
      {"header too long", "GET /echo HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "431", "longer than 8192"},
      {"body too long", "GET /echo HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + std::string(70000, 'x'), "413",
       "body is too long"},
      {"body too long for its path", "POST /take HTTP/1.1\r\nContent-Length: 100001\r\n\r\n", "413",
       "body is too long"},
      {"body too long, in pieces",
       "POST /take HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\n" + std::string(100'001, 'x') +
           "\r\n0\r\n\r\n",
       "413", "body is too long"},
  };
  for (const auto& row : rows) {
    const auto raw = exchange(row.bytes);
    EXPECT_TRUE(raw.starts_with(std::string("HTTP/1.1 ") + row.status)) << row.description << ": " << raw;
    EXPECT_NE(raw.find("{\"error\":\""), std::string::npos) << row.description << ": " << raw;
    EXPECT_NE(raw.find(row.words), std::string::npos) << row.description << ": " << raw;
    EXPECT_TRUE(get(path_, "/echo")) << row.description;
  }
}

TEST_F(ApiServerTest, SlowClientIsEndedAndDisturbsNobody) {
  start({.request_timeout = milliseconds(150)});
  RawClient slow(path_);
  slow.send("GET /echo HTT");
  EXPECT_TRUE(get(path_, "/echo")) << "another client is served meanwhile";
  const auto begin = steady_clock::now();
  const auto raw = slow.receive();
  EXPECT_TRUE(raw.starts_with("HTTP/1.1 408")) << raw;
  EXPECT_LT(steady_clock::now() - begin, milliseconds(1500));
}

TEST_F(ApiServerTest, HandlerThatNeverAnswersIsAnsweredFor) {
  start({.answer_timeout = milliseconds(100)});
  const auto late = get(path_, "/never");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().what, "no answer within the time limit, try again");
  const auto forgotten = get(path_, "/forgotten");
  ASSERT_FALSE(forgotten);
  EXPECT_EQ(forgotten.error().what, "the request was dropped unanswered");
}

TEST_F(ApiServerTest, ClientThatTakesNoAnswerIsClosed) {
  start({.clients_max = 1, .write_timeout = milliseconds(100)});
  RawClient lazy(path_);
  lazy.send("GET /big HTTP/1.1\r\n\r\n");
  const auto deadline = steady_clock::now() + std::chrono::seconds(5);
  bool served = false;
  while (!served && steady_clock::now() < deadline) {
    served = get(path_, "/echo").has_value();
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE(served) << "its place is free again";
}

TEST_F(ApiServerTest, OneClientTooManyIsToldSo) {
  start({.clients_max = 2, .request_timeout = milliseconds(300)});
  RawClient one(path_);
  RawClient two(path_);
  one.send("GET ");
  two.send("GET ");
  const auto refused = get(path_, "/echo");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "sluiced: too many clients of the control socket, try again");
  one.receive();
  two.receive();
  EXPECT_TRUE(get(path_, "/echo"));
}

TEST_F(ApiServerTest, ManyClientsAtOnceAreAllAnswered) {
  start();
  std::vector<std::future<Result<std::string>>> answers;
  for (int i = 0; i < 16; ++i) {
    answers.push_back(std::async(std::launch::async, [this] { return get(path_, "/later"); }));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
}

TEST_F(ApiServerTest, AnswerAfterTheClientLeftIsHarmless) {
  start();
  { RawClient(path_).send("GET /later HTTP/1.1\r\n\r\n"); }
  EXPECT_TRUE(get(path_, "/later"));
}

TEST_F(ApiServerTest, AnswerAfterTheServerWentIsHarmless) {
  start();
  RawClient client(path_);
  client.send("GET /never HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(get(path_, "/echo"));
  stop();
  EXPECT_EQ(client.receive(), "");
  ASSERT_EQ(kept_.size(), 1u);
  kept_.front()({.body = "{}"});
}

TEST_F(ApiServerTest, SocketIsForItsOwnerOnlyAndGoneAfterwards) {
  start();
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  stop();
  EXPECT_NE(stat(path_.c_str(), &status), 0);
}

TEST_F(ApiServerTest, StaleSocketIsReplacedALivingOneIsNot) {
  start();
  boost::asio::io_context other_io;
  {
    ApiServer second(other_io, path_, {});
    const auto refused = second.listen();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text(), path_ + ": another sluiced answers on the control socket");
  }
  EXPECT_TRUE(get(path_, "/echo")) << "the second one's end doesn't take the first one's socket";
  // As a killed daemon leaves it: the file is there, nobody listens.
  const auto stale = directory_ + "/run/stale.sock";
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  stale.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(dead);
  ApiServer third(other_io, stale, {});
  const auto replaced = third.listen();
  EXPECT_TRUE(replaced) << replaced.error().text();
}

TEST_F(ApiServerTest, ForeignFilesAndLongPathsAreRefused) {
  const auto file = directory_ + "/file";
  std::ofstream(file) << "precious";
  ApiServer on_file(io_, file, {});
  const auto refused = on_file.listen();
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find("not a socket"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(file));
  ApiServer too_long(io_, directory_ + "/" + std::string(200, 'x'), {});
  EXPECT_FALSE(too_long.listen());
  ApiServer no_directory(io_, file + "/x.sock", {});
  EXPECT_FALSE(no_directory.listen());
}

TEST(Client, SaysWhatToLookAtWhenNobodyAnswers) {
  const auto absent = get("/tmp/sluice-no-such.sock", "/services");
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().text().starts_with("sluiced does not answer at /tmp/sluice-no-such.sock: is it running?"))
      << absent.error().text();
  EXPECT_FALSE(get(std::string(200, 'x'), "/services"));
}

/// Exit status of sluicectl; its stdout and stderr in `output`.
int sluicectl(const std::string& arguments, std::string& output) {
  const std::string command = std::string(getenv("SLUICECTL")) + " " + arguments + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  output.clear();
  char part[4096];
  for (std::size_t n; (n = fread(part, 1, sizeof part, pipe)) > 0;) output.append(part, n);
  return WEXITSTATUS(pclose(pipe));
}

TEST(Sluicectl, ExitStatusTellsWhatWentWrong) {
  if (getenv("SLUICECTL") == nullptr) GTEST_SKIP() << "SLUICECTL names the program; `meson test` sets it";
  std::string output;
  EXPECT_EQ(sluicectl("--socket /tmp/sluice-no-such.sock services", output), 1);
  EXPECT_TRUE(output.starts_with("sluicectl: sluiced does not answer at /tmp/sluice-no-such.sock: is it running?"))
      << output;
  EXPECT_EQ(sluicectl("bogus", output), 2);
  EXPECT_EQ(sluicectl("", output), 2);
  EXPECT_EQ(sluicectl("--help", output), 0);
  EXPECT_NE(output.find("connections"), std::string::npos);
}

TEST_F(ApiServerTest, SluicectlPrintsWhatTheDaemonSays) {
  if (getenv("SLUICECTL") == nullptr) GTEST_SKIP() << "SLUICECTL names the program; `meson test` sets it";
  start();
  std::string output;
  EXPECT_EQ(sluicectl("services --socket " + path_, output), 1);
  EXPECT_TRUE(output.starts_with("sluicectl: sluiced: /services is not served")) << output;
}

}  // namespace
}  // namespace sluice::control::api
