#include "control/daemon/options.h"

#include <fmt/format.h>
#include <getopt.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <functional>
#include <iterator>

#include "control/daemon/supervisor/director_child.h"

namespace sluice::control {

namespace {

enum class Argument : int { none = no_argument, required = required_argument, optional = optional_argument };

struct Option {
  char letter;  // 0: long form only
  const char* name;
  Argument argument;
  const char* placeholder;
  const char* help;  // empty: not listed
  void (*take)(Options&, const char* value);
};

void no_effect(Options& options, const char* option, const char* reason) {
  options.remarks.push_back(fmt::format("{} has no effect: {}", option, reason));
}

template <typename Number>
std::optional<Number> number(std::string text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// 0..7 and local0..local7, or a name; keepalived goes on with what it had after an error.
void take_facility(Options& options, const char* value) {
  std::string name = value;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  const std::string digit = name.starts_with("local") ? name.substr(5) : name;
  if (digit.size() == 1 && digit[0] >= '0' && digit[0] <= '7') {
    options.facility = LOG_LOCAL0 + ((digit[0] - '0') << 3);
  } else if (name == "user") {
    options.facility = LOG_USER;
  } else if (name == "daemon") {
    options.facility = LOG_DAEMON;
  } else {
    options.remarks.push_back(
        fmt::format("Invalid log facility '{}': 0 to 7, local0 to local7, user or daemon", value));
  }
}

// As strtoul's base 0 reads it, and chmod: a leading 0 is octal.
void take_umask(Options& options, const char* value) {
  const std::string text = value;
  const bool hex = text.starts_with("0x"), octal = !hex && text.starts_with("0");
  const auto mask = number<mode_t>(hex ? text.substr(2) : text, hex ? 16 : octal ? 8 : 10);
  if (mask && *mask <= 0777) {
    options.umask = *mask;
  } else {
    options.remarks.push_back(fmt::format("Invalid --umask option {}: a number from 0 to 0777", text));
  }
}

constexpr const char* file_word = "FILE";

// In the order of the help. Without commas in a help text a line stays a line.
const std::array table{
    Option{'f', "use-file", Argument::required, file_word, "the configuration",
           [](Options& o, const char* v) { o.file = v; }},
    Option{'t', "config-test", Argument::optional, file_word,
           "check the configuration, print every mistake (into FILE), exit",
           [](Options& o, const char* v) {
             o.action = Options::Action::test;
             if (v != nullptr) o.test_log = v;
           }},
    Option{'i', "config-id", Argument::required, "ID", "decides @ID lines (default: the host's name)",
           [](Options& o, const char* v) { o.config_id = v; }},
    Option{'e', "all-config", Argument::none, "", "a missing configuration file is an error",
           [](Options& o, const char*) { o.all_config = true; }},
    Option{'P', "vrrp", Argument::none, "", "only VRRP", [](Options& o, const char*) { o.checks = false; }},
    Option{'C', "check", Argument::none, "", "only virtual servers", [](Options& o, const char*) { o.vrrp = false; }},
    Option{'B', "no_bfd", Argument::none, "", "no BFD", [](Options& o, const char*) { o.bfd = false; }},
    Option{0, "all", Argument::none, "", "all parts, even those without configuration",
           [](Options& o, const char*) { no_effect(o, "--all", "one process does everything"); }},
    Option{'n', "dont-fork", Argument::none, "", "stay in the foreground",
           [](Options& o, const char*) { o.foreground = true; }},
    Option{'l', "log-console", Argument::none, "", "log to stderr as well",
           [](Options& o, const char*) { o.log_console = true; }},
    Option{'D', "log-detail", Argument::none, "", "log in more detail", [](Options& o, const char*) { ++o.detail; }},
    Option{'S', "log-facility", Argument::required, "FACILITY",
           "syslog's: 0 to 7, local0 to local7, user, daemon (default)", take_facility},
    Option{'g', "log-file", Argument::optional, file_word, "log to FILE as well (default: /var/log/sluiced.log)",
           [](Options& o, const char* v) { o.log_file = v != nullptr ? v : "/var/log/sluiced.log"; }},
    Option{0, "flush-log-file", Argument::none, "", "flush it after each line",
           [](Options& o, const char*) { no_effect(o, "--flush-log-file", "each line is written at once anyway"); }},
    Option{'G', "no-syslog", Argument::none, "", "don't log to syslog",
           [](Options& o, const char*) { o.log_syslog = false; }},
    Option{'d', "dump-conf", Argument::none, "", "log the configuration at start",
           [](Options& o, const char*) { o.dump_config = true; }},
    Option{'p', "pid", Argument::required, file_word, "the daemon's pid file (default: /run/sluiced.pid)",
           [](Options& o, const char* v) { o.pid_file = v; }},
    Option{'r', "vrrp_pid", Argument::required, file_word, "gets the director's pid",
           [](Options& o, const char* v) { o.role_pid_files.push_back(v); }},
    Option{'c', "checkers_pid", Argument::required, file_word, "gets the director's pid",
           [](Options& o, const char* v) { o.role_pid_files.push_back(v); }},
    Option{'b', "bfd_pid", Argument::required, file_word, "gets the director's pid",
           [](Options& o, const char* v) { o.role_pid_files.push_back(v); }},
    Option{'X', "release-vips", Argument::none, "", "drop VIPs on a transition that a signal causes",
           [](Options& o, const char*) {
             o.release_vips = true;
             no_effect(o, "--release-vips", "Sluice moves no virtual addresses yet");
           }},
    Option{'V', "dont-release-vrrp", Argument::none, "", "keep VIPs at the end",
           [](Options& o, const char*) {
             o.keep_vips = true;
             no_effect(o, "--dont-release-vrrp", "Sluice moves no virtual addresses yet");
           }},
    Option{'I', "dont-release-ipvs", Argument::none, "", "leave services at the end: clients wait for the next start",
           [](Options& o, const char*) { o.keep_services = true; }},
    Option{'R', "dont-respawn", Argument::none, "", "end when the director dies",
           [](Options& o, const char*) { o.respawn = false; }},
    Option{'s', "namespace", Argument::required, "NAME", "run in this network namespace",
           [](Options& o, const char* v) { o.net_namespace = v; }},
    Option{'x', "snmp", Argument::none, "", "all that SNMP shows, but no traps",
           [](Options& o, const char*) { o.snmp = true; }},
    Option{'A', "snmp-agent-socket", Argument::required, file_word, "the SNMP master's socket (AgentX)",
           [](Options& o, const char* v) { o.snmp_socket = v; }},
    Option{'u', "umask", Argument::required, "MASK", "for files that are made", take_umask},
    Option{'a', "address-monitoring", Argument::none, "", "log every change of an address",
           [](Options& o, const char*) { o.address_monitoring = true; }},
    Option{'m', "core-dump", Argument::none, "", "leave a core when the director crashes",
           [](Options& o, const char*) { o.core_dump = true; }},
    Option{'M', "core-dump-pattern", Argument::optional, "PATTERN", "as --core-dump",
           [](Options& o, const char* v) {
             o.core_dump = true;
             if (v != nullptr) {
               no_effect(o, "the pattern of --core-dump-pattern",
                         "it would be every program's on this host; set kernel.core_pattern with sysctl(8)");
             }
           }},
    Option{'T', "genhash", Argument::none, "", "work as genhash (must be the first option)",
           [](Options& o, const char*) { o.remarks.push_back("--genhash must be the first option"); }},
    Option{0, "signum", Argument::required, "NAME",
           "print a signal's number: STOP RELOAD DATA STATS STATS_CLEAR JSON TDUMP",
           [](Options& o, const char* v) {
             o.action = Options::Action::signal_number;
             o.signal_name = v;
           }},
    Option{0, "socket", Argument::required, file_word, "the control socket, for sluicectl",
           [](Options& o, const char* v) { o.socket_path = v; }},
    Option{'v', "version", Argument::none, "", "print the version",
           [](Options& o, const char*) { o.action = Options::Action::version; }},
    Option{'h', "help", Argument::none, "", "print this",
           [](Options& o, const char*) { o.action = Options::Action::help; }},
    // Not for people.
    Option{0, "as-director", Argument::none, "", "",
           [](Options& o, const char*) { o.action = Options::Action::direct; }},
    Option{0, "ident", Argument::required, "", "", [](Options& o, const char* v) { o.ident = v; }},
    Option{0, "ignore-sigint", Argument::none, "", "",
           [](Options& o, const char*) { no_effect(o, "--ignore-sigint", "it is for debugging keepalived"); }},
    Option{0, "debug", Argument::optional, "", "",
           [](Options& o, const char*) { no_effect(o, "--debug", "it is for debugging keepalived; use -D"); }},
    Option{0, "perf", Argument::optional, "", "",
           [](Options& o, const char*) { no_effect(o, "--perf", "use perf(1) with the director's pid"); }},
    Option{0, "no-mem-check", Argument::none, "", "",
           [](Options& o, const char*) { no_effect(o, "--no-mem-check", "nothing checks memory in this build"); }},
};

constexpr std::size_t help_column = 35;

// getopt's view of the table. Long forms get numbers beyond any letter.
constexpr int first_long = 1000;

std::string short_forms() {
  std::string text = ":";
  for (const Option& option : table) {
    if (option.letter == 0) continue;
    text += option.letter;
    text.append(std::size_t(option.argument), ':');
  }
  return text;
}

std::vector<::option> long_forms() {
  std::vector<::option> forms;
  for (std::size_t i = 0; i < table.size(); ++i) {
    forms.push_back({table[i].name, int(table[i].argument), nullptr, first_long + int(i)});
  }
  forms.push_back({});
  return forms;
}

const Option* find(int code) {
  if (code >= first_long) return &table[std::size_t(code - first_long)];
  const auto found = std::find_if(table.begin(), table.end(), [&](const Option& o) { return o.letter == code; });
  return code != 0 && found != table.end() ? &*found : nullptr;
}

}  // namespace

Result<Options> parse_command_line(const std::vector<std::string>& arguments) {
  Options options;
  if (!arguments.empty() && (arguments[0] == "-T" || arguments[0] == "--genhash")) {
    options.action = Options::Action::genhash;
    return options;
  }
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), "sluiced");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int argc = int(words.size());

