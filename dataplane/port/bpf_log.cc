#include "dataplane/port/bpf_log.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>

namespace sluice::dataplane {

namespace {

/// A verifier log can be megabytes; an Error is one line.
constexpr std::size_t captured_max = 4096;

thread_local std::string* sink = nullptr;

int collect(const char* format, va_list arguments) {
  if (sink == nullptr || sink->size() > captured_max) return 0;
  std::array<char, 1024> line{};
  const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
  sink->append(line.data());
  return length;
}

int collect_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  return level <= LIBBPF_INFO ? collect(format, arguments) : 0;
}

int collect_libxdp(libxdp_print_level level, const char* format, va_list arguments) {
  return level <= LIBXDP_INFO ? collect(format, arguments) : 0;
}

std::string on_one_line(std::string_view lines) {
  std::string line;
  for (const char c : lines) {
    if (c != '\n') line += c;
    if (c == '\n' && !line.empty() && !line.ends_with("; ")) line += "; ";
  }
  if (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

}  // namespace

BpfLogCapture::BpfLogCapture() : outer_(sink) {
  libbpf_set_print(collect_libbpf);
  libxdp_set_print(collect_libxdp);
  sink = &lines_;
}

BpfLogCapture::~BpfLogCapture() { sink = outer_; }

std::string BpfLogCapture::text() const { return on_one_line(lines_); }

std::string BpfLogCapture::kernel_message() const {
  constexpr std::string_view marker = "Kernel error message: ";
  const auto at = lines_.find(marker);
  if (at == std::string::npos) return {};
  const auto begin = at + marker.size();
  return lines_.substr(begin, lines_.find('\n', begin) - begin);
}

}  // namespace sluice::dataplane
