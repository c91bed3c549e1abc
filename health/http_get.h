// HTTP_GET: the server is well when it answers each URL, one per probe, with a status that is asked for and, if a
// digest is given, with that body. The request and the reading are keepalived's, so that the same server gives the same
// verdict: reads until the peer closes, doesn't decode chunks, doesn't follow redirects.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <utility>

#include "health/probe.h"
#include "health/retry.h"
#include "health/spec.h"

namespace sluice::health {

/// Owned and run by the health thread; must outlive its own probe().
class HttpGet {
 public:
  HttpGet(HttpGetSpec spec, RetryTimings timings, bool starts_up)
      : spec_(std::move(spec)), cycle_(timings, starts_up, spec_.urls.size(), spec_.fast_recovery) {}

  boost::asio::awaitable<ProbeResult> probe();
  Outcome on(Verdict verdict) { return cycle_.on(verdict); }

 private:
  HttpGetSpec spec_;
  UrlCycle cycle_;
};

/// The request as keepalived words it, for tests too.
[[nodiscard]] std::string http_request(const HttpGetSpec& spec, const UrlSpec& url);

}  // namespace sluice::health
