// The one place that talks to net-snmp: an AgentX subagent on a thread of its own, because net-snmp is global, isn't
// made for threads, and waits for its master when it feels like it. It answers from a View and sends traps; what is in
// them is table.h's and traps.h's. A master that is away, slow or restarted is this thread's trouble alone.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/snmp/table.h"
#include "control/snmp/traps.h"
#include "control/snmp/writes.h"

namespace sluice::control::snmp {

struct AgentHooks {
  /// What is shown now. On the agent's thread, once for each request; may take its time. Null: nothing is known.
  std::function<std::shared_ptr<const View>()> view;
  /// A manager wants to write; with commit it means it. On the agent's thread, too.
  std::function<WriteError(const Oid&, const Value&, bool commit)> write;
  /// A line, and whether it is a warning. On the agent's thread.
  std::function<void(std::string, bool)> log;
};

class Agent {
 public:
  /// Traps that wait for the agent's thread; more are dropped, and counted in the log.
  static constexpr std::size_t traps_max = 1000;

  /// At most one in a process, ever. socket: "unix:/path", "tcp:host:port"...; empty: net-snmp's own,
  /// /var/agentx/master. Looks for its master at once, then every few seconds.
  Agent(std::string socket, AgentHooks hooks);
  /// As stop().
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// These subtrees, and no others, from now on. Doesn't wait.
  void serve(std::vector<Oid> subtrees);
  /// Doesn't wait. Without a master it is lost.
  void send(Trap trap);
  /// Sends what waits. A thread that hangs in net-snmp is left behind after time_max; the
  /// hooks aren't called any more.
  void stop(std::chrono::milliseconds time_max = std::chrono::seconds(2));

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace sluice::control::snmp
