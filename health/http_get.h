// HTTP_GET and SSL_GET: the server is well when it answers each URL, one per probe, with a status that is asked for
// and, if a digest or a regex is given, with such a body. The request and the reading are keepalived's, so that the
// same server gives the same verdict: reads until the peer closes, doesn't decode chunks, doesn't follow redirects.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "health/body_regex.h"
#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"
#include "health/tls.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class HttpGet {
 public:
  /// contexts: only used here. Client files that can't be read, or a regex that is none, make every probe uncounted.
  HttpGet(HttpGetSpec spec, RetryTimings timings, bool starts_up, TlsContexts& contexts);

  Task<ProbeResult> probe(EventLoop& loop);
  Outcome on(Verdict verdict) { return cycle_.on(verdict); }

 private:
  /// What more than a plain question takes, made once.
  struct Tools {
    std::shared_ptr<const TlsContext> tls;      // only for SSL_GET
    std::vector<std::optional<Regex>> regexes;  // by URL
    std::string unusable;                       // why there can be no probe; empty: there can
  };

  HttpGetSpec spec_;
  UrlCycle cycle_;
  std::unique_ptr<const Tools> tools_;  // null: none are needed
};

/// The request as keepalived words it, for tests too.
[[nodiscard]] std::string http_request(const HttpGetSpec& spec, const UrlSpec& url);

}  // namespace sluice::health
