#include "control/daemon/last_config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace sluice::control {

namespace {

// In front of the text; written last.
struct Header {
  std::uint64_t magic;
  std::uint64_t length;
};
constexpr std::uint64_t magic = 0x534c55494345'0001;

}  // namespace

Result<> LastConfig::save(const std::string& text) const {
  const auto failed = [] { return fail("configuration for a restart", std::generic_category().message(errno)); };
  clear();
  std::string_view left = text;
  for (off_t at = sizeof(Header); !left.empty();) {
    const ssize_t written = ::pwrite(file_, left.data(), left.size(), at);
    if (written < 0) return failed();
    at += written;
    left.remove_prefix(std::size_t(written));
  }
  const Header header{magic, text.size()};
  if (::pwrite(file_, &header, sizeof header, 0) != sizeof header) return failed();
  return {};
}

std::optional<std::string> LastConfig::load() const {
  Header header{};
  struct stat status {};
  if (::pread(file_, &header, sizeof header, 0) != sizeof header || header.magic != magic) return std::nullopt;
  if (::fstat(file_, &status) != 0 || header.length + sizeof header > std::uint64_t(status.st_size))
    return std::nullopt;
  std::string text(header.length, '\0');
  for (std::size_t got = 0; got < text.size();) {
    const ssize_t more = ::pread(file_, text.data() + got, text.size() - got, off_t(sizeof header + got));
    if (more <= 0) return std::nullopt;
    got += std::size_t(more);
  }
  return text;
}

void LastConfig::clear() const { (void)::ftruncate(file_, 0); }

}  // namespace sluice::control
