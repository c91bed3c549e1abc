#include "bench/probe.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "bench/traffic.h"
#include "net/checksum.h"

namespace sluice::bench {

namespace {
constexpr std::size_t address_offset = 14 + 12, server_address_offset = 14 + 16, checksum_offset = 14 + 10,
                      port_offset = 34, server_port_offset = 36, tcp_checksum_offset = 34 + 16;
}

std::uint64_t Probe::hash(std::uint32_t address, std::uint16_t port) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{((std::uint64_t{address} << 16) | port) ^ 0x5eedull} * 0x9e3779b97f4a7c15ull;
  return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

Probe::Probe(std::uint32_t flows) {
  const std::size_t buckets = std::bit_ceil(std::size_t{flows} / 3 + 1);
  using dataplane::Mapping;
  bucket_memory_ = std::move(*Mapping::create(buckets * sizeof(Bucket), Mapping::Kind::private_memory, "probe"));
  record_memory_ = std::move(*Mapping::create(flows * sizeof(Record), Mapping::Kind::private_memory, "probe"));
  buckets_ = bucket_memory_.as<Bucket>();
  records_ = record_memory_.as<Record>();
  mask_ = buckets - 1;
  for (std::uint32_t flow = 0; flow < flows; ++flow) {
    const net::Endpoint client = Traffic::client(flow);
    records_[flow] = {client.address.value.raw(), 0x0b02000a, client.port.value.raw(), 0x901f, {2, 0, 0, 0, 2, 11}, {}};
    const std::uint64_t h = hash(client.address.value.raw(), client.port.value.raw());
    Bucket& bucket = buckets_[h & mask_];
    for (unsigned slot = 0; slot < 7; ++slot) {
      if (bucket.tags[slot] != 0) continue;  // a full bucket loses the flow: it then costs no record line, rarely
      bucket.tags[slot] = std::uint32_t(h >> 32) | 1;
      bucket.records[slot] = flow;
      break;
    }
  }
}

void Probe::forward(std::span<dataplane::Frame> frames) {
  std::uint64_t hashes[batch];
  std::uint32_t found[batch];
  for (std::size_t i = 0; i < frames.size(); ++i) {
    hashes[i] = hash(net::load<std::uint32_t>(frames[i].data + address_offset),
                     net::load<std::uint16_t>(frames[i].data + port_offset));
    __builtin_prefetch(&buckets_[hashes[i] & mask_]);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Bucket& bucket = buckets_[hashes[i] & mask_];
    const std::uint32_t tag = std::uint32_t(hashes[i] >> 32) | 1;
    std::uint32_t record = 0;
    for (unsigned slot = 0; slot < 7; ++slot) record = bucket.tags[slot] == tag ? bucket.records[slot] : record;
    found[i] = record;
    __builtin_prefetch(&records_[record]);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Record& record = records_[found[i]];
    std::uint8_t* data = frames[i].data;
    net::ChecksumDelta header;
    header.replace(net::load<net::Be32>(data + server_address_offset), net::Be32::from_raw(record.server));
    net::ChecksumDelta segment = header;
    segment.replace(net::load<net::Be16>(data + server_port_offset), net::Be16::from_raw(record.server_port));
    net::store(data + server_address_offset, record.server);
    net::store(data + server_port_offset, record.server_port);
    net::store(data + checksum_offset, header.apply(net::load<net::Be16>(data + checksum_offset)));
    net::store(data + tcp_checksum_offset, segment.apply(net::load<net::Be16>(data + tcp_checksum_offset)));
    std::memcpy(data, record.mac, sizeof record.mac);
  }
}

}  // namespace sluice::bench
