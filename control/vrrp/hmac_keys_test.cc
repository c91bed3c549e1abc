#include "control/vrrp/hmac_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::control {
namespace {

using Bytes = std::vector<std::uint8_t>;

const std::string digits64 = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

class HmacKeys : public testing::Test {
 protected:
  HmacKeys() { std::filesystem::create_directory(directory_); }
  ~HmacKeys() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& text) {
    const std::string path = directory_ / std::to_string(++files_);
    std::ofstream(path) << text;
    return path;
  }
  std::vector<vrrp::HmacKey> read(const std::vector<std::string>& secrets) {
    config::AuthHmac hmac;
    for (const std::string& secret : secrets) hmac.keys.push_back({unsigned(hmac.keys.size() + 1), secret});
    said_.clear();
    return read_hmac_keys(hmac, [this](const std::string& line) { said_.push_back(line); });
  }

  std::vector<std::string> said_;

 private:
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("sluice-hmac-keys-" + std::to_string(::getpid()));
  int files_ = 0;
};

TEST_F(HmacKeys, AreDigitsOrCharactersHereOrInAFile) {
  const std::string characters(40, 'k');
  const auto keys = read(
      {"hex:" + digits64, characters, "file:" + file("hex:" + digits64 + "\n"), "file:" + file(characters + "\r\n")});
  EXPECT_TRUE(said_.empty()) << said_[0];
  ASSERT_EQ(keys.size(), 4u);
  EXPECT_EQ(keys[0].secret[31], 0x1f);
  EXPECT_EQ(keys[0].secret.size(), 32u);
  EXPECT_EQ(keys[1].secret, Bytes(40, 'k'));
  EXPECT_EQ(keys[2].secret, keys[0].secret);
  EXPECT_EQ(keys[3].secret, keys[1].secret);
  EXPECT_EQ(keys[3].id, 4);
}

TEST_F(HmacKeys, OneThatCantBeHadIsSaidWithoutItAndTheOthersCount) {
  const std::string secret(31, 's');
  const auto keys = read({"file:/nonexistent/key", "file:" + file(secret), "file:" + file("hex:" + digits64 + "0g"),
                          "file:" + file("hex:" + digits64 + "1"), "file:" + file(""), "hex:" + digits64});
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(keys[0].id, 6);
  ASSERT_EQ(said_.size(), 5u);
  EXPECT_NE(said_[0].find("key 1 of auth_hmac can't be used: /nonexistent/key: "), std::string::npos) << said_[0];
  EXPECT_NE(said_[1].find("a key of 31 bytes, expected 32 to 64"), std::string::npos) << said_[1];
  for (const std::string& line : said_) {
    EXPECT_EQ(line.find(secret), std::string::npos);
    EXPECT_EQ(line.find(digits64), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::control
