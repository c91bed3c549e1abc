#include "control/snmp/agent.h"

// The order matters.
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
//
#include <net-snmp/agent/net-snmp-agent-includes.h>
//
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/library/fd_event_manager.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "control/unique_fd.h"

namespace sluice::control::snmp {

namespace {

constexpr const char* our_name = "sluice";
// How often a master that is away is looked for, and one that is there asked whether it still is.
constexpr int ping_seconds = 5;
// One request to the master may take this long, twice.
constexpr int answer_seconds = 1, answer_retries = 1;

using NetOid = std::vector<oid>;

NetOid to_net(const Oid& from) { return {from.begin(), from.end()}; }
Oid from_net(const oid* numbers, std::size_t length) {
  Oid result(length);
  std::transform(numbers, numbers + length, result.begin(), [](oid number) { return std::uint32_t(number); });
  return result;
}

/// A value as net-snmp takes it: calls take(type, bytes, length).
template <typename Take>
void with_net_value(const Value& value, Take&& take) {
  const auto signed_number = long(value.number);
  const auto unsigned_number = static_cast<unsigned long>(value.number);
  struct counter64 wide {};
  wide.high = std::uint64_t(value.number) >> 32;
  wide.low = std::uint64_t(value.number) & 0xffff'ffff;
  switch (value.type) {
    case Type::integer: return take(ASN_INTEGER, &signed_number, sizeof signed_number);
    case Type::gauge32: return take(ASN_GAUGE, &unsigned_number, sizeof unsigned_number);
    case Type::counter32: return take(ASN_COUNTER, &unsigned_number, sizeof unsigned_number);
    case Type::time_ticks: return take(ASN_TIMETICKS, &unsigned_number, sizeof unsigned_number);
    case Type::counter64: return take(ASN_COUNTER64, &wide, sizeof wide);
    case Type::octets: return take(ASN_OCTET_STR, value.octets.data(), value.octets.size());
    case Type::ip_address: return take(ASN_IPADDRESS, value.octets.data(), value.octets.size());
  }
}

void answer(netsnmp_variable_list* variable, const Value& value) {
  with_net_value(value, [&](u_char type, const void* bytes, std::size_t length) {
    snmp_set_var_typed_value(variable, type, bytes, length);
  });
}

/// What a manager sends; types that nothing writable has are told by octets.
Value value_from(const netsnmp_variable_list& variable) {
  switch (variable.type) {
    case ASN_INTEGER: return integer(*variable.val.integer);
    case ASN_GAUGE: return gauge32(std::uint64_t(*variable.val.integer));
    default: return text({});
  }
}

int to_net(WriteError error) {
  switch (error) {
    case WriteError::none: return SNMP_ERR_NOERROR;
    case WriteError::not_writable: return SNMP_ERR_NOTWRITABLE;
    case WriteError::wrong_type: return SNMP_ERR_WRONGTYPE;
    case WriteError::wrong_value: return SNMP_ERR_WRONGVALUE;
    case WriteError::failed: return SNMP_ERR_COMMITFAILED;
  }
  return SNMP_ERR_GENERR;
}

}  // namespace

/// What the agent's thread and the others share; the thread keeps it alive should it be left behind.
struct Agent::Shared : std::enable_shared_from_this<Agent::Shared> {
  // Any thread, with the mutex.
  std::mutex mutex;
  std::condition_variable ended;
  std::deque<Trap> traps;
  std::size_t traps_dropped = 0;
  std::optional<std::vector<Oid>> wanted;  // not registered yet
  bool stops = false;
  bool has_ended = false;
  bool is_left = false;  // nobody waits any more: no hook is called

  UniqueFd wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::thread thread;

  // The agent's thread.
  std::string socket;
  AgentHooks hooks;
  std::map<Oid, netsnmp_handler_registration*> registered;
  bool connected = false;
  bool has_complained = false;  // that there is no master
  std::shared_ptr<const View> view;

  void poke() const {
    const std::uint64_t one = 1;
    std::ignore = ::write(wake.get(), &one, sizeof one);
  }

  void log(std::string line, bool is_warning) {
    const std::lock_guard hold(mutex);  // stop() doesn't return between the look and the call
    if (!is_left) hooks.log(std::move(line), is_warning);
  }

  // --- the thread

