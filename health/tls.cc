#include "health/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "health/probe.h"

namespace sluice::health {

namespace {

/// A BIO's end of a connection. OpenSSL's own writes with write(), which raises SIGPIPE when the peer has gone.
struct SocketEnd {
  Socket& socket;
  bool* at_end;
};

SocketEnd* end_of(BIO* bio) { return static_cast<SocketEnd*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto sent = end_of(bio)->socket.send(bytes, static_cast<std::size_t>(size));
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto received = end_of(bio)->socket.receive(bytes, static_cast<std::size_t>(size));
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (received == 0) *end_of(bio)->at_end = true;
  return static_cast<int>(received);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return end_of(bio) != nullptr && *end_of(bio)->at_end ? 1 : 0;
  return 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

int bio_destroy(BIO* bio) {
  delete end_of(bio);
  return 1;
}

/// OpenSSL's words for the oldest error of this thread. "sslv3 alert handshake failure" names a protocol that nobody
/// spoke: it is only where the alert was first defined.
std::string openssl_words() {
  const unsigned long code = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(code)) {
    ERR_clear_error();
    return error_words(ERR_GET_REASON(code));
  }
  const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = words != nullptr ? words : "unknown error";
  for (const std::string_view prefix : {"sslv3 ", "tlsv1 ", "tlsv13 "}) {
    if (text.starts_with(std::string(prefix) + "alert")) text.erase(0, prefix.size());
  }
  ERR_clear_error();
  return text;
}

/// Never the terminal, which OpenSSL asks by default.
int give_password(char* buffer, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  const int length = std::min<int>(size, static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX)));
  std::memcpy(buffer, text.data(), static_cast<std::size_t>(length));
  return length;
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void TlsContext::Free::operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
void TlsSession::Free::operator()(SSL* session) const { SSL_free(session); }

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsSpec& spec) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext);
  made->context_.reset(SSL_CTX_new(TLS_method()));
  made->socket_method_.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "probe"));
  if (!made->context_ || !made->socket_method_) return fail("TLS", openssl_words());

  BIO_METHOD* method = made->socket_method_.get();
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  BIO_meth_set_create(method, bio_create);
  BIO_meth_set_destroy(method, bio_destroy);

  SSL_CTX* context = made->context_.get();
  // A check is a whole handshake; and a session that waits for its peer needs no buffers.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  // Tickets and key updates come back as "wait", so that a peer that sends nothing else can't hold the thread.
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_verify_depth(context, 1);
  std::string password = spec.password;
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);

  const auto refused = [](const std::string& file) { return fail(file, openssl_words()); };
  if (!spec.certificate.empty() && SSL_CTX_use_certificate_chain_file(context, spec.certificate.c_str()) != 1) {
    return refused(spec.certificate);
  }
  if (!spec.key.empty() && SSL_CTX_use_PrivateKey_file(context, spec.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return refused(spec.key);
  }
  if (!spec.ca.empty() && SSL_CTX_load_verify_locations(context, spec.ca.c_str(), nullptr) != 1) {
    return refused(spec.ca);
  }
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContexts::get(const TlsSpec& spec) {
  std::erase_if(contexts_, [](const auto& known) { return known.second.expired(); });
  for (const auto& [known, context] : contexts_) {
    if (known == spec) return context.lock();
  }
  auto made = TlsContext::make(spec);
  if (made) contexts_.emplace_back(spec, *made);
  return made;
}

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, Socket& socket, const std::string& server_name,
                       bool compliant)
    : context_(std::move(context)), session_(SSL_new(context_->context_.get())), compliant_(compliant) {
  BIO* bio = BIO_new(context_->socket_method_.get());
  if (!session_ || bio == nullptr) {
    BIO_free(bio);
    session_.reset();
    return;
  }
  BIO_set_data(bio, new SocketEnd{socket, &at_end_});
  SSL* session = session_.get();
  SSL_set_bio(session, bio, bio);
  SSL_set_connect_state(session);
  if (!server_name.empty()) SSL_set_tlsext_host_name(session, server_name.c_str());
  if (!compliant) {
    SSL_set_options(session, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_set_quiet_shutdown(session, 1);
  }
}

TlsSession::~TlsSession() {
  if (established_ && compliant_) SSL_shutdown(session_.get());
  ERR_clear_error();
}

StreamStep TlsSession::handshake() {
  if (!session_) return {StreamStep::State::failed, 0, "no memory for TLS"};
  ERR_clear_error();
  StreamStep step = judge(SSL_do_handshake(session_.get()));
  established_ = step.state == StreamStep::State::done;
  return step;
}

StreamStep TlsSession::send(std::string_view bytes) {
  ERR_clear_error();
  return judge(SSL_write(session_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX))));
}

StreamStep TlsSession::receive(std::span<char> buffer) {
  ERR_clear_error();
  return judge(
      SSL_read(session_.get(), buffer.data(), static_cast<int>(std::min<std::size_t>(buffer.size(), INT_MAX))));
}

bool TlsSession::buffered() const { return SSL_pending(session_.get()) > 0; }

StreamStep TlsSession::judge(int result) {
  const int error_number = errno;
  using State = StreamStep::State;
  const int error = SSL_get_error(session_.get(), result);
  if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL) established_ = false;  // SSL_shutdown() is forbidden now
  switch (error) {
    case SSL_ERROR_NONE: return {State::done, static_cast<std::size_t>(std::max(result, 0)), {}};
    case SSL_ERROR_WANT_READ: return {State::wait_to_read, 0, {}};
    case SSL_ERROR_WANT_WRITE: return {State::wait_to_write, 0, {}};
    case SSL_ERROR_ZERO_RETURN: return {State::closed, 0, {}};
    case SSL_ERROR_SYSCALL:
      if (at_end_) return {State::closed, 0, {}};
      return {State::failed, 0, error_number == ECONNRESET ? "the connection was reset" : error_words(error_number)};
    default: return {State::failed, 0, openssl_words()};
  }
}

}  // namespace sluice::health
