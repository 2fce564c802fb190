#include "tests/chaos/requests.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace anchor::chaos {
namespace {

using Json = nlohmann::json;
using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

std::string name_of(std::uint32_t key) {
  return "k" + std::to_string(key);
}

bool reads(const Operation& operation) {
  return operation.kind == Kind::kRead || operation.kind == Kind::kStaleRead;
}

// An entity tag is the key's revision in quotation marks.
Revision tag_of(const cluster::HttpAnswer& answer) {
  const std::string tag = answer.header("ETag");
  return tag.size() < 2 ? 0 : number_in(std::string_view(tag).substr(1));
}

std::string options_of(const Request& request) {
  const Operation& first = request.parts.front();
  if (first.kind == Kind::kStaleRead) return "consistency=stale";
  return first.kind == Kind::kRead && request.by_lease ? "consistency=lease" : "";
}

// --- To a server --------------------------------------------------------------------------------

Sent key_request(const Request& request) {
  const Operation& operation = request.parts.front();
  Sent sent{.target = "/kv/" + name_of(operation.key)};
  std::string options = options_of(request);
  if (operation.condition) options = "cas=" + std::to_string(*operation.condition);
  if (!options.empty()) sent.target += "?" + options;
  if (reads(operation)) {
    sent.method = io::HttpMethod::kGet;
  } else if (operation.kind == Kind::kDelete) {
    sent.method = io::HttpMethod::kDelete;
  } else {
    sent.method = io::HttpMethod::kPut;
    sent.body = std::to_string(operation.value);
  }
  return sent;
}

// If a condition fails it is told what each key was instead.
Sent transaction_request(const Request& request) {
  Json json{{"compare", Json::array()}, {"success", Json::array()}, {"failure", Json::array()}};
  for (const Operation& operation : request.parts) {
    const std::string key = name_of(operation.key);
    if (operation.condition) {
      json["compare"].push_back(
          {{"key", key}, {"target", "mod_revision"}, {"op", "="}, {"value", *operation.condition}});
    }
    if (operation.kind == Kind::kPut) {
      json["success"].push_back(
          {{"op", "put"}, {"key", key}, {"value", std::to_string(operation.value)}});
    } else {
      json["success"].push_back({{"op", "delete"}, {"key", key}});
    }
    json["failure"].push_back({{"op", "get"}, {"key", key}});
  }
  return {io::HttpMethod::kPost, "/txn", json.dump()};
}

// --- From a server ------------------------------------------------------------------------------

void take_key(const cluster::HttpAnswer& answer, Operation& operation) {
  operation.revision = number_in(answer.header("Anchor-Revision"));
  if (answer.status == 412) {
    operation.outcome = Outcome::kConditionFailed;
    operation.key_revision = tag_of(answer);
    return;
  }
  const bool absent = answer.status == 404 && reads(operation);
  if (answer.status != 200 && !absent) return;
  operation.outcome = Outcome::kDone;
  if (reads(operation)) {
    operation.value = absent ? 0 : number_in(answer.body);
    operation.key_revision = absent ? 0 : tag_of(answer);
  } else {
    operation.effective = operation.kind == Kind::kPut || answer.header("Anchor-Deleted") == "1";
    operation.key_revision = operation.kind == Kind::kPut ? operation.revision : 0;
  }
}

void saw(const Json& key_value, Operation& operation) {
  operation.value = number_in(key_value.at("value").get<std::string>());
  operation.key_revision = key_value.at("mod_revision");
}

void take_result(const Json& result, bool succeeded, Operation& operation) {
  operation.outcome = succeeded ? Outcome::kDone : Outcome::kConditionFailed;
  if (!succeeded) {
    const auto& found = result.at("kvs");
    operation.key_revision = 0;
    if (found.empty()) return;
    // What a put that did not happen would have written stays its own.
    const std::uint64_t value = operation.value;
    saw(found.front(), operation);
    if (operation.kind == Kind::kPut) operation.value = value;
  } else if (operation.kind == Kind::kPut) {
    operation.effective = true;
    operation.key_revision = operation.revision;
  } else {
    operation.effective = result.at("deleted") == 1;
  }
}

void take_transaction(const Json& json, Request& request) {
  for (std::size_t i = 0; i < request.parts.size(); ++i) {
    request.parts[i].revision = json.at("revision");
    take_result(json.at("results").at(i), json.at("succeeded"), request.parts[i]);
  }
}

void take_list(const Json& json, Request& request) {
  for (Operation& part : request.parts) {
    part.outcome = Outcome::kDone;
    part.revision = json.at("revision");
    for (const Json& key_value : json.at("kvs")) {
      if (key_value.at("key") == name_of(part.key)) saw(key_value, part);
    }
  }
}

}  // namespace

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool Request::writes() const {
  return !reads(parts.front());
}

Sent to_http(const Request& request) {
  switch (request.form) {
    case Request::Form::kKey:
      return key_request(request);
    case Request::Form::kTransaction:
      return transaction_request(request);
    case Request::Form::kList:
      break;
  }
  const std::string options = options_of(request);
  return {io::HttpMethod::kGet, "/kv/?prefix=k" + (options.empty() ? "" : "&" + options), ""};
}

void take(const cluster::HttpAnswer& answer, Request& request) {
  const std::string age = answer.header("Anchor-Age-Ms");
  for (Operation& part : request.parts) {
    if (!age.empty()) part.age = std::chrono::milliseconds(number_in(age));
    if (answer.status == 503) part.outcome = Outcome::kRefused;
  }
  if (request.form == Request::Form::kKey) return take_key(answer, request.parts.front());
  if (answer.status != 200) return;
  const Json json = Json::parse(answer.body);
  if (request.form == Request::Form::kTransaction) {
    take_transaction(json, request);
  } else {
    take_list(json, request);
  }
}

}  // namespace anchor::chaos
