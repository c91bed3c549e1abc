// The FIFOs of a configuration on which changes of state are told: one for everything, one for VRRP, one for virtual
// servers; each may be the same file as another. Opens them, starts who reads them, and hands lines to those that are
// meant. What the lines say is notify_calls.h's and pool_manager.h's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "control/config/config.h"
#include "control/notify/fifo.h"
#include "control/notify/script.h"

namespace sluice::control {

/// Control thread only.
class NotifyFifos {
 public:
  enum class About : std::uint8_t { vrrp, virtual_servers };

  /// scripts outlives this. complain: a line for the log about what can't be opened, or run.
  NotifyFifos(ScriptRunner& scripts, std::function<void(const std::string&)> complain)
      : scripts_(scripts), complain_(std::move(complain)) {}

  /// One that was open and is meant again stays open, and so does its reader; the others go. for_vrrp,
  /// for_virtual_servers: is there anything to tell of that kind?
  void configure(const config::GlobalDefs& global, bool for_vrrp, bool for_virtual_servers);

  /// line: with its newline. To the FIFO for everything, and to the one for this kind.
  void write(About about, std::string_view line);

  /// Those made here are removed.
  void close();

 private:
  void open(const config::NotifyFifo& fifo, const config::GlobalDefs& global,
            std::map<std::string, std::unique_ptr<Fifo>>& before);
  void write_to(const std::string& path, std::string_view line);

  ScriptRunner& scripts_;
  std::function<void(const std::string&)> complain_;
  config::FifoSettings settings_;
  std::map<std::string, std::unique_ptr<Fifo>> fifos_;  // by path
};

}  // namespace sluice::control
