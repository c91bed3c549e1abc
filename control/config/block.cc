// Building the tree; see block.h.
#include "control/config/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::control::config {

namespace {

constexpr std::array<std::string_view, 18> top_level_blocks = {
    "global_defs",        "virtual_server",      "virtual_server_group",
    "vrrp_instance",      "vrrp_script",         "vrrp_sync_group",
    "static_ipaddress",   "static_routes",       "static_rules",
    "bfd_instance",       "garp_group",          "dataplane",
    "vrrp_track_process", "linkbeat_interfaces", "interface_up_down_delays",
    "track_group",        "vrrp_track_file",     "SSL"};

constexpr std::array<std::string_view, 24> inner_blocks = {
    "real_server",    "TCP_CHECK",     "HTTP_GET",           "SSL_GET",           "SMTP_CHECK",
    "MISC_CHECK",     "DNS_CHECK",     "UDP_CHECK",          "PING_CHECK",        "FILE_CHECK",
    "BFD_CHECK",      "url",           "notification_email", "virtual_ipaddress", "virtual_ipaddress_excluded",
    "virtual_routes", "virtual_rules", "unicast_peer",       "authentication",    "track_interface",
    "track_script",   "track_file",    "track_process",      "track_bfd"};

/// `track_group NAME` is also an option of static addresses, `track_file NAME` a line of FILE_CHECK.
bool stands_inside_too(std::string_view keyword) { return keyword == "track_group" || keyword == "track_file"; }

}  // namespace

bool is_top_level_block(std::string_view keyword) {
  return std::find(top_level_blocks.begin(), top_level_blocks.end(), keyword) != top_level_blocks.end();
}

bool is_block(std::string_view keyword) {
  return is_top_level_block(keyword) ||
         std::find(inner_blocks.begin(), inner_blocks.end(), keyword) != inner_blocks.end();
}

const std::vector<Statement>& BlockReader::next() {
  read_top(nullptr);
  return current_;
}

const std::vector<Statement>& BlockReader::next_head(std::string_view whole) {
  read_top(&whole);
  return current_;
}

/// whole: see next_head(); null: all of them.
void BlockReader::read_top(const std::string_view* whole) {
  recycle(current_);
  while (const Token* token = peek()) {
    if (token->kind == TokenKind::words) {
      keeps_children_ = whole == nullptr || token->words.front().text == *whole;
      read_statement(current_, nullptr, 0);
      return;
    }
    if (token->kind == TokenKind::open) {
      error(token->place,
            "unexpected '{', expected a keyword before it; what it encloses is read as if it weren't there");
      ++stray_;
    } else if (stray_ > 0) {
      --stray_;
    } else {
      error(token->place, "extra '}' ignored, no block is open here");
    }
    take();
  }
}

/// Makes a statement of the token ahead.
Statement& BlockReader::keep(std::vector<Statement>& out) {
  Statement& statement = out.emplace_back();
  statement.place = ahead_.place;
  statement.words = std::move(ahead_.words);
  statement.raw = std::move(ahead_.raw);
  if (!spare_words_.empty()) {
    ahead_.words = std::move(spare_words_.back());
    spare_words_.pop_back();
  }
  if (!spare_children_.empty()) {
    statement.children = std::move(spare_children_.back());
    spare_children_.pop_back();
  }
  return statement;
}

void BlockReader::recycle(std::vector<Statement>& statements) {
  for (Statement& statement : statements) {
    statement.words.clear();
    spare_words_.push_back(std::move(statement.words));
    recycle(statement.children);
    if (statement.children.capacity() > 0) spare_children_.push_back(std::move(statement.children));
  }
  statements.clear();
}

void BlockReader::rewind() {
  lexer_.rewind();
  recycle(current_);
  has_ahead_ = false;
  tokens_ = 0;
  stray_ = 0;
  is_cut_ = false;
}

