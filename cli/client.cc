#include "cli/client.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>

namespace anchor::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Duration kPauseBetweenRounds = 200ms;
constexpr Duration kLongestPause = 1s;

constexpr const char* kUnknownHint =
    "the write may be applied, or not; read the key to see, and repeat it with --if-rev or "
    "--if-absent";

constexpr const char* kReachHint =
    "is a node running there? --endpoints or ANCHOR_ENDPOINTS says where to ask";

// What the server says about a request that failed. Fields that are missing stay empty.
struct ServerError {
  std::string message{};
  std::string code{};
  std::string outcome{};
  std::optional<Duration> retry_after{};
};

ServerError parse_error(const HttpReplyIn& reply) {
  ServerError error{.message = "status " + std::to_string(reply.status)};
  const auto json = nlohmann::json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return error;
  const auto text = [&](const char* name, std::string& target) {
    const auto found = json.find(name);
    if (found != json.end() && found->is_string()) target = found->get<std::string>();
  };
  text("error", error.message);
  text("code", error.code);
  text("outcome", error.outcome);
  const auto retry = json.find("retry_after_ms");
  if (retry != json.end() && retry->is_number_unsigned()) {
    const auto most = static_cast<std::uint64_t>(kLongestPause / 1ms);
    error.retry_after = std::chrono::milliseconds(std::min(retry->get<std::uint64_t>(), most));
  }
  return error;
}

// What to do about a refusal; empty: its message says it all.
std::string hint_for(std::string_view code) {
  if (code == "change_in_progress") {
    return "'anchorctl member list' shows what is under way; ask again when it is done";
  }
  if (code == "quorum_at_risk") {
    return "bring up those that are down first; --force goes on all the same, and may stop all "
           "writes";
  }
  return {};
}

Failure unknown_outcome(const std::string& endpoint, const std::string& cause) {
  return {ExitCode::kUnknown, endpoint + ": outcome unknown: " + cause, kUnknownHint};
}

Duration time_until(Clock::time_point deadline) {
  return std::chrono::duration_cast<Duration>(deadline - Clock::now());
}

}  // namespace

std::expected<HttpReplyIn, NoReply> Client::ask(const std::string& endpoint,
                                                const HttpRequestOut& request,
                                                const HttpTimeouts& timeouts) {
  const auto began = Clock::now();
  auto answer = exchange(endpoint, request, timeouts);
  if (options_.debug) {
    const auto took = std::chrono::duration_cast<Duration>(Clock::now() - began);
    const std::lock_guard lock(debug_mutex_);
    console_.error << "debug: " << io::method_name(request.method) << " http://" << endpoint
                   << request.target << ": "
                   << (answer ? std::to_string(answer->status) : answer.error().cause) << ", "
                   << took.count() << " us\n";
  }
  return answer;
}

std::expected<HttpReplyIn, Failure> Client::send(HttpRequestOut request) {
  request.headers.emplace_back("Accept: application/json");  // for errors; values are sent as such
  const auto deadline = Clock::now() + options_.timeout;
  std::string unreached;
  // What a node says counts more than that others, or itself later, were not reached.
  std::optional<Failure> refused;
  while (true) {
    std::optional<Duration> pause;
    std::size_t left = options_.endpoints.size();
    for (const std::string& endpoint : options_.endpoints) {
      const Duration time = std::max(time_until(deadline), Duration(1));
      // A node that is silent must not use up the time of those after it; but a write that was
      // sent has nothing after it.
      const Duration share = time / static_cast<Duration::rep>(left--);
      Attempt attempt = judge(endpoint, request,
                              ask(endpoint, request, {share, request.writes() ? time : share}));
      if (auto* reply = std::get_if<HttpReplyIn>(&attempt)) return std::move(*reply);
      if (auto* failure = std::get_if<Failure>(&attempt)) {
        return std::unexpected(std::move(*failure));
      }
      auto& try_on = std::get<TryOn>(attempt);
      if (left > 0) note(try_on.failure.cause + "; trying the next endpoint");
      if (try_on.pause) {
        pause = std::max(pause.value_or(0us), *try_on.pause);
        refused = std::move(try_on.failure);
      } else {
        unreached.append(unreached.empty() ? "" : "; ").append(try_on.failure.cause);
      }
    }
    if (!refused) return std::unexpected(Failure{ExitCode::kUnreachable, unreached, kReachHint});
    // A write that is sent when the time is nearly over would turn a certain failure into an
    // unknown outcome.
    if (!pause || *pause + options_.timeout / 4 > time_until(deadline)) {
      return std::unexpected(std::move(*refused));
    }
    note(refused->cause + "; trying again");
    std::this_thread::sleep_for(*pause);
  }
}

Client::Attempt Client::judge(const std::string& endpoint, const HttpRequestOut& request,
                              std::expected<HttpReplyIn, NoReply> answer) {
  if (!answer) {
    const NoReply& none = answer.error();
    if (request.writes() && none.maybe_sent) return unknown_outcome(endpoint, none.cause);
    return TryOn{{ExitCode::kUnreachable, endpoint + ": " + none.cause, kReachHint}, std::nullopt};
  }
  if (answer->status / 100 == 2) return std::move(*answer);
  return judge_failure(endpoint, request, *answer);
}

Client::Attempt Client::judge_failure(const std::string& endpoint, const HttpRequestOut& request,
                                      const HttpReplyIn& reply) {
  const ServerError error = parse_error(reply);
  const std::string cause = endpoint + ": " + error.message;
  // A failure that does not promise that nothing happened may come from anything in between.
  if (request.writes() && reply.status / 100 == 5 && error.outcome != "not_applied") {
    return unknown_outcome(endpoint, error.message);
  }
  switch (reply.status) {
    case 404:
      return Failure{ExitCode::kNotFound, cause};
    case 412:
      return Failure{ExitCode::kConditionFailed, cause,
                     "'anchorctl get KEY -o json' shows the key as it is"};
    case 503: {
      const bool overloaded = error.code == "overloaded";
      return TryOn{{overloaded ? ExitCode::kFailed : ExitCode::kNoLeader, cause,
                    overloaded ? "ask less at a time, or later"
                               : "'anchorctl status' shows the nodes; a majority must be up"},
                   error.retry_after.value_or(kPauseBetweenRounds)};
    }
    default:
      return Failure{ExitCode::kFailed, cause, hint_for(error.code)};
  }
}

void Client::note(const std::string& text) {
  if (!options_.quiet) console_.error << "note: " << printable(text) << "\n";
}

}  // namespace anchor::cli
