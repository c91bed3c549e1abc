// A block's vocabulary is one table: keyword -> how it is read, how it is written, what it does here. Adding a keyword
// is one line of its block's table (fields.h has what most lines need). Words that aren't in it are complained about
// with the likeliest one that is. Internal to control/config.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/print.h"
#include "control/config/values.h"
#include "control/config/writer.h"

namespace sluice::control::config {

enum class Shape : std::uint8_t { line, block };

/// Draft is what the block fills in.
template <typename Draft>
struct Keyword {
  using Read = void (*)(Context& context, const Statement& statement, Draft& draft);
  using Write = void (*)(Writer& writer, std::string_view name, const Draft& draft);
  using List = void (*)(const std::string& block, std::vector<KeywordInfo>& out);

  std::string_view name;
  Read read = nullptr;
  /// Writes the effective value; null: an alias, or a keyword that is written by another one's entry.
  Write write = nullptr;
  Shape shape = Shape::line;
  /// Words that mean something, the keyword included; more are ignored, as in keepalived, and noted. 0: any number.
  unsigned words_max = 2;
  Effect effect = Effect::acts;
  std::string_view reason = {};
  std::string_view alias_of = {};
  /// An alias that keepalived complains about.
  bool is_deprecated = false;
  /// Of a block: adds its own keywords.
  List list = nullptr;
  /// Without a value keepalived goes on, where it ends at other keywords (exit status 5, not 2).
  bool is_lenient = false;

