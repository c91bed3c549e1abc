// TCP_CHECK and PING_CHECK: nothing but what all network checkers have.
#include "control/config/servers/checkers/checkers.h"

namespace sluice::control::config {

void read_tcp_check(Context& context, const Statement& statement, RealServer& rs) {
  rs.checkers.emplace_back(read_check<TcpCheck>(context, statement, network_keywords<TcpCheck>));
}
void write_check(Writer& writer, const TcpCheck& check) {
  write_all<TcpCheck>(writer, network_keywords<TcpCheck>, check);
}
void list_tcp_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<TcpCheck>(block, network_keywords<TcpCheck>, out);
}

void read_ping_check(Context& context, const Statement& statement, RealServer& rs) {
  rs.checkers.emplace_back(read_check<PingCheck>(context, statement, network_keywords<PingCheck>));
}
void write_check(Writer& writer, const PingCheck& check) {
  write_all<PingCheck>(writer, network_keywords<PingCheck>, check);
}
void list_ping_check(const std::string& block, std::vector<KeywordInfo>& out) {
  list_all<PingCheck>(block, network_keywords<PingCheck>, out);
}

}  // namespace sluice::control::config
