// TLS for SSL_GET, as keepalived speaks it: whatever version and ciphers OpenSSL agrees on, the server's certificate is
// never verified, a client certificate if there is one. A session takes steps and says what it waits for; the waiting,
// and its limits, are http_get.cc's.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "health/spec.h"
#include "health/stream_step.h"
#include "net/error.h"

struct bio_method_st;
struct ssl_ctx_st;
struct ssl_st;

namespace sluice::health {

class Socket;

/// What all sessions with the same client material share. Immutable.
class TlsContext {
 public:
  /// Reads the files. Error: which file, and OpenSSL's words.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsSpec& spec);

 private:
  friend class TlsSession;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
    void operator()(bio_method_st* method) const;
  };
  TlsContext() = default;

  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<bio_method_st, Free> socket_method_;
};

/// Hands out one context for each client material in use, so that thousands of checkers share it. Owned by the health
/// thread.
class TlsContexts {
 public:
  Result<std::shared_ptr<const TlsContext>> get(const TlsSpec& spec);

 private:
  std::vector<std::pair<TlsSpec, std::weak_ptr<const TlsContext>>> contexts_;
};

/// One connection. Never blocks, never raises SIGPIPE.
class TlsSession {
 public:
  /// socket: connected; must outlive the session.
  /// server_name: for SNI, empty for none. compliant: a server that closes without saying so in TLS has failed, and we
  /// say so when we close (keepalived's tls_compliant).
  TlsSession(std::shared_ptr<const TlsContext> context, Socket& socket, const std::string& server_name, bool compliant);
  /// Says close_notify if compliant, without waiting for anything.
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  StreamStep handshake();
  StreamStep send(std::string_view bytes);
  StreamStep receive(std::span<char> buffer);
  /// Something was received that receive() hasn't given yet: the socket won't say so.
  [[nodiscard]] bool buffered() const;

 private:
  struct Free {
    void operator()(ssl_st* session) const;
  };
  StreamStep judge(int result);

  std::shared_ptr<const TlsContext> context_;
  bool at_end_ = false;  // the peer has closed; session_'s BIO sets it
  std::unique_ptr<ssl_st, Free> session_;
  bool compliant_;
  bool established_ = false;
};

}  // namespace sluice::health
