// Building the tree; see block.h.
#include "control/config/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace sluice::control::config {

namespace {

constexpr std::array<std::string_view, 18> top_level_blocks = {
    "global_defs",        "virtual_server",      "virtual_server_group",
    "vrrp_instance",      "vrrp_script",         "vrrp_sync_group",
    "static_ipaddress",   "static_routes",       "static_rules",
    "bfd_instance",       "garp_group",          "dataplane",
    "vrrp_track_process", "linkbeat_interfaces", "interface_up_down_delays",
    "track_group",        "vrrp_track_file",     "SSL"};

constexpr std::array<std::string_view, 21> inner_blocks = {
    "real_server",    "TCP_CHECK",     "HTTP_GET",           "SSL_GET",           "SMTP_CHECK",
    "MISC_CHECK",     "DNS_CHECK",     "UDP_CHECK",          "PING_CHECK",        "FILE_CHECK",
    "BFD_CHECK",      "url",           "notification_email", "virtual_ipaddress", "virtual_ipaddress_excluded",
    "virtual_routes", "virtual_rules", "unicast_peer",       "authentication",    "track_interface",
    "track_script"};

/// `track_group NAME` is also an option of static addresses, `SSL` and the like never are.
bool stands_inside_too(std::string_view keyword) { return keyword == "track_group"; }

class Builder {
 public:
  Builder(Lexer& lexer, Diagnostics& diagnostics) : lexer_(lexer), diagnostics_(diagnostics) {}

  std::vector<Statement> run() {
    std::vector<Statement> top;
    read_children(top, nullptr, 0);
    return top;
  }

 private:
  const Token* peek() {
    if (!ahead_ && statements_ < statements_max) ahead_ = lexer_.next();
    return ahead_ ? &*ahead_ : nullptr;
  }

  Token take() {
    Token token = std::move(*ahead_);
    ahead_.reset();
    return token;
  }

  /// Reads until the block's '}'. opener: the keyword of the block, or null at the top level.
  void read_children(std::vector<Statement>& out, const std::pair<Place, std::string>* opener, unsigned depth) {
    while (const Token* token = peek()) {
      if (token->kind == TokenKind::close) {
        const Place place = take().place;
        if (opener != nullptr) return;
        diagnostics_.error(place, "extra '}' ignored, no block is open here");
        continue;
      }
      if (token->kind == TokenKind::open) {
        const std::pair<Place, std::string> stray{take().place, "{"};
        diagnostics_.error(stray.first,
                           "unexpected '{', expected a keyword before it; what it encloses is read as if "
                           "it weren't there");
        descend(out, stray, depth);
        continue;
      }
      if (opener != nullptr && is_top_level_block(token->words.front().text) &&
          !stands_inside_too(token->words.front().text)) {
        // Left for the top level to read; every block between here and there complains and closes.
        diagnostics_.error(opener->first,
                           fmt::format("{} is never closed, expected '}}' before the {} in line {}",
                                       quoted(opener->second), quoted(token->words.front().text), token->place.line));
        return;
      }
      read_statement(out, depth);
    }
    if (opener != nullptr && !ended_) {
      diagnostics_.error(opener->first, fmt::format("{} is never closed, expected '}}' before the end of the file",
                                                    quoted(opener->second)));
    }
    if (statements_ >= statements_max && !ended_) {
      ended_ = true;
      diagnostics_.error(last_, fmt::format("more than {} lines with content, the rest is ignored", statements_max));
    }
  }

  void read_statement(std::vector<Statement>& out, unsigned depth) {
    Token token = take();
    ++statements_;
    last_ = token.place;
    Statement statement;
    statement.place = token.place;
    statement.words = std::move(token.words);
    statement.raw = std::move(token.raw);
    const std::pair<Place, std::string> opener{statement.place, statement.keyword()};

    if (const Token* after = peek(); after != nullptr && after->kind == TokenKind::open) {
      take();
      statement.has_block = true;
    } else if (is_block(statement.keyword()) && !(depth > 0 && stands_inside_too(statement.keyword()))) {
      diagnostics_.error(statement.place, fmt::format("missing '{{' after {}, what follows is taken as its content",
                                                      quoted(statement.keyword())));
      statement.has_block = true;
    }
    if (statement.has_block) descend(statement.children, opener, depth);
    out.push_back(std::move(statement));
  }

  void descend(std::vector<Statement>& out, const std::pair<Place, std::string>& opener, unsigned depth) {
    if (depth + 1 < block_depth_max) {
      read_children(out, &opener, depth + 1);
      return;
    }
    diagnostics_.error(opener.first,
                       fmt::format("blocks are nested more than {} deep, content ignored", block_depth_max));
    std::size_t open = 1;
    while (open > 0 && peek() != nullptr) {
      const Token token = take();
      ++statements_;
      if (token.kind == TokenKind::open) ++open;
      if (token.kind == TokenKind::close) --open;
    }
  }

  Lexer& lexer_;
  Diagnostics& diagnostics_;
  std::optional<Token> ahead_;
  std::size_t statements_ = 0;
  Place last_;
  bool ended_ = false;
};

}  // namespace

bool is_top_level_block(std::string_view keyword) {
  return std::find(top_level_blocks.begin(), top_level_blocks.end(), keyword) != top_level_blocks.end();
}

bool is_block(std::string_view keyword) {
  return is_top_level_block(keyword) ||
         std::find(inner_blocks.begin(), inner_blocks.end(), keyword) != inner_blocks.end();
}

std::vector<Statement> read_blocks(Lexer& lexer, Diagnostics& diagnostics) { return Builder(lexer, diagnostics).run(); }

}  // namespace sluice::control::config
