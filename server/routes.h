#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/kv/command.h"
#include "core/replica.h"
#include "io/http_message.h"
#include "server/http_error.h"
#include "server/range_answer.h"
#include "server/watch_request.h"

namespace anchor::server {

// The tags of an If-None-Match: which states of the key the client has already.
struct KnownTags {
  bool any = false;  // "*"
  std::vector<kv::Revision> revisions{};
};

// What is to be remembered of a request until its answer is rendered.
struct KvAnswer {
  enum class Kind : std::uint8_t { kPut, kDelete, kRead };
  Kind kind = Kind::kRead;
  bool want_previous = false;
  bool large = false;  // it may be, and is made as a whole
  ErrorStyle error_style = ErrorStyle::kLine;
  KnownTags known{};
  kv::LeaseId lease{};  // that was asked of
  PageOptions page{};
};

// A request for the replica.
struct KvRequest {
  std::variant<kv::Command, Read, kv::LeaseQuery, AcquireLock, ReleaseLock> body;
  KvAnswer answer;
  // The client would rather ask the leader itself, under this target, if this node is not the one.
  std::optional<std::string> redirect_target{};
};

struct StatusRequest {};
struct MembersRequest {};
struct SettingsRequest {};

struct HealthRequest {
  enum class Kind : std::uint8_t { kLive, kReady };
  Kind kind = Kind::kReady;
  std::vector<std::string> excluded{};
};

// The last alternative is the answer to a request that asks for nothing that there is.
using ParsedRequest = std::variant<KvRequest, WatchRequest, raft::AdminRequest, MembersRequest,
                                   StatusRequest, SettingsRequest, HealthRequest, io::HttpResponse>;

// Pure translation, from HTTP to what the replica and the node understand ...
ParsedRequest parse_request(const io::HttpRequest& request);
// The answer to what is no request, of which `partial` was understood, or nothing (null).
io::HttpResponse render_refusal(const io::HttpRefusal& refusal, const io::HttpRequest* partial);

// ... and back.
io::HttpResponse render(const Outcome& outcome, const KvAnswer& answer,
                        const std::optional<LeaderInfo>& leader);
io::HttpResponse render_settings(const kv::Settings& settings);
// The answer to a request with a redirect_target, on a node that is not the leader.
io::HttpResponse render_redirect(const KvRequest& request, const std::optional<LeaderInfo>& leader);

}  // namespace anchor::server
