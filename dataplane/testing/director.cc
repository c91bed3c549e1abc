#include "dataplane/testing/director.h"

#include <fmt/format.h>

#include <cassert>

namespace sluice::dataplane::testing {

Director::Director(DirectorOptions options) : pool_(options.frames) {
  for (const PortId id : {client_side, server_side, host_side})
    ports_.push_back(std::make_unique<MemoryPort>(id, pool_));
  mailbox_ = std::move(*Mailbox::create());
  WorkerConfig config;
  config.connections = options.connections;
  config.flow_memory = options.flow_memory;
  config.hash_seed = 0x5eed;
  config.now_s = now_s;
  config.pool = &pool_;
  config.ports = {ports_[0].get(), ports_[1].get()};
  if (options.with_host_port) {
    config.ports.push_back(ports_[2].get());
    config.host_port = host_side;
  }
  config.mailbox = mailbox_.get();
  config.clock = options.clock;
  auto worker = Worker::create(std::move(config));
  assert(worker.has_value());
  worker_ = std::move(*worker);
  mailbox_->post(SetPort{client_side, mac("02:00:00:00:00:01")});
  mailbox_->post(SetPort{server_side, mac("02:00:00:00:00:02")});
  run();
}

Director::~Director() { worker_.reset(); }

void Director::post_service(const Service& service) {
  auto copy = std::make_unique<const Service>(service);
  auto scheduler = make_scheduler(*copy);
  mailbox_->post(SetService{std::move(copy), std::move(scheduler)});
  run();
}

ServiceId Director::add_service(net::Protocol protocol, net::Endpoint address, SchedulerKind scheduler) {
  return add_service({protocol, address.address, address.port}, scheduler);
}

ServiceId Director::add_service(std::uint32_t mark, SchedulerKind scheduler) {
  return add_service({net::Protocol{0}, {}, {}, mark}, scheduler);
}

void Director::classify(const std::vector<ClassifyRule>& rules) {
  mailbox_->post(SetClassifier{rules.empty() ? nullptr : std::make_unique<const Classifier>(rules)});
  run();
}

ServiceId Director::add_service(const ServiceKey& key, SchedulerKind scheduler) {
  const ServiceId id{std::uint32_t(services_.size())};
  Service service{};
  service.id = id;
  service.key = key;
  service.scheduler = scheduler;
  services_.push_back(service);
  post_service(service);
  return id;
}

DestinationId Director::add_destination(ServiceId service, net::Endpoint address, ForwardMethod method,
                                        std::uint32_t weight) {
  const DestinationId id{std::uint32_t(destinations_.size())};
  Destination destination;
  destination.available = true;
  destination.method = method;
  destination.service = service;
  destination.address = address.address;
  destination.port = address.port;
  destination.tunnel_source = net::Ipv4Addr::of(10, 0, 2, 254);
  destination.next_hop = {
      server_side, 0, {{2, 0, 0, 0, 2, std::uint8_t(address.address.host())}}, mac("02:00:00:00:00:02")};
  destinations_.push_back(destination);
  mailbox_->post(SetDestination{id, destination});
  Service& known = services_[index(service)];
  known.candidates.insert(known.candidates.begin(), {id, weight});
  known.has_nat = known.has_nat || method == ForwardMethod::nat;
  post_service(known);
  return id;
}

void Director::edit(DestinationId id, const std::function<void(Destination&)>& change) {
  change(destinations_[index(id)]);
  mailbox_->post(SetDestination{id, destinations_[index(id)]});
  run();
}

void Director::set_weight(DestinationId id, std::uint32_t weight) {
  Service& service = services_[index(destinations_[index(id)].service)];
  for (Candidate& candidate : service.candidates) {
    if (candidate.destination == id) candidate.weight = weight;
  }
  post_service(service);
}

void Director::remove_destination(DestinationId id) {
  Service& service = services_[index(destinations_[index(id)].service)];
  std::erase_if(service.candidates, [&](const Candidate& candidate) { return candidate.destination == id; });
  post_service(service);
  edit(id, [](Destination& destination) { destination.available = false; });
}

void Director::remove_service(ServiceId id) {
  mailbox_->post(RemoveService{id, nullptr, nullptr});
  run();
}

void Director::run() {
  while (worker_->poll(now_s)) {
  }
  mailbox_->collect();
}

std::vector<std::pair<PortId, Bytes>> Director::send(PortId port, const Bytes& packet) {
  this->port(port).inject(packet);
  run();
  std::vector<std::pair<PortId, Bytes>> sent;
  for (const PortId id : {client_side, server_side, host_side}) {
    for (Bytes& bytes : this->port(id).take_transmitted()) sent.emplace_back(id, std::move(bytes));
  }
  return sent;
}

std::uint64_t Director::dropped(DropReason reason) const {
  return worker_->view().counters->dropped[static_cast<std::size_t>(reason)].read();
}

std::string Director::broken_law() const {
  const WorkerCounters& c = *worker_->view().counters;
  std::uint64_t dropped = 0;
  for (const Counter& counter : c.dropped) dropped += counter.read();
  const std::uint64_t in = c.received.read() + c.handed_in.read() + c.answered.read();
  const std::uint64_t out = c.transmitted.read() + c.handed_out.read() + c.passed.read() + dropped;
  if (in != out) return fmt::format("{} packets in, {} accounted for", in, out);
  if (pool_.outstanding() != 0) return fmt::format("{} frames lost", pool_.outstanding());
  std::uint64_t bound = 0;
  for (std::size_t i = 0; i < destinations_.size(); ++i) {
    const Load load = read_load(worker_->view().loads[i]);
    bound += load.active + load.inactive;
  }
  if (bound != worker_->flows().size()) {
    return fmt::format("{} connections counted, {} in the table", bound, worker_->flows().size());
  }
  return worker_->flows().check().value_or("");
}

}  // namespace sluice::dataplane::testing