  void run();
  void open();
  void take_orders();
  void say_where_master_is();
  void keep_to(const std::vector<Oid>& subtrees);
  static void send_now(const Trap& trap);

  int handle(netsnmp_handler_registration* registration, netsnmp_agent_request_info* info,
             netsnmp_request_info* requests);
  void get(netsnmp_agent_request_info* info, netsnmp_request_info* request) const;
  void get_next(netsnmp_handler_registration* registration, netsnmp_request_info* request) const;

  static int on_request(netsnmp_mib_handler*, netsnmp_handler_registration* registration,
                        netsnmp_agent_request_info* info, netsnmp_request_info* requests) {
    return static_cast<Shared*>(registration->my_reg_void)->handle(registration, info, requests);
  }
  static int on_connected(int, int, void*, void* self) {
    static_cast<Shared*>(self)->connected = true;
    return 0;
  }
  static int on_disconnected(int, int, void*, void* self) {
    static_cast<Shared*>(self)->connected = false;
    return 0;
  }
  static int on_log(int, int, void*, void*) { return 0; }  // net-snmp's own words: ours say the same, once
  static void on_wake(int descriptor, void*) {
    std::uint64_t count = 0;
    std::ignore = ::read(descriptor, &count, sizeof count);
  }
};

void Agent::Shared::open() {
  // Nothing of net-snmp's files: no configuration of its own, no state, no MIBs to name things by.
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
  netsnmp_set_mib_directory("/nonexistent");
  snmp_disable_log();
  snmp_enable_calllog();
  snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, on_log, nullptr);
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);  // subagent
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_ROOT_ACCESS, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
  if (!socket.empty()) netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, socket.c_str());
  init_agent(our_name);
  netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, ping_seconds);
  netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_TIMEOUT, answer_seconds * ONE_SEC);
  netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_RETRIES, answer_retries);
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, on_connected, this);
  snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, on_disconnected, this);
  register_readfd(wake.get(), on_wake, nullptr);
  init_snmp(our_name);  // connects, if the master is there
}

void Agent::Shared::run() {
  open();
  bool goes_on = true;
  while (goes_on) {
    say_where_master_is();
    take_orders();
    {
      const std::lock_guard hold(mutex);
      goes_on = !stops;
    }
    if (goes_on) agent_check_and_process(1);
  }
  // Not snmp_shutdown(): it sends a trap of net-snmp's own. The master sees the socket close when the process ends.
  const std::lock_guard hold(mutex);
  has_ended = true;
  ended.notify_all();
}

void Agent::Shared::say_where_master_is() {
  const std::string where = socket.empty() ? "/var/agentx/master" : socket;
  if (connected && has_complained) log("SNMP: connected to the AgentX master at " + where, false);
  if (!connected && !has_complained) {
    log("SNMP: no AgentX master at " + where + ": is snmpd running, with 'master agentx'? Looking for it every " +
            std::to_string(ping_seconds) + " s",
        true);
  }
  has_complained = !connected;
}

void Agent::Shared::take_orders() {
  std::optional<std::vector<Oid>> subtrees;
  std::deque<Trap> to_send;
  std::size_t dropped = 0;
  {
    const std::lock_guard hold(mutex);
    subtrees = std::exchange(wanted, std::nullopt);
    to_send.swap(traps);
    dropped = std::exchange(traps_dropped, 0);
  }
  if (subtrees) keep_to(*subtrees);
  for (const Trap& trap : to_send) send_now(trap);
  if (dropped > 0) log("SNMP: " + std::to_string(dropped) + " traps were dropped, too many at once", true);
}

void Agent::Shared::keep_to(const std::vector<Oid>& subtrees) {
  for (auto each = registered.begin(); each != registered.end();) {
    if (std::ranges::find(subtrees, each->first) != subtrees.end()) {
      ++each;
      continue;
    }
    netsnmp_unregister_handler(each->second);
    each = registered.erase(each);
  }
  for (const Oid& subtree : subtrees) {
    if (registered.contains(subtree)) continue;
    const NetOid root = to_net(subtree);
    auto* registration =
        netsnmp_create_handler_registration(our_name, on_request, root.data(), root.size(), HANDLER_CAN_RWRITE);
    if (registration == nullptr) continue;
    registration->my_reg_void = this;
    if (netsnmp_register_handler(registration) == MIB_REGISTERED_OK) registered.emplace(subtree, registration);
  }
}

