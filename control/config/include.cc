// The lexer's `include`: glob(3) with braces, relative to the directory of the including file, never an error if
// nothing matches (keepalived only logs it).
#include <fmt/format.h>
#include <glob.h>

#include "control/config/file.h"
#include "control/config/lexer.h"

namespace sluice::control::config {

std::string Lexer::directory_of(std::uint32_t file) const {
  const std::string& name = diagnostics_.file_name(file);
  const auto slash = name.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : name.substr(0, slash);
}

void Lexer::include(const Token& token) {
  const std::string& form = token.words[0].text;
  if (token.words.size() < 2) {
    diagnostics_.missing_argument(token.place, fmt::format("'{}' has no value, expected a file name or pattern", form));
    return;
  }
  if (!options_.follow_includes) return;
  const Place from{token.place.file, token.place.line, token.words[1].column};
  std::string pattern = token.words[1].text;
  if (pattern.empty()) return;
  if (sources_.back().depth >= include_depth_max) {
    diagnostics_.error(from, fmt::format("include of {} ignored: files include each other more than {} deep",
                                         quoted(pattern), include_depth_max));
    return;
  }
  if (pattern.front() != '/') pattern = directory_of(sources_.back().file) + "/" + pattern;

  glob_t found{};
  const int status = glob(pattern.c_str(), GLOB_BRACE, nullptr, &found);
  if (status != 0 || found.gl_pathc == 0) {
    // Not even the checked forms (includer ...) change the status of -t in 2.2.7.
    diagnostics_.notice(from, fmt::format("no file matches {}", quoted(pattern)));
  }
  // The last opened is read first.
  const std::size_t depth = sources_.back().depth + 1;
  for (std::size_t i = found.gl_pathc; i-- > 0;) open_file(found.gl_pathv[i], from, depth);
  globfree(&found);
}

void Lexer::open_file(const std::string& path, Place from, std::size_t depth) {
  if (++files_opened_ > include_files_max) {
    if (files_opened_ == include_files_max + 1) {
      diagnostics_.error(from, fmt::format("more than {} files included, the rest is ignored", include_files_max));
    }
    return;
  }
  auto text = read_config_file(path);
  if (!text) {
    diagnostics_.notice(from, fmt::format("not included: {}", text.error().text()));
    return;
  }
  if (bytes_read_ + text->size() > file_bytes_max) {
    diagnostics_.error(
        from, fmt::format("{} is ignored: files of more than {} MiB in all", quoted(path), file_bytes_max >> 20));
    return;
  }
  bytes_read_ += text->size();
  Source source;
  source.depth = depth;
  source.owned = std::make_shared<const std::string>(std::move(*text));
  source.text = *source.owned;
  source.file = diagnostics_.add_file(path, source.owned);
  sources_.push_back(std::move(source));
}

}  // namespace sluice::control::config
