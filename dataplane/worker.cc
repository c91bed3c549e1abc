#include "dataplane/worker.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstring>

#include "dataplane/forward/icmp_answer.h"
#include "dataplane/forward/link.h"
#include "dataplane/forward/nat.h"
#include "dataplane/forward/tunnel.h"

namespace sluice::dataplane {

namespace {

// Records looked at per turn, when their second has come: at some 20 ns each, a burst waits no longer than that of 64
// packets takes anyway.
constexpr std::size_t expire_budget = 64;
// Updates per turn, so that a reload of thousands of services lets packets through in between.
constexpr std::size_t updates_per_turn = 32;
constexpr std::size_t dump_records_per_turn = 512;
constexpr net::L4Port ftp_data = net::L4Port::of(20);

NatChange to_server(const FlowRecord& record) {
  return {record.destination_endpoint(), net::ChecksumDelta(record.address_delta),
          net::ChecksumDelta(record.segment_delta)};
}

// Auto last hop: the packet comes from where the last one came from.
bool is_last_hop(const FlowRecord& record, const Frame& frame, const Packet& packet) {
  // MAC and VLAN lie side by side in the record: one word. In the frame, what is behind the MAC is the EtherType.
  static_assert(offsetof(FlowRecord, client_vlan) == offsetof(FlowRecord, client_mac) + sizeof(net::MacAddr));
  std::uint64_t recorded;
  std::memcpy(&recorded, &record.client_mac, sizeof recorded);
  const auto received = net::load<std::uint64_t>(frame.data + offsetof(net::EthernetHeader, source)) << 16 >> 16;
  return recorded == (received | std::uint64_t{packet.vlan} << 48) && record.client_port_id == frame.port;
}

NatChange to_client(const FlowRecord& record) {
  return {record.virtual_endpoint(), net::ChecksumDelta(record.address_delta).reversed(),
          net::ChecksumDelta(record.segment_delta).reversed()};
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// A packet's way: one turn, then the steps over a whole batch, then the steps for one packet, in the order they run.

bool Worker::poll(std::uint32_t now_s) {
  now_s_ = now_s;
  bool worked = take_updates();
  std::uint64_t started = config_.clock != nullptr ? config_.clock() : 0;
  bool moved_packets = false;

  const auto run = [&](bool handed_in) {
    const std::uint64_t received = config_.clock != nullptr ? config_.clock() : 0;
    batch_.handed_in = handed_in;
    process(batch_);
    if (config_.clock != nullptr) {
      const std::uint64_t processed = config_.clock();
      counters_.port_ns.add(received - started);
      counters_.engine_ns.add(processed - received);
      started = processed;
    }
    moved_packets = true;
  };
  for (Port* port : config_.ports) {
    batch_.count = port->receive(batch_.frames);
    if (batch_.count == 0) continue;
    counters_.received.add(batch_.count);
    run(false);
  }
  for (Ring<Frame>* ring : config_.hand_in) {
    if (ring == nullptr) continue;
    batch_.count = ring->pop(batch_.frames);
    if (batch_.count == 0) continue;
    counters_.handed_in.add(batch_.count);
    run(true);
  }

  for (std::size_t port = 0; port < config_.ports.size(); ++port) {
    send_queue(PortId(port));
    config_.ports[port]->flush();
  }
  if (moved_packets && config_.clock != nullptr) counters_.port_ns.add(config_.clock() - started);
  worked |= expire(expire_budget);
  worked |= continue_dump();
  worked |= moved_packets;
  if (worked) counters_.polls.add(1);
  return worked;
}

void Worker::process(Batch& batch) {
  classifier_ == nullptr ? find_buckets<false>(batch) : find_buckets<true>(batch);
  find_records(batch);
  forward_all(batch);

  if (to_release_count_ > 0) {
    config_.pool->release(std::span(to_release_).first(to_release_count_));
    to_release_count_ = 0;
  }
  for (std::size_t worker = 0; handed_over_to_.any(); ++worker) {
    if (handed_over_to_[worker]) config_.peers[worker]->wake_if_asleep();
    handed_over_to_.reset(worker);
  }
}

// Frames -> packets -> direction, hash, bucket. Headers of the next frames are on their way while this one is looked
// at. A packet to a virtual address, or to one that classify rules name, comes from a client; all others that get here
// are replies. Packets of NAT connections that another worker owns leave here.
template <bool has_rules>
void Worker::find_buckets(Batch& batch) {
  constexpr std::size_t ahead = 8;
  for (std::size_t i = 0; i < std::min(ahead, batch.count); ++i) __builtin_prefetch(batch.frames[i].data, 1);
  std::size_t alive = 0;
  net::Ipv4Addr asked{};  // most packets of a burst go to the same address
  ServiceMap::VirtualAddress address = service_map_.virtual_address(asked);
  for (std::size_t i = 0; i < batch.count; ++i) {
    if (i + ahead < batch.count) __builtin_prefetch(batch.frames[i + ahead].data, 1);
    const Frame& frame = batch.frames[i];
    Packet& packet = batch.packets[i];
    const SourceRule rule = frame.port == config_.host_port ? SourceRule::host : SourceRule::wire;
    if (const auto reason = parse(frame, rule, packet)) [[unlikely]] {
      drop(frame, *reason);
      continue;
    }

    if (packet.destination != asked) {
      asked = packet.destination;
      address = service_map_.virtual_address(asked);
    }
    Lookup& lookup = batch.lookups[i];
    lookup.direction = address.is_virtual ? Direction::in : Direction::out;
    bool may_have_mark = false;
    if constexpr (has_rules) {
      may_have_mark = is_from_client(frame, packet);
      if (may_have_mark) lookup.direction = Direction::in;
    }
    const net::Endpoint client = lookup.direction == Direction::in ? packet.tuple.source : packet.tuple.destination;
    lookup.hash = flows_.hash(client, packet.tuple.protocol);

    if (config_.workers > 1 && !batch.handed_in &&
        (address.has_nat || (may_have_mark ? service_map_.marks_have_nat() : !address.is_virtual))) {
      const std::size_t owner = std::size_t(lookup.hash >> 32) % config_.workers;
      if (owner != index(config_.id)) {
        hand_over(frame, owner);
        continue;
      }
    }
    flows_.prefetch_bucket(lookup.hash);
    batch.alive[alive++] = std::uint8_t(i);
  }
  batch.alive_count = alive;
}

// What classify rules brought here goes to their addresses or comes from a real server, or both, when clients and
// virtual addresses lie in one prefix: then the whole packet decides.
bool Worker::is_from_client(const Frame& frame, const Packet& packet) const {
  if (!classifier_->has_destination(packet.destination)) return false;
  if (nat_addresses_.find(packet.tuple.source.address.value.raw()) == nullptr) return true;
  const std::uint32_t mark = classifier_->mark_of(packet.tuple, frame.port, packet.vlan);
  return mark != 0 && service_map_.find_mark(mark).has_value();
}

// Buckets -> the record that it most likely is.
void Worker::find_records(Batch& batch) {
  for (const std::uint8_t i : std::span(batch.alive).first(batch.alive_count)) {
    Lookup& lookup = batch.lookups[i];
    lookup.guess = flows_.candidate(lookup.hash);
    if (lookup.guess != no_flow) flows_.prefetch_record(lookup.guess);
  }
}

void Worker::forward_all(Batch& batch) {
  for (const std::uint8_t i : std::span(batch.alive).first(batch.alive_count)) {
    Frame& frame = batch.frames[i];
    Packet& packet = batch.packets[i];
    const Lookup& lookup = batch.lookups[i];
    if (lookup.direction == Direction::in) {
      if (!forward_steady_in(frame, packet, lookup)) [[unlikely]]
        forward_in(frame, packet, lookup);
    } else {
      if (!forward_steady_out(frame, packet, lookup)) [[unlikely]]
        forward_out(frame, packet, lookup);
    }
  }
}

// What nearly every packet is: one more of a connection that goes on as it did, to a machine that can be reached. The
// two forward_steady do what forward_in and forward_out would do with it, less the questions whose answers are known;
// false: they must be asked, and nothing has been done.
bool Worker::is_steady(const FlowRecord& record, const Packet& packet) const {
  constexpr std::uint8_t flags = net::tcp_syn | net::tcp_fin | net::tcp_rst | net::tcp_ack;
  if (record.last_seen_s != now_s_) return false;
  if (packet.kind == PacketKind::tcp) {
    return record.state == TcpState::established && (packet.tcp_flags & flags) == net::tcp_ack &&
           record.timeout_s == timeouts_.of(net::Protocol::tcp, TcpState::established);
  }
  return packet.kind == PacketKind::udp && record.timeout_s == timeouts_.udp_s;
}

inline bool Worker::forward_steady_in(Frame& frame, Packet& packet, const Lookup& lookup) {
  if (lookup.guess == no_flow) return false;
  const FlowRecord& record = flows_[lookup.guess];
  if (!is_in(record, packet.tuple) || !is_steady(record, packet)) return false;
  const Destination& destination = destinations_[index(record.destination)];
  const std::uint8_t ttl = frame.data[packet.l3 + offsetof(net::Ipv4Header, ttl)];
  if (!is_last_hop(record, frame, packet) || packet.l3_length > destination.steady_length_max || ttl <= 1) return false;

  DestinationCounters& counters = destination_counters_[index(record.destination)];
  counters.in_packets.add(1);
  counters.in_bytes.add(packet.l3_length);
  rewrite_in(frame, packet, record, destination);
  return true;
}

inline bool Worker::forward_steady_out(Frame& frame, Packet& packet, const Lookup& lookup) {
  if (lookup.guess == no_flow) return false;
  const FlowRecord& record = flows_[lookup.guess];
  if (record.method != ForwardMethod::nat || !is_out(record, packet.tuple) || !is_steady(record, packet)) return false;
  const PortInfo& out = port_infos_[index(record.client_port_id)];
  const std::uint8_t ttl = frame.data[packet.l3 + offsetof(net::Ipv4Header, ttl)];
  if ((record.flags & flow_no_output) != 0 || destinations_[index(record.destination)].steady_length_max == 0 ||
      packet.l3_length > out.mtu || ttl <= 1 || frame.port == config_.host_port) {
    return false;
  }

  DestinationCounters& counters = destination_counters_[index(record.destination)];
  counters.out_packets.add(1);
  counters.out_bytes.add(packet.l3_length);
  nat_source(frame, packet, to_client(record), Ttl::decrement);
  write_link(frame, packet, record.client_vlan, record.client_mac, out.mac);
  queue(frame, record.client_port_id, counters_.transmitted);
  return true;
}

// From a client. Known connection or a new one; then state, counts, and on to the real server.
void Worker::forward_in(Frame& frame, Packet& packet, const Lookup& lookup) {
  FlowIndex flow = flows_.find_in(packet.tuple, lookup.hash, lookup.guess);

  if (packet.kind == PacketKind::icmp_error) {
    if (flow == no_flow) return pass_error_to_host(frame, packet);
  } else {
    const bool opens = (packet.tcp_flags & net::tcp_syn) != 0 && (packet.tcp_flags & net::tcp_rst) == 0;
    if (flow != no_flow && opens) {
      // The client uses its port anew: the old connection is over, whatever its timer says (IPVS conn_reuse_mode 1).
      const TcpState state = flows_[flow].state;
      if (state == TcpState::time_wait || state == TcpState::close) {
        unbind(flows_[flow]);
        flows_.erase(flow);
        flow = no_flow;
      }
    }
    if (flow == no_flow) {
      flow = open_flow(frame, packet, lookup);
      if (flow == no_flow) return;
    }
  }

  FlowRecord& record = flows_[flow];
  const Destination& destination = destinations_[index(record.destination)];
  if (!destination.available) return drop(frame, DropReason::destination_removed);

  if (packet.kind != PacketKind::icmp_error) {
    if (!is_last_hop(record, frame, packet)) {
      record.client_mac = net::load<net::MacAddr>(frame.data + offsetof(net::EthernetHeader, source));
      record.client_port_id = frame.port;
      record.client_vlan = packet.vlan;
    }
    const bool sees_replies = (record.flags & flow_no_output) == 0;
    advance_state(flow, sees_replies ? FlowDirection::in : FlowDirection::in_only, packet);
  }
  DestinationCounters& counters = destination_counters_[index(record.destination)];
  counters.in_packets.add(1);
  counters.in_bytes.add(packet.l3_length);
  send_to_destination(frame, packet, record, destination);
}

// From a real server whose replies pass the director.
void Worker::forward_out(Frame& frame, Packet& packet, const Lookup& lookup) {
  const FlowIndex flow = flows_.find_out(packet.tuple, lookup.hash, lookup.guess);
  if (flow == no_flow || flows_[flow].method != ForwardMethod::nat) {
    if (packet.kind == PacketKind::icmp_error && frame.port != config_.host_port)
      return drop(frame, DropReason::icmp_without_flow);
    return pass_to_host(frame);
  }

  FlowRecord& record = flows_[flow];
  if (!destinations_[index(record.destination)].available) return drop(frame, DropReason::destination_removed);
  if (packet.kind != PacketKind::icmp_error) {
    if ((record.flags & flow_no_output) != 0) record.flags &= std::uint16_t(~flow_no_output);
    advance_state(flow, FlowDirection::out, packet);
  }
  DestinationCounters& counters = destination_counters_[index(record.destination)];
  counters.out_packets.add(1);
  counters.out_bytes.add(packet.l3_length);
  send_to_client(frame, packet, record);
}

// A mark comes before the address (IPVS), but only if some service takes it.
std::optional<ServiceId> Worker::find_service(const Frame& frame, const Packet& packet) const {
  const net::FiveTuple& tuple = packet.tuple;
  if (classifier_ != nullptr) {
    const std::uint32_t mark = classifier_->mark_of(tuple, frame.port, packet.vlan);
    if (const auto id = mark != 0 ? service_map_.find_mark(mark) : std::nullopt) return id;
  }
  return service_map_.find({tuple.protocol, tuple.destination.address, tuple.destination.port});
}

// A packet without a connection: schedules and records one. Returns no_flow when the packet has gone elsewhere.
FlowIndex Worker::open_flow(Frame& frame, Packet& packet, const Lookup& lookup) {
  if (packet.kind == PacketKind::tcp) {
    // Not the start of a connection: it is the host's to answer (with a reset), as under IPVS.
    const bool opens = (packet.tcp_flags & net::tcp_syn) != 0 && (packet.tcp_flags & net::tcp_rst) == 0;
    if (!opens || packet.tuple.source.port == ftp_data) {
      pass_to_host(frame);
      return no_flow;
    }
  }
  const net::FiveTuple& tuple = packet.tuple;
  const auto id = find_service(frame, packet);
  if (!id) {
    pass_to_host(frame);
    return no_flow;
  }
  if (service_map_.virtual_address(tuple.source.address).is_virtual) {
    drop(frame, DropReason::martian);
    return no_flow;
  }
  if (flows_.size() >= flows_.capacity() - flows_.capacity() / 16) make_room();
  const ServiceSlot& slot = services_[index(*id)];
  const auto chosen = slot.scheduler->pick(*slot.service, {tuple.source, tuple.destination, now_s_}, loads_);
  if (!chosen) {
    answer(frame, packet, packet.destination, net::icmp_unreachable, net::icmp_code_port_unreachable, 0,
           DropReason::no_destination);
    return no_flow;
  }

  const Destination& destination = destinations_[index(*chosen)];
  FlowRecord record{};
  record.client_address = tuple.source.address;
  record.client_port = tuple.source.port;
  record.virtual_address = tuple.destination.address;
  record.virtual_port = tuple.destination.port;
  record.destination_address = destination.address;
  record.destination_port = destination.port.is_zero() ? tuple.destination.port : destination.port;
  record.protocol = tuple.protocol;
  record.state = TcpState::none;
  record.method = destination.method;
  record.flags = flow_inactive;
  if (destination.method != ForwardMethod::nat) record.flags |= flow_no_output;
  record.destination = *chosen;
  if (record.method == ForwardMethod::nat) {
    const NatChange change = nat_change(record.virtual_endpoint(), record.destination_endpoint());
    record.address_delta = change.address.folded();
    record.segment_delta = change.segment.folded();
  }
  record.last_seen_s = now_s_;
  record.timeout_s = timeouts_.of(record.protocol, record.state);
  const auto flow = flows_.insert(lookup.hash, record);
  if (!flow) {
    drop(frame, flow.error() == InsertFailure::table_full ? DropReason::flow_table_full : DropReason::flow_bucket_full);
    return no_flow;
  }
  bind(flows_[*flow]);
  return *flow;
}

// Under a flood of SYNs that go nowhere the table fills with handshakes that never end. Then each new connection takes
// the place of such a one, in the order of the slab, which is nearly that of their age: a handshake of an honest client
// is over before the hand comes round. Connections that ever got further aren't touched.
void Worker::make_room() {
  constexpr unsigned looks = 16;  // at neighbours in memory: a few lines, in a row
  for (unsigned i = 0; i < looks; ++i) {
    hand_ = hand_ + 1 < flows_.scan_end() ? hand_ + 1 : 0;
    const FlowRecord& record = flows_[FlowIndex{hand_}];
    if (record.protocol != net::Protocol::tcp) continue;
    if (record.state != TcpState::syn_recv && record.state != TcpState::none) continue;
    unbind(record);
    flows_.erase(FlowIndex{hand_});
    counters_.flows_evicted.add(1);
    return;
  }
}

void Worker::send_to_destination(Frame& frame, Packet& packet, const FlowRecord& record,
                                 const Destination& destination) {
  const bool is_icmp = packet.kind == PacketKind::icmp_error;
  if (destination.is_local) {
    // The host answers from the virtual address by itself, unless the packet was translated.
    if (record.method == ForwardMethod::nat) {
      if (is_icmp)
        nat_icmp_in(frame, packet, record.destination_endpoint(), Ttl::keep);
      else
        nat_destination(frame, packet, to_server(record), Ttl::keep);
    }
    if (config_.host_port == no_port) return drop(frame, DropReason::host_unavailable);
    return queue(frame, config_.host_port, counters_.passed);
  }

  const auto ipv4 = net::load<net::Ipv4Header>(frame.data + packet.l3);
  if (ipv4.ttl <= 1) {
    return answer(frame, packet, record.virtual_address, net::icmp_time_exceeded, 0, 0, DropReason::ttl_exceeded);
  }
  if (destination.next_hop.port == no_port) return drop(frame, DropReason::next_hop_unresolved);
  const std::uint16_t overhead = record.method == ForwardMethod::tunnel ? ipip_overhead : std::uint16_t{0};
  if (packet.l3_length + overhead > destination.mtu) {
    if (!ipv4.dont_fragment()) return drop(frame, DropReason::too_big_to_fragment);
    return answer(frame, packet, record.virtual_address, net::icmp_unreachable, net::icmp_code_fragmentation_needed,
                  std::uint16_t(destination.mtu - overhead), DropReason::too_big);
  }
  if (is_icmp && record.method == ForwardMethod::nat) {
    nat_icmp_in(frame, packet, record.destination_endpoint(), Ttl::decrement);
    write_link(frame, packet, destination.next_hop);
    return queue(frame, destination.next_hop.port, counters_.transmitted);
  }
  rewrite_in(frame, packet, record, destination);
}

// As the forwarding method has it, and out to the next hop, which there is.
inline void Worker::rewrite_in(Frame& frame, Packet& packet, const FlowRecord& record, const Destination& destination) {
  switch (record.method) {
    case ForwardMethod::nat: nat_destination(frame, packet, to_server(record), Ttl::decrement); break;
    case ForwardMethod::direct:
    case ForwardMethod::local: decrement_ttl(frame, packet); break;
    case ForwardMethod::tunnel:
      encapsulate_ipip(frame, packet, destination.tunnel_source, record.destination_address, ip_id_++);
      break;
  }
  write_link(frame, packet, destination.next_hop);
  queue(frame, destination.next_hop.port, counters_.transmitted);
}

// Back to where the client's packets came from (auto last hop): no route is looked up.
void Worker::send_to_client(Frame& frame, Packet& packet, const FlowRecord& record) {
  const PortInfo& out = port_infos_[index(record.client_port_id)];
  const bool from_host = frame.port == config_.host_port;
  const auto ipv4 = net::load<net::Ipv4Header>(frame.data + packet.l3);
  if (!from_host && ipv4.ttl <= 1) {
    return answer(frame, packet, record.virtual_address, net::icmp_time_exceeded, 0, 0, DropReason::ttl_exceeded);
  }
  if (packet.l3_length > out.mtu) {
    if (!ipv4.dont_fragment()) return drop(frame, DropReason::too_big_to_fragment);
    return answer(frame, packet, record.virtual_address, net::icmp_unreachable, net::icmp_code_fragmentation_needed,
                  out.mtu, DropReason::too_big);
  }
  const Ttl ttl = from_host ? Ttl::keep : Ttl::decrement;
  if (packet.kind == PacketKind::icmp_error)
    nat_icmp_out(frame, packet, record.virtual_endpoint(), ttl);
  else
    nat_source(frame, packet, to_client(record), ttl);
  write_link(frame, packet, record.client_vlan, record.client_mac, out.mac);
  queue(frame, record.client_port_id, counters_.transmitted);
}

// Not ours after all: the host's own stack sees it as if there were no engine. Never back to where it came from.
void Worker::pass_to_host(const Frame& frame) {
  if (frame.port == config_.host_port) return drop(frame, DropReason::host_reply_without_flow);
  if (config_.host_port == no_port) return drop(frame, DropReason::host_unavailable);
  if (!host_limit_.take(now_s_)) return drop(frame, DropReason::host_rate_limited);
  queue(frame, config_.host_port, counters_.passed);
}

// An ICMP error about no known connection. Where classify rules brought it here, the host may have sent what it is
// about.
void Worker::pass_error_to_host(const Frame& frame, const Packet& packet) {
  if (service_map_.virtual_address(packet.destination).is_virtual) return drop(frame, DropReason::icmp_without_flow);
  pass_to_host(frame);
}

// Drops the packet, and tells its sender why. Errors are never answered by errors (RFC 1122 3.2.2).
void Worker::answer(Frame& frame, Packet& packet, net::Ipv4Addr source, std::uint8_t type, std::uint8_t code,
                    std::uint16_t mtu, DropReason reason) {
  if (packet.kind == PacketKind::icmp_error || frame.port == config_.host_port) return drop(frame, reason);
  if (!icmp_limit_.take(now_s_)) return drop(frame, DropReason::icmp_rate_limited);
  counters_.dropped[static_cast<std::size_t>(reason)].add(1);
  counters_.answered.add(1);
  const auto link = net::load<net::EthernetHeader>(frame.data);
  const PortId port = frame.port;
  const std::uint16_t vlan = packet.vlan;
  make_icmp_error(frame, packet, source, {type, code, mtu});
  write_link(frame, packet, vlan, link.source, port_infos_[index(port)].mac);
  queue(frame, port, counters_.transmitted);
}

// ---------------------------------------------------------------------------------------------------------------------
// Connections

// A record is written only when something changed: a second has passed, or the state is another.
void Worker::advance_state(FlowIndex flow, FlowDirection direction, const Packet& packet) {
  FlowRecord& record = flows_[flow];
  if (record.last_seen_s != now_s_) record.last_seen_s = now_s_;
  if (packet.kind == PacketKind::tcp) {
    const TcpState next = next_state(record.state, direction, packet.tcp_flags);
    if (next != record.state) {
      record.state = next;
      Load& load = loads_[index(record.destination)];
      const bool was_active = (record.flags & flow_inactive) == 0;
      if (was_active && !is_active(next)) {
        record.flags |= flow_inactive;
        store_load(load.active, load.active - 1);
        store_load(load.inactive, load.inactive + 1);
      } else if (!was_active && is_active(next)) {
        record.flags &= std::uint16_t(~flow_inactive);
        store_load(load.active, load.active + 1);
        store_load(load.inactive, load.inactive - 1);
      }
    }
  }
  const std::uint32_t timeout_s = timeouts_.of(record.protocol, record.state);
  if (timeout_s != record.timeout_s) flows_.set_timeout(flow, timeout_s);
}

// A connection is born inactive; its first state change moves it.
void Worker::bind(FlowRecord& record) {
  const std::size_t i = index(record.destination);
  Load& load = loads_[i];
  store_load(load.inactive, load.inactive + 1);
  const std::uint32_t upper = destinations_[i].upper_threshold;
  if (upper != 0 && load.active + load.inactive >= upper) load.overloaded = true;
  destination_counters_[i].connections.add(1);
  counters_.flows_created.add(1);
  counters_.flows.set(flows_.size());
}

// IPVS lifts the overload only here: below the lower threshold, or without one below three quarters of the upper.
void Worker::unbind(const FlowRecord& record) {
  const std::size_t i = index(record.destination);
  Load& load = loads_[i];
  if ((record.flags & flow_inactive) != 0)
    store_load(load.inactive, load.inactive - 1);
  else
    store_load(load.active, load.active - 1);
  if (!load.overloaded) return;
  const std::uint64_t connections = load.active + load.inactive;
  const Destination& destination = destinations_[i];
  if (destination.lower_threshold != 0) {
    if (connections < destination.lower_threshold) load.overloaded = false;
  } else if (destination.upper_threshold == 0 || 4 * connections < 3 * std::uint64_t{destination.upper_threshold}) {
    load.overloaded = false;
  }
}

// Returns whether there may be more to expire now.
bool Worker::expire(std::size_t budget) {
  std::uint64_t expired = 0;
  const std::size_t seen = flows_.expire(now_s_, budget, [&](const FlowRecord& record) {
    unbind(record);
    ++expired;
  });
  if (expired > 0) counters_.flows_expired.add(expired);
  if (counters_.flows.read() != flows_.size()) counters_.flows.set(flows_.size());
  return seen == budget;
}

// ---------------------------------------------------------------------------------------------------------------------
// Frames leaving

void Worker::drop(const Frame& frame, DropReason reason) {
  counters_.dropped[static_cast<std::size_t>(reason)].add(1);
  if (to_release_count_ == to_release_.size()) {
    config_.pool->release(to_release_);
    to_release_count_ = 0;
  }
  to_release_[to_release_count_++] = frame;
}

inline void Worker::queue(const Frame& frame, PortId port, Counter& counted) {
  counted.add(1);
  TransmitQueue& queue = transmit_queues_[index(port)];
  if (queue.count == queue.frames.size()) send_queue(port);
  queue.frames[queue.count++] = frame;
}

void Worker::send_queue(PortId port) {
  TransmitQueue& queue = transmit_queues_[index(port)];
  if (queue.count == 0) return;
  const auto frames = std::span(queue.frames).first(queue.count);
  const std::size_t sent = config_.ports[index(port)]->transmit(frames);
  queue.count = 0;
  if (sent == frames.size()) return;
  const auto rest = frames.subspan(sent);
  Counter& counted = port == config_.host_port ? counters_.passed : counters_.transmitted;
  counted.set(counted.read() - rest.size());
  counters_.dropped[static_cast<std::size_t>(DropReason::transmit_full)].add(rest.size());
  config_.pool->release(rest);
}

void Worker::hand_over(const Frame& frame, std::size_t owner) {
  if (!config_.hand_out[owner]->push(frame)) return drop(frame, DropReason::hand_over_full);
  counters_.handed_out.add(1);
  handed_over_to_.set(owner);
}

// ---------------------------------------------------------------------------------------------------------------------
// Control's updates, between two bursts

bool Worker::take_updates() {
  std::size_t taken = 0;
  while (taken < updates_per_turn && dump_ == nullptr) {
    Update* update = config_.mailbox->take();
    if (update == nullptr) break;
    ++taken;
    if (auto* service = std::get_if<SetService>(update))
      apply(*service);
    else if (auto* removed = std::get_if<RemoveService>(update))
      apply(*removed);
    else if (auto* destination = std::get_if<SetDestination>(update))
      apply(destination->id, destination->destination);
    else if (auto* many = std::get_if<SetDestinations>(update))
      taken += apply(*many);
    else if (auto* port = std::get_if<SetPort>(update))
      port_infos_[index(port->id)] = {port->mac, port->mtu};
    else if (auto* classifier = std::get_if<SetClassifier>(update))
      std::swap(classifier_, classifier->classifier);
    else if (auto* timeouts = std::get_if<SetTimeouts>(update))
      timeouts_ = timeouts->timeouts;
    else
      dump_ = update;
    if (dump_ == nullptr) config_.mailbox->give_back(update);
  }
  return taken > 0;
}

void Worker::apply(SetService& update) {
  const Service& service = *update.service;
  ServiceSlot& slot = services_[index(service.id)];
  if (slot.service == nullptr) {
    service_map_.insert(service.key, service.id, service.has_nat);
  } else {
    update.scheduler->adopt(service, *slot.scheduler, *slot.service);
    if (slot.service->has_nat != service.has_nat) service_map_.change_nat(service.key, service.has_nat);
  }
  std::swap(slot.service, update.service);
  std::swap(slot.scheduler, update.scheduler);
}

void Worker::apply(RemoveService& update) {
  ServiceSlot& slot = services_[index(update.id)];
  if (slot.service == nullptr) return;
  service_map_.erase(slot.service->key, slot.service->has_nat);
  update.service = std::move(slot.service);
  update.scheduler = std::move(slot.scheduler);
}

// An edit lifts the overload when the threshold goes, or goes up (IPVS).
void Worker::apply(DestinationId id, const Destination& update) {
  Destination& destination = destinations_[index(id)];
  const std::uint32_t upper = update.upper_threshold;
  if (upper == 0 || upper > destination.upper_threshold) loads_[index(id)].overloaded = false;
  if (destination.method != update.method || destination.address != update.address) {
    count_nat_address(destination, false);
    count_nat_address(update, true);
  }
  destination = update;
  const std::uint16_t overhead = update.method == ForwardMethod::tunnel ? ipip_overhead : std::uint16_t{0};
  const bool plain = update.available && !update.is_local && update.next_hop.port != no_port && update.mtu > overhead;
  destination.steady_length_max = plain ? std::uint16_t(update.mtu - overhead) : std::uint16_t{0};
}

// One that was removed counts until its id is used again: its last replies may be under way.
void Worker::count_nat_address(const Destination& destination, bool comes) {
  const std::uint32_t address = destination.address.value.raw();
  if (destination.method != ForwardMethod::nat || address == 0) return;
  std::uint32_t& count = nat_addresses_.at(address);
  count = comes ? count + 1 : count - 1;
  if (count == 0) nat_addresses_.erase(address);
}

/// Returns how many updates more it counts as: a destination is three cache lines, a service some tens.
std::size_t Worker::apply(const SetDestinations& update) {
  for (std::size_t i = 0; i < update.ids.size(); ++i) apply(update.ids[i], update.destinations[i]);
  return update.ids.size() / 16;
}

bool Worker::continue_dump() {
  if (dump_ == nullptr) return false;
  auto& dump = std::get<DumpFlows>(*dump_);
  std::size_t i = index(dump.next);
  const std::size_t end = std::min(flows_.scan_end(), i + dump_records_per_turn);
  for (; i < end && dump.flows.size() < dump.room; ++i) {
    const FlowRecord& record = flows_[FlowIndex(i)];
    if (record.protocol != net::Protocol{0}) dump.flows.push_back(record);
  }
  const bool at_end = i >= flows_.scan_end();
  dump.next = at_end ? no_flow : FlowIndex(i);
  dump.now_s = now_s_;
  if (at_end || dump.flows.size() == dump.room) config_.mailbox->give_back(std::exchange(dump_, nullptr));
  return true;
}

// ---------------------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<Worker>> Worker::create(WorkerConfig config) {
  assert(config.ports.size() <= ports_max && config.workers <= ports_max);
  auto flows = FlowTable::create(config.connections, config.hash_seed, config.now_s, config.flow_memory);
  if (!flows) return std::unexpected(flows.error());
  auto map = ServiceMap::create();
  if (!map) return std::unexpected(map.error());
  auto nat_addresses = ProbeTable::create(2 * destinations_max, "NAT real servers");
  if (!nat_addresses) return std::unexpected(nat_addresses.error());
  constexpr auto kind = Mapping::Kind::private_memory;
  auto services = Mapping::create(services_max * sizeof(ServiceSlot), kind, "services");
  if (!services) return std::unexpected(services.error());
  auto destinations = Mapping::create(destinations_max * sizeof(Destination), kind, "destinations");
  if (!destinations) return std::unexpected(destinations.error());
  auto loads = Mapping::create(destinations_max * sizeof(Load), kind, "destinations' loads");
  if (!loads) return std::unexpected(loads.error());
  auto counters = Mapping::create(destinations_max * sizeof(DestinationCounters), kind, "destinations' counters");
  if (!counters) return std::unexpected(counters.error());
  return std::unique_ptr<Worker>(new Worker(std::move(config), std::move(*flows), std::move(*map),
                                            std::move(*nat_addresses), std::move(*services), std::move(*destinations),
                                            std::move(*loads), std::move(*counters)));
}

Worker::Worker(WorkerConfig config, FlowTable flows, ServiceMap map, ProbeTable nat_addresses, Mapping services,
               Mapping destinations, Mapping loads, Mapping counters)
    : config_(std::move(config)),
      now_s_(config_.now_s),
      flows_(std::move(flows)),
      service_map_(std::move(map)),
      nat_addresses_(std::move(nat_addresses)),
      service_memory_(std::move(services)),
      destination_memory_(std::move(destinations)),
      load_memory_(std::move(loads)),
      counter_memory_(std::move(counters)),
      services_(service_memory_.as<ServiceSlot>()),
      destinations_(destination_memory_.as<Destination>()),
      loads_(load_memory_.as<Load>()),
      destination_counters_(counter_memory_.as<DestinationCounters>()),
      port_infos_(config_.ports.size()),
      transmit_queues_(config_.ports.size()) {}

Worker::~Worker() {
  if (dump_ != nullptr) config_.mailbox->give_back(dump_);
  // The mapping doesn't know of objects: let the services go. Slots are used from 0 up, but not densely.
  for (ServiceSlot& slot : services_) {
    slot.service.reset();
    slot.scheduler.reset();
  }
}

WorkerView Worker::view() const { return {&counters_, destination_counters_, loads_}; }

}  // namespace sluice::dataplane