void Agent::Shared::send_now(const Trap& trap) {
  static constexpr oid trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};  // SNMPv2-MIB::snmpTrapOID.0
  netsnmp_variable_list* variables = nullptr;
  const NetOid what = to_net(trap.oid);
  snmp_varlist_add_variable(&variables, trap_oid, std::size(trap_oid), ASN_OBJECT_ID, what.data(),
                            what.size() * sizeof(oid));
  for (const auto& [name, value] : trap.values) {
    const NetOid net_name = to_net(name);
    with_net_value(value, [&](u_char type, const void* bytes, std::size_t length) {
      snmp_varlist_add_variable(&variables, net_name.data(), net_name.size(), type, bytes, length);
    });
  }
  send_v2trap(variables);
  snmp_free_varbind(variables);
}

int Agent::Shared::handle(netsnmp_handler_registration* registration, netsnmp_agent_request_info* info,
                          netsnmp_request_info* requests) {
  const bool reads = info->mode == MODE_GET || info->mode == MODE_GETNEXT;
  if (reads) view = hooks.view();
  for (auto* request = requests; request != nullptr; request = request->next) {
    if (request->processed != 0) continue;
    if (reads && view == nullptr) {
      netsnmp_set_request_error(info, request, SNMP_ERR_GENERR);
    } else if (info->mode == MODE_GET) {
      get(info, request);
    } else if (info->mode == MODE_GETNEXT) {
      get_next(registration, request);
    } else if (info->mode == MODE_SET_RESERVE1 || info->mode == MODE_SET_COMMIT) {
      const netsnmp_variable_list& variable = *request->requestvb;
      const auto error = hooks.write(from_net(variable.name, variable.name_length), value_from(variable),
                                     info->mode == MODE_SET_COMMIT);
      if (error != WriteError::none) netsnmp_set_request_error(info, request, to_net(error));
    }
  }
  view.reset();
  return SNMP_ERR_NOERROR;
}

void Agent::Shared::get(netsnmp_agent_request_info* info, netsnmp_request_info* request) const {
  const Cell cell = view->find(from_net(request->requestvb->name, request->requestvb->name_length));
  if (cell) return answer(request->requestvb, *cell);
  netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
}

// What isn't answered here is looked for in the next subtree.
void Agent::Shared::get_next(netsnmp_handler_registration* registration, netsnmp_request_info* request) const {
  const Oid root = from_net(registration->rootoid, registration->rootoid_len);
  const Oid asked = from_net(request->requestvb->name, request->requestvb->name_length);
  std::optional<std::pair<Oid, Value>> next;
  if (request->inclusive != 0) {
    if (Cell cell = view->find(asked)) next.emplace(asked, std::move(*cell));
  }
  if (!next) next = view->next(std::max(asked, root));
  if (!next || next->first.size() < root.size() || !std::equal(root.begin(), root.end(), next->first.begin())) return;
  const NetOid name = to_net(next->first);
  snmp_set_var_objid(request->requestvb, name.data(), name.size());
  answer(request->requestvb, next->second);
}

Agent::Agent(std::string socket, AgentHooks hooks) : shared_(std::make_shared<Shared>()) {
  shared_->socket = std::move(socket);
  shared_->hooks = std::move(hooks);
  shared_->thread = std::thread([shared = shared_] { shared->run(); });
}

Agent::~Agent() { stop(); }

void Agent::serve(std::vector<Oid> subtrees) {
  {
    const std::lock_guard hold(shared_->mutex);
    shared_->wanted = std::move(subtrees);
  }
  shared_->poke();
}

void Agent::send(Trap trap) {
  {
    const std::lock_guard hold(shared_->mutex);
    if (shared_->traps.size() >= traps_max) {
      ++shared_->traps_dropped;
      return;
    }
    shared_->traps.push_back(std::move(trap));
  }
  shared_->poke();
}

void Agent::stop(std::chrono::milliseconds time_max) {
  std::unique_lock hold(shared_->mutex);
  if (!shared_->thread.joinable()) return;
  shared_->stops = true;
  shared_->poke();
  const bool ended = shared_->ended.wait_for(hold, time_max, [&] { return shared_->has_ended; });
  shared_->is_left = true;
  hold.unlock();
  if (ended) {
    shared_->thread.join();
  } else {
    shared_->thread.detach();
  }
}

}  // namespace sluice::control::snmp
