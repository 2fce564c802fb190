#pragma once

#include <expected>
#include <mutex>
#include <optional>
#include <variant>

#include "cli/console.h"
#include "cli/http_exchange.h"
#include "cli/options.h"
#include "cli/output.h"

namespace anchor::cli {

// Requests to a cluster. Endpoints are asked in turn, and again as long as the cluster has no
// leader and there is time left; but a write that may have happened is never sent a second time.
class Client {
 public:
  // Both must outlive the client.
  Client(const GlobalOptions& options, Console& console) : options_(options), console_(console) {}

  // A reply that says success, or what to tell the user.
  std::expected<HttpReplyIn, Failure> send(HttpRequestOut request);

  // One request to one endpoint, and its answer, whatever it says. May be called on several threads
  // at a time.
  std::expected<HttpReplyIn, NoReply> ask(const std::string& endpoint,
                                          const HttpRequestOut& request,
                                          const HttpTimeouts& timeouts);

 private:
  // The request was certainly not carried out there; it may be elsewhere, or later.
  struct TryOn {
    Failure failure;
    // If the endpoint was reached: how long until asking it again makes sense.
    std::optional<Duration> pause;
  };
  using Attempt = std::variant<HttpReplyIn, Failure, TryOn>;

  static Attempt judge(const std::string& endpoint, const HttpRequestOut& request,
                       std::expected<HttpReplyIn, NoReply> answer);
  static Attempt judge_failure(const std::string& endpoint, const HttpRequestOut& request,
                               const HttpReplyIn& reply);
  void note(const std::string& text);

  const GlobalOptions& options_;
  Console& console_;
  std::mutex debug_mutex_;
};

}  // namespace anchor::cli
