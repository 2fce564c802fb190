#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "io/http_message.h"

namespace anchor::server {

// The leader, as far as this node knows.
struct LeaderInfo {
  std::string id;
  std::string http_address;  // host:port
};

// How a client wants its errors: as one line, or as JSON.
enum class ErrorStyle : std::uint8_t { kLine, kJson };
// JSON, but for requests under /kv/ that do not accept it, so that curl's output reads well.
ErrorStyle error_style(const io::HttpRequest& request);

// After which a client should try again: elections take about as long.
inline constexpr std::uint64_t kRetryAfterMs = 500;

struct ApiError {
  int status = 400;
  std::string_view code{};  // static text
  std::string message{};    // one line
  // The write may or may not take place; if false, it certainly does not.
  bool outcome_unknown = false;
  std::optional<std::uint64_t> retry_after_ms{};
};

// The shapes of an error, and of the leader in it; null: unknown.
nlohmann::ordered_json error_json(const ApiError& error, const std::optional<LeaderInfo>& leader);
nlohmann::ordered_json leader_json(const std::optional<LeaderInfo>& leader);

io::HttpResponse render_error(const ApiError& error, ErrorStyle style,
                              const std::optional<LeaderInfo>& leader = std::nullopt);

// Why the node takes no requests.
ApiError overloaded();
ApiError crowded();
ApiError shutting_down();
ApiError in_no_cluster();
ApiError removed_from_cluster();
ApiError state_distrusted();

}  // namespace anchor::server