const Token* BlockReader::peek() {
  if (!has_ahead_ && !is_cut_) {
    has_ahead_ = lexer_.next(ahead_);
    if (has_ahead_ && ++tokens_ > tokens_max) {
      error(ahead_.place, fmt::format("more than {} lines and braces, the rest is ignored", tokens_max));
      is_cut_ = true;
      has_ahead_ = false;
    }
  }
  return has_ahead_ ? &ahead_ : nullptr;
}

/// Reads until the block's '}'.
void BlockReader::read_children(std::vector<Statement>& out, const Opener& opener, unsigned depth) {
  while (const Token* token = peek()) {
    if (token->kind == TokenKind::close) {
      take();
      return;
    }
    if (token->kind == TokenKind::open) {
      const Opener stray{token->place, "{", opener.is_global_defs};
      error(token->place,
            "unexpected '{', expected a keyword before it; what it encloses is read as if it weren't there");
      take();
      descend(out, stray, depth);
      continue;
    }
    const std::string& keyword = token->words.front().text;
    if (is_top_level_block(keyword) && !stands_inside_too(keyword)) {
      // Left for the top level to read; every block between here and there complains and closes.
      complain_unclosed(opener, token);
      return;
    }
    read_statement(out, &opener, depth);
  }
  if (!is_cut_) complain_unclosed(opener, nullptr);
}

/// around: the block in which it stands, null at the top level.
void BlockReader::read_statement(std::vector<Statement>& out, const Opener* around, unsigned depth) {
  const Place place = ahead_.place;
  const std::string keyword = ahead_.words.front().text;
  if (around != nullptr && around->is_global_defs) heed(ahead_.words, place);
  Statement* const statement = depth == 0 || keeps_children_ ? &keep(out) : nullptr;
  take();

  bool has_block = false;
  if (const Token* after = peek(); after != nullptr && after->kind == TokenKind::open) {
    take();
    has_block = true;
  } else if (is_block(keyword) && !(depth > 0 && stands_inside_too(keyword))) {
    error(place, fmt::format("missing '{{' after {}, what follows is taken as its content", quoted(keyword)));
    has_block = true;
  }
  if (!has_block) return;
  if (statement != nullptr) statement->has_block = true;
  descend(statement != nullptr ? statement->children : out, {place, keyword, depth == 0 && keyword == "global_defs"},
          depth);
}

void BlockReader::descend(std::vector<Statement>& out, const Opener& opener, unsigned depth) {
  if (depth + 1 < block_depth_max) {
    read_children(out, opener, depth + 1);
    return;
  }
  error(opener.place, fmt::format("blocks are nested more than {} deep, content ignored", block_depth_max));
  std::size_t open = 1;
  while (open > 0 && peek() != nullptr) {
    if (ahead_.kind == TokenKind::open) ++open;
    if (ahead_.kind == TokenKind::close) --open;
    take();
  }
}

void BlockReader::complain_unclosed(const Opener& opener, const Token* before) {
  const std::string where = before == nullptr
                                ? "end of the file"
                                : fmt::format("{} in line {}", quoted(before->words.front().text), before->place.line);
  error(opener.place, fmt::format("{} is never closed, expected '}}' before the {}", quoted(opener.keyword), where));
}

/// What acts while the text is being read.
void BlockReader::heed(const std::vector<Word>& words, Place place) {
  if (words.front().text == "include_check") {
    lexer_.set_include_checks(words, place);
  } else if (words.front().text == "random_seed" && words.size() > 1) {
    const std::string& text = words[1].text;
    std::uint32_t seed = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (status == std::errc{}) lexer_.set_random_seed(seed);
  }
}

void BlockReader::error(Place place, std::string message) {
  if (!lexer_.is_replay()) diagnostics_.error(place, std::move(message));
}

std::vector<Statement> read_blocks(Lexer& lexer, Diagnostics& diagnostics) {
  BlockReader reader(lexer, diagnostics);
  std::vector<Statement> all;
  for (const auto* block = &reader.next(); !block->empty(); block = &reader.next()) all.push_back(block->front());
  return all;
}

}  // namespace sluice::control::config