  const std::string letters = short_forms();
  const std::vector<::option> forms = long_forms();
  bool only_vrrp = false, only_checks = false;
  optind = 0;  // glibc: begin anew
  opterr = 0;
  for (int code = 0; (code = ::getopt_long(argc, argv.data(), letters.c_str(), forms.data(), nullptr)) != -1;) {
    const std::string word =
        optopt >= first_long || optopt == 0 ? argv[std::size_t(optind) - 1] : fmt::format("-{:c}", optopt);
    if (code == ':') return fail("", fmt::format("option {} needs an argument", word));
    const Option* option = code == '?' ? nullptr : find(code);
    if (option == nullptr) return fail("", fmt::format("unknown option {}", word));
    option->take(options, optarg);
    only_vrrp = only_vrrp || option->letter == 'P';
    only_checks = only_checks || option->letter == 'C';
  }
  // Both: as if neither, in keepalived, too.
  if (only_vrrp && only_checks) options.vrrp = options.checks = true;
  if (optind < argc) {
    std::string remark = "Unexpected argument(s):";
    for (int i = optind; i < argc; ++i) remark += std::string(" ") + argv[std::size_t(i)];
    options.remarks.push_back(std::move(remark));
  }
  return options;
}

std::string usage() {
  std::string text = "Usage: sluiced [OPTION...]\nA layer-4 load balancer that reads keepalived.conf.\n\n";
  for (const Option& option : table) {
    if (*option.help == '\0') continue;
    std::string form = option.letter != 0 ? std::string("  -") + option.letter + ", --" : std::string("      --");
    form += option.name;
    if (option.argument == Argument::required) form += std::string("=") + option.placeholder;
    if (option.argument == Argument::optional) form += std::string("[=") + option.placeholder + "]";
    form.resize(std::max(form.size() + 1, help_column), ' ');
    text += form + option.help + "\n";
  }
  return text + fmt::format("\nDefault configuration: {}, then {}\n", default_files[0], default_files[1]);
}

