// libFuzzer target: any bytes as a BFD packet, in a buffer of exactly their size. What is accepted is written again and
// must read as the same; and it finds a session or doesn't.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "vrrp/bfd/demultiplex.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::vrrp::bfd;
  const std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[size]);
  std::copy_n(data, size, bytes.get());
  const auto packet = decode({bytes.get(), size});
  if (!packet) return 0;
  const PacketBytes again = encode(*packet);
  if (decode(again) != packet) std::abort();
  const SessionKey keys[] = {{1, net::Ipv4Addr::of(10, 98, 0, 1)}, {2, net::Ipv4Addr::of(10, 98, 0, 2), true, 0}};
  const auto found = find_session(keys, *packet, {net::Ipv4Addr::of(10, 98, 0, 2), data[0], (data[1] & 1) != 0});
  if (found && *found >= std::size(keys)) std::abort();
  return 0;
}
