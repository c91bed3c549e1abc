// A TLS server's side for tests: a self-signed certificate made on the spot, and Asio's TLS over a connection of
// CheckTest. Test-only.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "health/check_test.h"

namespace sluice::health {

/// A key and its certificate in two PEM files, gone with it.
class SelfSigned {
 public:
  /// password: of the key; empty for none.
  explicit SelfSigned(const std::string& password = {}) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
    X509* x509 = certificate.get();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key.get());
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_sign(x509, key.get(), EVP_sha256());

    std::FILE* file = std::fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key.get(), password.empty() ? nullptr : EVP_aes_128_cbc(), nullptr, 0, nullptr,
                         password.empty() ? nullptr : const_cast<char*>(password.c_str()));
    std::fclose(file);
    file = std::fopen(certificate_file().c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
  }
  ~SelfSigned() {
    std::remove(key_file().c_str());
    std::remove(certificate_file().c_str());
  }
  SelfSigned(const SelfSigned&) = delete;
  SelfSigned& operator=(const SelfSigned&) = delete;

  [[nodiscard]] std::string key_file() const { return base_ + ".key"; }
  [[nodiscard]] std::string certificate_file() const { return base_ + ".pem"; }

 private:
  std::string base_ = testing::TempDir() + "sluice-tls-" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  static inline int made = 0;
};

using TlsStream = asio::ssl::stream<tcp::socket&>;
using TlsBehaviour = std::function<asio::awaitable<void>(TlsStream&)>;

/// A server's context with that certificate.
inline std::shared_ptr<asio::ssl::context> server_context(const SelfSigned& own) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  context->use_certificate_chain_file(own.certificate_file());
  context->use_private_key_file(own.key_file(), asio::ssl::context::pem);
  return context;
}

/// Does the handshake, then behaves; the stream lives until the connection's behaviour ends.
inline Behaviour in_tls(std::shared_ptr<asio::ssl::context> context, TlsBehaviour behaviour) {
  return [=](tcp::socket& socket) -> asio::awaitable<void> {
    TlsStream stream(socket, *context);
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, no_throw);
    if (error) {
      socket.close();
      co_return;
    }
    co_await behaviour(stream);
  };
}

}  // namespace sluice::health
