// Requests as a connection hands them on, with a target, headers and a body of the fuzzer's choice.
// Each is either refused, with an error that says why, or is one that a replica can carry out: no
// key is too long, nothing of the path is normalised away, and what is to be written can be.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/kv/command.h"
#include "core/kv/limits.h"
#include "fuzz/decisions.h"
#include "fuzz/round_trip.h"
#include "server/routes.h"

namespace anchor::server {
namespace {

constexpr const char* kTargets[] = {"/kv/",      "/kv/?",     "/kv/a?",  "/txn",     "/session",
                                    "/session/", "/settings", "/join",   "/remove",  "/promote",
                                    "/transfer", "/members",  "/status", "/readyz?", "/",
                                    "/livez",    "/health?"};
constexpr const char* kHeaders[] = {"Anchor-Session", "Anchor-Sequence", "If-Match",
                                    "If-None-Match",  "X-Consistency",   "Accept",
                                    "Content-Type"};

// A string of up to 255 bytes of the input.
std::string any_text(fuzz::Decisions& decisions) {
  std::string text;
  for (std::uint64_t left = decisions.below(256); left > 0 && decisions.any_left(); --left) {
    text.push_back(static_cast<char>(decisions.below(256)));
  }
  return text;
}

// As much of it as stands on a request's first line.
std::string visible(std::string text) {
  std::erase_if(text, [](char c) { return c <= ' ' || c == '\x7f'; });
  return text;
}

void check_refusal(const io::HttpResponse& response, std::string_view target) {
  ANCHOR_ASSERT(response.status >= 400 && response.status < 500);
  const auto* text = std::get_if<std::string>(&response.body);
  ANCHOR_ASSERT(text != nullptr && !text->empty());
  ANCHOR_ASSERT(response.header_lines.contains("Content-Type: "));
  const std::string_view path = target.substr(0, target.find('?'));
  const bool administers =
      path == "/join" || path == "/remove" || path == "/promote" || path == "/transfer";
  ANCHOR_ASSERT(text->starts_with(R"({"success":false)") == administers);
}

void check_key(const std::string& key, std::string_view target) {
  ANCHOR_ASSERT(kv::valid_key(key));
  const std::string_view path = target.substr(0, target.find('?'));
  // Without an escape what the path names is the key, byte for byte.
  if (!path.contains('%')) ANCHOR_ASSERT("/kv/" + key == path);
}

void check_accepted(const KvRequest& request, std::string_view target) {
  if (const auto* read = std::get_if<Read>(&request.body)) {
    if (const auto* key = std::get_if<std::string>(&read->of)) check_key(*key, target);
    return;
  }
  const auto& command = std::get<kv::Command>(request.body);
  const Bytes encoded = kv::encode_command(command);
  ANCHOR_ASSERT(encoded.size() <= raft::kCommandBytesMost);
  const auto decoded = kv::decode_command(encoded);
  ANCHOR_ASSERT(decoded && *decoded == command);
  if (const auto* put = std::get_if<kv::Put>(&command.body)) {
    check_key(put->key, target);
    ANCHOR_ASSERT(put->value.size() <= kv::kValueBytes);
  } else if (const auto* erase = std::get_if<kv::Delete>(&command.body)) {
    check_key(erase->key, target);
  } else if (const auto* transaction = std::get_if<kv::Transaction>(&command.body)) {
    ANCHOR_ASSERT(kv::fault_in(*transaction).empty());
  }
  // Leaders propose the rest.
  ANCHOR_ASSERT(!std::holds_alternative<kv::ExpireSessions>(command.body) &&
                !std::holds_alternative<kv::CheckDigest>(command.body) &&
                !std::holds_alternative<kv::JudgeDigest>(command.body));
}

void route(fuzz::Decisions decisions) {
  const auto method = static_cast<io::HttpMethod>(
      decisions.below(static_cast<std::uint64_t>(io::HttpMethod::kOther) + 1));
  const std::string target =
      kTargets[decisions.below(std::size(kTargets))] + visible(any_text(decisions));
  std::vector<std::string> values;
  std::vector<io::HttpHeader> headers;
  values.reserve(4);
  for (std::uint64_t left = decisions.below(5); left > 0; --left) {
    const char* name = kHeaders[decisions.below(std::size(kHeaders))];
    values.push_back(decisions.coin() ? "application/json" : any_text(decisions));
    headers.push_back({.name = name, .value = values.back()});
  }
  std::string body;
  while (decisions.any_left()) body.push_back(static_cast<char>(decisions.below(256)));
  const ParsedRequest parsed = parse_request(
      {.method = method, .target = target, .headers = headers, .body = Bytes::copy_of(body)});
  if (const auto* refused = std::get_if<io::HttpResponse>(&parsed)) {
    check_refusal(*refused, target);
  } else if (const auto* request = std::get_if<KvRequest>(&parsed)) {
    check_accepted(*request, target);
  }
}

}  // namespace
}  // namespace anchor::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  anchor::server::route(anchor::fuzz::Decisions(anchor::fuzz::as_view(data, size)));
  return 0;
}