std::vector<std::string> director_arguments(const Options& options) {
  std::vector<std::string> words{"--as-director", "--use-file=" + options.file, "--socket=" + options.socket_path};
  const auto flag = [&](bool given, const char* word) {
    if (given) words.emplace_back(word);
  };
  if (!options.config_id.empty()) words.push_back("--config-id=" + options.config_id);
  words.push_back("--ident=" + options.ident);
  flag(options.all_config, "--all-config");
  flag(!options.checks, "--vrrp");
  flag(!options.vrrp, "--check");
  flag(!options.bfd, "--no_bfd");
  flag(options.foreground, "--dont-fork");
  flag(options.log_console, "--log-console");
  flag(!options.log_syslog, "--no-syslog");
  if (options.log_file) words.push_back("--log-file=" + *options.log_file);
  if (options.facility == LOG_USER) words.emplace_back("--log-facility=user");
  if (options.facility >= LOG_LOCAL0)
    words.push_back(fmt::format("--log-facility={}", (options.facility - LOG_LOCAL0) >> 3));
  for (int i = 0; i < options.detail; ++i) words.emplace_back("--log-detail");
  flag(options.dump_config, "--dump-conf");
  flag(options.release_vips, "--release-vips");
  flag(options.keep_vips, "--dont-release-vrrp");
  flag(options.keep_services, "--dont-release-ipvs");
  flag(options.address_monitoring, "--address-monitoring");
  flag(options.snmp, "--snmp");
  if (!options.snmp_socket.empty()) words.push_back("--snmp-agent-socket=" + options.snmp_socket);
  return words;
}

std::optional<int> signal_number(const std::string& name) {
  if (name == "STOP") return SIGTERM;
  if (name == "RELOAD") return SIGHUP;
  if (name == "DATA") return SIGUSR1;
  if (name == "STATS") return SIGUSR2;
  if (name == "STATS_CLEAR") return signal_stats_clear();
  if (name == "JSON") return signal_json();
  if (name == "TDUMP") return signal_thread_dump();
  return std::nullopt;
}

}  // namespace sluice::control
