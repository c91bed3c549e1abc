// What an instance carries: virtual_ipaddress and its relatives, virtual_routes, virtual_rules.
#include <array>

#include "control/config/network/line.h"
#include "control/config/vrrp/drafts.h"

namespace sluice::control::config {

namespace {

using I = InstanceDraft;
using F = Field<I>;

/// The field in an advertisement that counts them has eight bits.
constexpr std::size_t advertised_max = 255;

void read_addresses(Context& context, const Statement& statement, I& draft) {
  draft.addresses_at = statement.place;
  for (const Statement& line : statement.children) {
    auto address = read_interface_address(context, line, false);
    if (!address || !takes_family(context, line.place, draft, address->address.is_v6(), "virtual_ipaddress")) continue;
    draft.vi.addresses.push_back(std::move(*address));
  }
  if (draft.vi.addresses.size() > advertised_max) {
    context.diagnostics.notice(statement.place,
                               fmt::format("an advertisement holds {} addresses at most", advertised_max));
  }
}

void read_excluded(Context& context, const Statement& statement, I& draft) {
  for (const Statement& line : statement.children) {
    if (auto address = read_interface_address(context, line, false)) {
      draft.vi.excluded_addresses.push_back(std::move(*address));
    }
  }
}

void read_routes(Context& context, const Statement& statement, I& draft) {
  for (const Statement& line : statement.children) {
    if (auto route = read_route(context, line, false)) draft.vi.routes.push_back(std::move(*route));
  }
}

void read_rules(Context& context, const Statement& statement, I& draft) {
  for (const Statement& line : statement.children) {
    if (auto rule = read_rule(context, line, false)) draft.vi.rules.push_back(std::move(*rule));
  }
}

template <auto Member, auto WriteItem>
void write_list(Writer& writer, std::string_view keyword, const I& draft) {
  if ((draft.vi.*Member).empty()) return;
  writer.open_list(keyword);
  for (const auto& item : draft.vi.*Member) WriteItem(writer, item);
  writer.close_list();
}

constexpr auto keywords = std::to_array<Keyword<I>>({
    F::block("virtual_ipaddress", read_addresses, write_list<&VrrpInstance::addresses, write_interface_address>)
        .words(1),
    F::block("virtual_ipaddress_excluded", read_excluded,
             write_list<&VrrpInstance::excluded_addresses, write_interface_address>)
        .words(1),
    F::block("virtual_routes", read_routes, write_list<&VrrpInstance::routes, write_route>).words(1),
    F::block("virtual_rules", read_rules, write_list<&VrrpInstance::rules, write_rule>).words(1),
});

}  // namespace

bool takes_family(Context& context, Place place, InstanceDraft& draft, bool is_v6, std::string_view what) {
  if (!draft.is_v6) draft.is_v6 = is_v6;
  if (*draft.is_v6 == is_v6) return true;
  context.diagnostics.error(
      place, fmt::format("{} ignored, expected an {} address: the first one decides the family of all (only "
                         "virtual_ipaddress_excluded takes both)",
                         what, *draft.is_v6 ? "IPv6" : "IPv4"));
  return false;
}

InstanceKeywords address_keywords() { return keywords; }

}  // namespace sluice::control::config
