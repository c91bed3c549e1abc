#include "health/dns_check.h"

#include <fmt/format.h>

#include <array>

#include "health/datagram.h"

namespace sluice::health {

Task<ProbeResult> DnsCheck::probe(EventLoop& loop) {
  const auto id = static_cast<std::uint16_t>(ids_() >> 8);
  const auto question = dns_question(id, spec_.type, spec_.name);
  if (!question) co_return ProbeResult{Verdict::not_counted, fmt::format("\"{}\" is no domain name", spec_.name)};

  Socket socket(loop);
  if (auto problem = open_udp(socket, spec_.connect)) co_return std::move(*problem);
  if (auto problem = send_datagram(socket, *question)) co_return std::move(*problem);

  // Of all of it, not of each datagram: a peer that keeps sending other things must not keep us.
  const auto deadline = std::chrono::steady_clock::now() + spec_.connect.timeout;
  unsigned skipped = 0;
  for (;;) {
    std::array<std::uint8_t, 12> header{};
    const Received received = co_await receive_datagram(socket, header, deadline);
    if (!received.error.empty()) co_return failure(received.error);
    if (!received.size) break;
    const std::size_t size = std::min(*received.size, header.size());
    const DnsAnswer answer = read_dns_answer(std::span(header).first(size), id);
    if (answer.is_answer && answer.rcode == 0) co_return success("answered");
    if (answer.is_answer) co_return failure("answered " + rcode_words(answer.rcode));
    ++skipped;
  }
  const std::string other = skipped == 0 ? std::string() : fmt::format(", but {} other datagrams", skipped);
  co_return failure(fmt::format("no answer within {}{}", to_words(spec_.connect.timeout), other));
}

}  // namespace sluice::health
