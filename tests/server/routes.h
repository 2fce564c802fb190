#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/http_output.h"
#include "server/routes.h"

// What tests of the routes say and ask.
namespace anchor::server {

using io::HttpHeader;
using io::HttpMethod;
using io::HttpRequest;
using io::HttpResponse;
using Headers = std::vector<HttpHeader>;

inline ParsedRequest parse(HttpMethod method, std::string_view target, const Headers& headers = {},
                           std::string_view body = {}) {
  return parse_request(
      {.method = method, .target = target, .headers = headers, .body = Bytes::copy_of(body)});
}

inline KvRequest parse_kv(HttpMethod method, std::string_view target, const Headers& headers = {},
                          std::string_view body = {}) {
  return std::get<KvRequest>(parse(method, target, headers, body));
}
inline kv::Put parse_put(std::string_view target, const Headers& headers = {},
                         std::string_view body = "v") {
  return std::get<kv::Put>(
      std::get<kv::Command>(parse_kv(HttpMethod::kPut, target, headers, body).body).body);
}
inline kv::Delete parse_delete(std::string_view target, const Headers& headers = {}) {
  return std::get<kv::Delete>(
      std::get<kv::Command>(parse_kv(HttpMethod::kDelete, target, headers).body).body);
}
inline std::string key_of(std::string_view target) {
  return std::get<std::string>(std::get<Read>(parse_kv(HttpMethod::kGet, target).body).of);
}

// "400 bad_key: ..." for what is answered at once.
inline std::string refusal(HttpMethod method, std::string_view target, const Headers& headers = {},
                           std::string_view body = {}) {
  const auto parsed = parse(method, target, headers, body);
  const auto* response = std::get_if<HttpResponse>(&parsed);
  if (response == nullptr) return "accepted";
  return std::to_string(response->status) + " " + std::get<std::string>(response->body);
}

inline std::string body_of(const HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
  const auto& item = std::get<kv::ItemRef>(response.body);
  return std::string(as_text(item->value()));
}
inline bool has_line(const HttpResponse& response, std::string_view line) {
  return ("\r\n" + response.header_lines).contains("\r\n" + std::string(line) + "\r\n");
}

inline kv::ItemRef item(std::string_view key, std::string_view value) {
  return kv::Item::create(key, as_bytes(value),
                          {.create_revision = kv::Revision(2),
                           .mod_revision = kv::Revision(5),
                           .version = 3,
                           .lease = kv::LeaseId(0)});
}

inline const LeaderInfo kLeader{"n1", "10.0.0.1:8001"};

}  // namespace anchor::server
