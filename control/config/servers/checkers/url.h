// The url block of HTTP_GET and SSL_GET. Internal to control/config.
#pragma once

#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

void read_url(Context& context, const Statement& statement, HttpGet& get);
void write_urls(Writer& writer, std::string_view keyword, const HttpGet& get);
/// ssl: with the words that only SSL_GET's have.
void list_http_url(const std::string& block, std::vector<KeywordInfo>& out);
void list_ssl_url(const std::string& block, std::vector<KeywordInfo>& out);

// regex and its options.
void set_regex(Context& context, const Statement& statement, Url& url);
void set_regex_no_match(Context& context, const Statement& statement, Url& url);
void set_regex_options(Context& context, const Statement& statement, Url& url);
void set_regex_min_offset(Context& context, const Statement& statement, Url& url);
void set_regex_max_offset(Context& context, const Statement& statement, Url& url);
void set_regex_stack(Context& context, const Statement& statement, Url& url);
void write_regex(Writer& writer, std::string_view keyword, const Url& url);
void write_regex_no_match(Writer& writer, std::string_view keyword, const Url& url);
void write_regex_options(Writer& writer, std::string_view keyword, const Url& url);
void write_regex_min_offset(Writer& writer, std::string_view keyword, const Url& url);
void write_regex_max_offset(Writer& writer, std::string_view keyword, const Url& url);
void write_regex_stack(Writer& writer, std::string_view keyword, const Url& url);
/// Complains about options of a pattern that isn't there, and takes them away.
void finish_regex(Context& context, Url& url);

}  // namespace sluice::control::config