  /// Read, checked and kept, but Sluice has no use for it, because: `why` (goes on after "has no effect: ").
  [[nodiscard]] constexpr Keyword no_effect(std::string_view why) const {
    Keyword other = *this;
    other.effect = Effect::none;
    other.reason = why;
    return other;
  }
  /// Read, checked and kept; what it asks for isn't built yet.
  [[nodiscard]] constexpr Keyword later(std::string_view what = {}) const {
    Keyword other = *this;
    other.effect = Effect::later;
    other.reason = what;
    return other;
  }
  /// Another spelling of the same.
  [[nodiscard]] constexpr Keyword alias(std::string_view spelling) const {
    Keyword other = *this;
    other.alias_of = name;
    other.name = spelling;
    other.write = nullptr;
    return other;
  }
  [[nodiscard]] constexpr Keyword deprecated(std::string_view spelling) const {
    Keyword other = alias(spelling);
    other.is_deprecated = true;
    return other;
  }
  [[nodiscard]] constexpr Keyword lenient() const {
    Keyword other = *this;
    other.is_lenient = true;
    return other;
  }
  [[nodiscard]] constexpr Keyword words(unsigned most) const {
    Keyword other = *this;
    other.words_max = most;
    return other;
  }
};

/// Complains about a keyword that no table has. block: for the message, e.g. "real_server".
void complain_unknown(Context& context, const Statement& statement, std::string_view block,
                      std::span<const std::string_view> known);
void note_effect(Context& context, const Statement& statement, Effect effect, std::string_view reason);
void note_deprecated(Context& context, const Statement& statement, std::string_view canonical);
void note_extra_words(Context& context, const Statement& statement, unsigned words_max);
/// The value of a lenient keyword is missing.
void complain_missing(Context& context, const Statement& statement);
/// A '{' after a keyword that has none: as in keepalived, what it encloses is read as part of the block around it.
void complain_block(Context& context, const Statement& statement, std::string_view block);

/// Runs the handler of every statement of a block, in order. An unknown block is skipped whole.
template <typename Draft>
void apply(Context& context, std::span<const Keyword<Draft>> table, std::string_view block,
           std::span<const Statement> statements, Draft& draft) {
  for (const Statement& statement : statements) {
    const Keyword<Draft>* found = nullptr;
    for (const Keyword<Draft>& keyword : table) {
      if (keyword.name == statement.keyword()) {
        found = &keyword;
        break;
      }
    }
    if (found == nullptr) {
      std::vector<std::string_view> names;
      for (const Keyword<Draft>& keyword : table) names.push_back(keyword.name);
      complain_unknown(context, statement, block, names);
      continue;
    }
    const bool stray_block = statement.has_block && found->shape == Shape::line;
    if (stray_block) complain_block(context, statement, block);
    if (found->is_deprecated) note_deprecated(context, statement, found->alias_of);
    if (found->words_max != 0 && statement.words.size() > found->words_max) {
      note_extra_words(context, statement, found->words_max);
    }
    if (found->read == nullptr) {
      note_effect(context, statement, Effect::later, {});
      continue;
    }
    if (found->is_lenient && statement.words.size() < 2) {
      complain_missing(context, statement);
      continue;
    }
    found->read(context, statement, draft);
    if (found->effect != Effect::acts) note_effect(context, statement, found->effect, found->reason);
    if (stray_block) apply(context, table, block, statement.children, draft);
  }
}

/// Writes every keyword of a block that has something to say.
template <typename Draft>
void write_all(Writer& writer, std::span<const Keyword<Draft>> table, const Draft& draft) {
  for (const Keyword<Draft>& keyword : table) {
    if (keyword.write != nullptr) keyword.write(writer, keyword.name, draft);
  }
}

/// block: the path of the table's block.
template <typename Draft>
void list_all(const std::string& block, std::span<const Keyword<Draft>> table, std::vector<KeywordInfo>& out) {
  for (const Keyword<Draft>& keyword : table) {
    out.push_back({block, keyword.name, keyword.alias_of, keyword.effect, keyword.reason});
    if (keyword.list != nullptr) {
      keyword.list(block.empty() ? std::string(keyword.name) : block + "/" + std::string(keyword.name), out);
    }
  }
}

/// For keywords of a block whose content was dealt with by its opener.
template <typename Draft>
void known(Context&, const Statement&, Draft&) {}

// Each of the file's parts: reading, writing, its keywords.
void read_global_defs(Context& context, const Statement& statement);
void write_global_defs(Writer& writer, const Config& config);
void list_global_defs(const std::string& block, std::vector<KeywordInfo>& out);

void read_virtual_server(Context& context, const Statement& statement);
void write_virtual_servers(Writer& writer, const Config& config);
void list_virtual_server(const std::string& block, std::vector<KeywordInfo>& out);

/// Once all of the file is read: fills in what is inherited, puts right or takes out what can't be meant.
void resolve_virtual_servers(Context& context);

void read_virtual_server_group(Context& context, const Statement& statement);
void write_virtual_server_groups(Writer& writer, const Config& config);
void list_virtual_server_group(const std::string& block, std::vector<KeywordInfo>& out);

void read_ssl(Context& context, const Statement& statement);
void write_ssl(Writer& writer, const Config& config);
void list_ssl(const std::string& block, std::vector<KeywordInfo>& out);

void read_vrrp_instance(Context& context, const Statement& statement);
void write_vrrp_instances(Writer& writer, const Config& config);
void list_vrrp_instance(const std::string& block, std::vector<KeywordInfo>& out);

/// One keyword of the top level that is about the processes: net_namespace, linkbeat_interfaces { ... }.
void read_process_setting(Context& context, const Statement& statement);
void write_process_settings(Writer& writer, const Config& config);
void list_process_settings(const std::string& block, std::vector<KeywordInfo>& out);

void read_static_ipaddress(Context& context, const Statement& statement);
void read_static_routes(Context& context, const Statement& statement);
void read_static_rules(Context& context, const Statement& statement);
void write_static_network(Writer& writer, const Config& config);

void read_track_group(Context& context, const Statement& statement);
void write_track_groups(Writer& writer, const Config& config);
void list_track_group(const std::string& block, std::vector<KeywordInfo>& out);

void read_garp_group(Context& context, const Statement& statement);
void write_garp_groups(Writer& writer, const Config& config);
void list_garp_group(const std::string& block, std::vector<KeywordInfo>& out);

void read_vrrp_script(Context& context, const Statement& statement);
void write_vrrp_scripts(Writer& writer, const Config& config);
void list_vrrp_script(const std::string& block, std::vector<KeywordInfo>& out);

void read_track_file(Context& context, const Statement& statement);
void write_track_files(Writer& writer, const Config& config);
void list_track_file(const std::string& block, std::vector<KeywordInfo>& out);

void read_track_process(Context& context, const Statement& statement);
void write_track_processes(Writer& writer, const Config& config);
void list_track_process(const std::string& block, std::vector<KeywordInfo>& out);

void read_bfd_instance(Context& context, const Statement& statement);
void write_bfd_instances(Writer& writer, const Config& config);
void list_bfd_instance(const std::string& block, std::vector<KeywordInfo>& out);

void read_vrrp_sync_group(Context& context, const Statement& statement);
void write_vrrp_sync_groups(Writer& writer, const Config& config);
void list_vrrp_sync_group(const std::string& block, std::vector<KeywordInfo>& out);

/// Before the first block is read: which names are defined where, for messages about a use before the definition.
void note_vrrp_definitions(Context& context, std::span<const Statement> statements);
/// After the last one: what instances and groups say about each other is checked and settled.
void settle_vrrp(Context& context);
/// keepalived refuses interfaces that aren't there, unless dynamic_interfaces.
void check_interfaces(Context& context, std::span<const std::string> existing);

void read_dataplane(Context& context, const Statement& statement);
void read_classify(Context& context, const Statement& statement, Dataplane& dataplane);
void write_classify(Writer& writer, std::string_view keyword, const Dataplane& dataplane);
void list_classify(const std::string& block, std::vector<KeywordInfo>& out);
void write_dataplane(Writer& writer, const Config& config);
void list_dataplane(const std::string& block, std::vector<KeywordInfo>& out);

}  // namespace sluice::control::config
