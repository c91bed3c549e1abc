#include "health/http_answer.h"

#include <gtest/gtest.h>

#include "health/spec.h"

namespace sluice::health {
namespace {

struct Read {
  HttpAnswer answer;
  std::string body;
};

/// Feeds `bytes` in pieces of `piece`.
Read read(std::string_view bytes, std::size_t piece, std::uint32_t head_max = 4096, std::uint64_t body_max = 4096) {
  Read result{HttpAnswer(head_max, body_max), {}};
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
    result.body += result.answer.feed(bytes.substr(0, piece));
  }
  return result;
}

TEST(HttpAnswer, SizeOfThePiecesMakesNoDifference) {
  constexpr std::string_view bytes =
      "HTTP/1.1 207 Many Things\r\nServer: x\r\ncontent-LENGTH:  5 \r\n\r\nhello, and what nobody counted";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    SCOPED_TRACE(piece);
    const Read result = read(bytes, piece);
    EXPECT_TRUE(result.answer.head_complete());
    EXPECT_EQ(result.answer.status(), 207);
    EXPECT_EQ(result.answer.content_length(), 5u);
    EXPECT_EQ(result.body, "hello");
    EXPECT_EQ(result.answer.body_bytes(), 30u);
    EXPECT_EQ(result.answer.problem(), "");
  }
}

TEST(HttpAnswer, BodyWithoutContentLengthIsAllThatFollows) {
  EXPECT_EQ(read("HTTP/1.0 200 OK\r\n\r\nab\r\n\r\ncd", 3).body, "ab\r\n\r\ncd");
}

TEST(HttpAnswer, ChunksAreNotDecoded) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx", 7).body, "zz\r\nx");
}

TEST(HttpAnswer, BadStatusLinesHaveNoStatus) {
  for (const std::string_view line : {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 99", "HTTP/1.1 1000 x", "HTTP/1.1 2x0 OK",
                                      "FTP/1.1 200 OK", "HTTP/1.1 -200", "HTTP/1.1 99999999999", "", " 200 OK"}) {
    SCOPED_TRACE(line);
    const Read result = read(std::string(line) + "\r\n\r\n", 5);
    EXPECT_TRUE(result.answer.head_complete());
    EXPECT_FALSE(result.answer.status());
  }
  EXPECT_EQ(read("HTTP/1.1 200\r\n\r\n", 5).answer.status(), 200) << "a reason phrase isn't needed";
}

TEST(HttpAnswer, ContentLengthsThatAreNoNumberAreIgnored) {
  for (const std::string_view value : {"-1", "5x", "", "99999999999999999999999"}) {
    SCOPED_TRACE(value);
    const Read result = read("HTTP/1.1 200 OK\r\nContent-Length: " + std::string(value) + "\r\n\r\nabc", 4);
    EXPECT_FALSE(result.answer.content_length());
    EXPECT_EQ(result.body, "abc");
  }
}

TEST(HttpAnswer, HeadAtItsLimitIsReadAndOneByteMoreIsAProblem) {
  const std::string head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  const auto size = static_cast<std::uint32_t>(head.size());
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, head.size() + 1}) {
    EXPECT_TRUE(read(head + "x", piece, size).answer.head_complete());
    const Read over = read(head + "x", piece, size - 1);
    EXPECT_FALSE(over.answer.head_complete());
    EXPECT_EQ(over.answer.problem(), "the headers are over " + std::to_string(size - 1) + " bytes");
    EXPECT_EQ(over.body, "");
  }
}

TEST(HttpAnswer, BodyAtItsLimitIsReadAndOneByteMoreIsAProblem) {
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_EQ(read(head + "12345678", 3, 4096, 8).answer.problem(), "");
  EXPECT_EQ(read(head + "123456789", 3, 4096, 8).answer.problem(), "the body is over 8 bytes");
}

TEST(Md5Text, IsThirtyTwoHexDigitsOfEitherCase) {
  const auto digest = parse_md5("D41D8CD98F00B204E9800998ECF8427e");
  ASSERT_TRUE(digest);
  EXPECT_EQ(to_string(*digest), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_FALSE(parse_md5("d41d8cd98f00b204e9800998ecf8427"));
  EXPECT_FALSE(parse_md5("g41d8cd98f00b204e9800998ecf8427e"));
  EXPECT_FALSE(parse_md5("-1-d8cd98f00b204e9800998ecf8427e0"));
  EXPECT_FALSE(parse_md5(""));
}

}  // namespace
}  // namespace sluice::health
