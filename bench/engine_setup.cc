#include "bench/engine_setup.h"

#include <cstdio>
#include <cstdlib>

namespace sluice::bench {

using dataplane::DestinationId;
using dataplane::ForwardMethod;
using dataplane::PortId;

Setup::Setup(const SetupOptions& options)
    : options_(options),
      requests_(options.flows, Side::client, vip, server, net::tcp_ack),
      replies_(options.flows, Side::server, vip, server, net::tcp_ack),
      front_(PortId{0}, 4 * burst),
      mailbox_(std::move(*dataplane::Mailbox::create())) {
  const std::uint32_t flows = options.flows;
  dataplane::WorkerConfig config;
  config.connections = std::max<std::size_t>(flows + flows / 8 + options.room, dataplane::FlowTable::capacity_min);
  config.hash_seed = 0x5eed;
  config.now_s = now_s;
  config.pool = &front_;
  config.ports = {&front_, &back_};
  config.mailbox = mailbox_.get();
  auto worker = dataplane::Worker::create(std::move(config));
  if (!worker) {
    std::fprintf(stderr, "bench: %s\n", worker.error().text().c_str());
    std::abort();
  }
  worker_ = std::move(*worker);

  for (unsigned i = 0; i < options.destinations; ++i) {
    dataplane::Destination destination;
    destination.available = true;
    destination.method = options.method;
    destination.address = net::Ipv4Addr::from_host(server.address.host() + i);
    destination.port = options.method == ForwardMethod::nat ? server.port : vip.port;
    destination.tunnel_source = net::Ipv4Addr::of(10, 0, 2, 254);
    destination.next_hop = {PortId{1}, 0, {{2, 0, 0, 0, 2, 11}}, {{2, 0, 0, 0, 0, 2}}};
    mailbox_->post(dataplane::SetDestination{DestinationId{i}, destination});
  }
  set_weight(1);
  while (worker_->poll(now_s)) {
  }

  // A SYN of each flow, then it is established by its first ACK. In another order than packets come later: records
  // don't lie in the order in which they are asked for.
  Traffic opening(flows, Side::client, vip, server, net::tcp_syn),
      acknowledging(flows, Side::client, vip, server, net::tcp_ack);
  opening.in_order_from(0);
  acknowledging.in_order_from(0);
  for (std::uint32_t opened = 0; opened < flows; opened += burst) turn(opening);
  if (options.establish) {
    for (std::uint32_t seen = 0; seen < flows; seen += burst) turn(acknowledging);
  }
  if (worker_->flows().size() < flows) {
    std::fprintf(stderr, "bench: %zu of %u connections opened\n", worker_->flows().size(), flows);
    std::abort();
  }
}

std::unique_ptr<dataplane::Service> Setup::service(std::uint32_t first_weight) const {
  auto made = std::make_unique<dataplane::Service>();
  made->key = {net::Protocol::tcp, vip.address, vip.port};
  made->scheduler = options_.scheduler;
  for (unsigned i = 0; i < options_.destinations; ++i) {
    made->candidates.push_back({DestinationId{i}, i == 0 ? first_weight : 1 + i % 3});
  }
  made->has_nat = options_.method == ForwardMethod::nat;
  return made;
}

void Setup::set_weight(std::uint32_t weight) {
  auto made = service(weight);
  auto scheduler = dataplane::make_scheduler(*made);
  mailbox_->post(dataplane::SetService{std::move(made), std::move(scheduler)});
}

std::uint64_t Setup::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& counter : worker_->view().counters->dropped) sum += counter.read();
  return sum;
}

}  // namespace sluice::bench
