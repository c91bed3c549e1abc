// For the tests of this folder: small texts around the line under test, and what became of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "control/config/parse.h"

namespace sluice::control::config::testing {

inline ParseOutcome parse(std::string_view text) {
  ParseOptions options;
  options.config_id = "director1";
  return parse_text(text, "test.conf", options);
}

/// A virtual server nobody complains about, with these lines in it and these in its real server.
inline std::string virtual_server(std::string_view lines, std::string_view real_server_lines = "") {
  return "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n" + std::string(lines) +
         "\nreal_server 10.0.1.1 8080 {\n" + std::string(real_server_lines) + "\n}\n}\n";
}

inline std::string tcp_check(std::string_view lines) {
  return virtual_server("", "TCP_CHECK {\n" + std::string(lines) + "\n}");
}

inline std::string http_get(std::string_view lines) {
  return virtual_server("", "HTTP_GET {\n" + std::string(lines) + "\n}");
}

inline std::string all_complaints(const ParseOutcome& outcome) {
  std::string text;
  for (const Complaint& complaint : outcome.complaints) text += complaint.text() + "\n";
  return text;
}

inline bool complains(const ParseOutcome& outcome, std::string_view part) {
  return all_complaints(outcome).find(part) != std::string::npos;
}

inline std::size_t count(const ParseOutcome& outcome, Severity severity) {
  return static_cast<std::size_t>(std::count_if(outcome.complaints.begin(), outcome.complaints.end(),
                                                [&](const Complaint& c) { return c.severity == severity; }));
}

/// The only virtual server of the text.
inline VirtualServer only_vs(const ParseOutcome& outcome) {
  EXPECT_EQ(outcome.config.virtual_servers.size(), 1u) << all_complaints(outcome);
  return outcome.config.virtual_servers.empty() ? VirtualServer{} : outcome.config.virtual_servers.front();
}

inline RealServer only_rs(const ParseOutcome& outcome) {
  const VirtualServer vs = only_vs(outcome);
  EXPECT_EQ(vs.real_servers.size(), 1u) << all_complaints(outcome);
  return vs.real_servers.empty() ? RealServer{} : vs.real_servers.front();
}

template <typename Check>
Check only_checker(const ParseOutcome& outcome) {
  const RealServer rs = only_rs(outcome);
  EXPECT_EQ(rs.checkers.size(), 1u) << all_complaints(outcome);
  if (rs.checkers.empty() || !std::holds_alternative<Check>(rs.checkers.front())) {
    ADD_FAILURE() << "no such checker";
    return {};
  }
  return std::get<Check>(rs.checkers.front());
}

}  // namespace sluice::control::config::testing
