#include "control/pools/notify_fifos.h"

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "control/pools/script_resolver.h"

namespace sluice::control {

void NotifyFifos::configure(const config::GlobalDefs& global, bool for_vrrp, bool for_virtual_servers) {
  auto before = std::exchange(fifos_, {});
  settings_ = global.fifos;
  if (for_vrrp || for_virtual_servers) open(settings_.all, global, before);
  if (for_vrrp) open(settings_.vrrp, global, before);
  if (for_virtual_servers) open(settings_.lvs, global, before);
}

void NotifyFifos::open(const config::NotifyFifo& fifo, const config::GlobalDefs& global,
                       std::map<std::string, std::unique_ptr<Fifo>>& before) {
  if (fifo.path.empty() || fifos_.contains(fifo.path)) return;
  if (const auto old = before.find(fifo.path); old != before.end()) {
    fifos_.emplace(fifo.path, std::move(old->second));
    before.erase(old);
    return;
  }
  std::optional<ScriptUser> owner;
  if (fifo.user) {
    auto found = find_script_user(*fifo.user, fifo.group);
    if (!found) complain_(found.error().text());
    if (found) owner = std::move(*found);
  }
  auto opened = Fifo::open(fifo.path, owner);
  if (!opened) return complain_(opened.error().text());
  fifos_.emplace(fifo.path, std::make_unique<Fifo>(std::move(*opened)));
  if (!fifo.reader) return;
  std::vector<Error> complaints;
  ScriptResolver resolver(global, complaints);
  if (const auto known = resolver.resolve(&*fifo.reader)) {
    ScriptSpec reader = *known;
    reader.argv.push_back(fifo.path);
    reader.time_max = std::chrono::hours(24 * 365 * 10);  // it reads as long as we write
    if (auto started = scripts_.run(reader); !started) complain_(started.error().text());
  }
  for (const Error& complaint : complaints) complain_(complaint.text());
}

void NotifyFifos::write(About about, std::string_view line) {
  const std::string& own = about == About::vrrp ? settings_.vrrp.path : settings_.lvs.path;
  write_to(settings_.all.path, line);
  if (own != settings_.all.path) write_to(own, line);
}

void NotifyFifos::write_to(const std::string& path, std::string_view line) {
  if (const auto found = fifos_.find(path); found != fifos_.end()) found->second->write(line);
}

void NotifyFifos::close() { fifos_.clear(); }

}  // namespace sluice::control
