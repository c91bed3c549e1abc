// Sends alerts by mail, one connection at a time, while nobody waits for it: what can't be sent yet stands in a queue
// with an end, and a server that is down is asked again ever more rarely. keepalived opens a connection for each mail
// and forgets what can't be sent at once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "control/mail/alert.h"
#include "control/mail/mailer_settings.h"

namespace sluice::control {

/// detail: keepalived says it with -D only.
struct MailLine {
  std::string text;
  bool is_warning = false;
  bool is_detail = false;
};

struct MailerLimits {
  /// Alerts that wait; then the oldest gives way. A director with some hundred instances mails that much at once, and
  /// an alert is some hundred bytes.
  std::size_t queue_max = 1000;
  std::chrono::milliseconds retry_first{std::chrono::seconds{1}};
  std::chrono::milliseconds retry_most{std::chrono::seconds{60}};
  /// Of a mail that the server won't take for now (4xx): greylisting wants some ten minutes.
  unsigned tries_max = 30;
  /// A server that stays down, and mails that were dropped, are told of this often at most.
  std::chrono::milliseconds log_interval{std::chrono::minutes{10}};
};

struct MailCounters {
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;  ///< refused, too many, or left at the end
  std::size_t waiting = 0;

  bool operator==(const MailCounters&) const = default;
};

/// Control thread only.
class Mailer {
 public:
  using Log = std::function<void(const MailLine&)>;

  /// io outlives the mailer.
  Mailer(boost::asio::io_context& io, Log log, MailerLimits limits = {});
  /// As stop() with no time.
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  /// From now on; what waits already goes to the new recipients through the new server, too. Without a server or a
  /// recipient it is dropped.
  void configure(MailerSettings settings);

  /// Returns at once. Does nothing while no mail is to be sent.
  void send(Alert alert);

  /// Sends what waits, one try and for so long at most; what is left then is dropped, which is logged. Doesn't need
  /// the io_context to run: the control thread's own loop has ended, or is busy with calling this. Afterwards send()
  /// does nothing.
  void stop(std::chrono::milliseconds time_max);

  [[nodiscard]] MailCounters counters() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sluice::control
