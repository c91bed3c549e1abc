#include "dataplane/mapping.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

namespace sluice::dataplane {

std::size_t available_memory() {
  std::FILE* file = std::fopen("/proc/meminfo", "re");
  if (file == nullptr) return std::numeric_limits<std::size_t>::max();
  std::size_t kib = std::numeric_limits<std::size_t>::max() / 1024;
  char line[128];
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "MemAvailable: %zu", &kib) == 1) break;
  }
  std::fclose(file);
  return kib * 1024;
}

Result<Mapping> Mapping::create(std::size_t bytes, Kind kind, const std::string& name) {
  const auto mib = [](std::size_t n) { return (n + (1u << 20) - 1) >> 20; };
  // Mappings are lazy and the kernel overcommits: without this check a table that is too large would start well and
  // be killed under load.
  if (const std::size_t available = available_memory(); bytes > available) {
    return fail(name, fmt::format("needs {} MiB, but only {} MiB of memory are available: make it smaller "
                                  "(dataplane {{ connections N }})",
                                  mib(bytes), mib(available)));
  }
  Mapping mapping;
  int flags = MAP_NORESERVE;
  if (kind == Kind::shared_memory) {
    mapping.fd_ = memfd_create(("sluice " + name).c_str(), MFD_CLOEXEC);
    if (mapping.fd_ < 0 || ftruncate(mapping.fd_, off_t(bytes)) != 0) {
      return fail(name, fmt::format("no shared memory of {} MiB: {}", mib(bytes), std::strerror(errno)));
    }
    flags |= MAP_SHARED;
  } else {
    flags |= MAP_PRIVATE | MAP_ANONYMOUS;
  }
  void* address = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, mapping.fd_, 0);
  if (address == MAP_FAILED) {
    return fail(name, fmt::format("no memory of {} MiB: {}", mib(bytes), std::strerror(errno)));
  }
  mapping.address_ = address;
  mapping.bytes_ = bytes;
  // A table of millions of records misses the TLB on every packet with small pages. Best effort.
  madvise(address, bytes, MADV_HUGEPAGE);
  return mapping;
}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  std::swap(fd_, other.fd_);
  return *this;
}

Mapping::~Mapping() {
  if (address_ != nullptr) munmap(address_, bytes_);
  if (fd_ >= 0) close(fd_);
}

}  // namespace sluice::dataplane
