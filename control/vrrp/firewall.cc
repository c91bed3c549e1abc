#include "control/vrrp/firewall.h"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "control/unique_fd.h"

namespace sluice::control {

namespace {

// libnftables ends the process where the kernel has no nf_tables: it is asked only where the kernel has.
bool kernel_has_nftables() {
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!socket) return false;
  struct {
    nlmsghdr header;
    nfgenmsg family;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.family.version = NFNETLINK_V0;
  if (::send(socket.get(), &request, sizeof request, 0) < 0) return false;
  alignas(nlmsghdr) std::array<char, 4096> answer;
  // The kernel answers within send().
  const ssize_t length = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
  if (length < ssize_t(sizeof(nlmsghdr))) return false;
  nlmsghdr header;
  std::memcpy(&header, answer.data(), sizeof header);
  return header.nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN);
}

}  // namespace

void Firewall::Free::operator()(nft_ctx* context) const { ::nft_ctx_free(context); }

Firewall::Firewall(Log log) : log_(std::move(log)) {}
Firewall::~Firewall() = default;

bool Firewall::open() {
  if (nft_ != nullptr) return true;
  if (!kernel_has_nftables()) return false;
  nft_.reset(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (nft_ == nullptr) return false;
  ::nft_ctx_buffer_output(nft_.get());
  ::nft_ctx_buffer_error(nft_.get());
  return true;
}

void Firewall::configure(FirewallSettings settings, bool is_needed) {
  if (has_table_ && is_needed && settings == settings_) return;
  if (has_table_) {
    run(removal_commands(settings_.table));
    has_table_ = false;
  }
  settings_ = std::move(settings);
  if (!open()) {
    if (is_needed) {
      log_("no_accept has no effect, the kernel has no nf_tables: packets to virtual addresses are taken");
    }
    return;
  }
  if (is_needed) return make_table();
  blocked_.clear();
  // What a director left that died would go on dropping.
  if (!run("list tables")) return;
  std::istringstream tables(::nft_ctx_get_output_buffer(nft_.get()));
  for (std::string line; std::getline(tables, line);) {
    for (const char* family : {"ip", "ip6"}) {
      if (line == fmt::format("table {} {}", family, settings_.table)) run("delete " + line);
    }
  }
}

void Firewall::make_table() { has_table_ = run(table_commands(settings_) + element_commands(settings_, {}, blocked_)); }

void Firewall::block(std::set<BlockedAddress> addresses) {
  if (addresses == blocked_) return;
  const std::set<BlockedAddress> before = std::exchange(blocked_, std::move(addresses));
  if (nft_ == nullptr) return;
  // Somebody may have flushed all tables.
  if (!has_table_ || !run(element_commands(settings_, before, blocked_))) make_table();
}

void Firewall::release() {
  blocked_.clear();
  if (has_table_) run(removal_commands(settings_.table));
  has_table_ = false;
}

bool Firewall::run(const std::string& commands) {
  if (::nft_run_cmd_from_buffer(nft_.get(), commands.c_str()) == 0) {
    said_.clear();
    return true;
  }
  // Its first line; the next ones draw the place.
  const std::string_view all = ::nft_ctx_get_error_buffer(nft_.get());
  const std::string what =
      fmt::format("no_accept: nftables table {}: {}", settings_.table, all.substr(0, all.find('\n')));
  if (what != said_) log_(what);
  said_ = what;
  return false;
}

}  // namespace sluice::control
