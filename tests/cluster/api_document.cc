#include "tests/cluster/api_document.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace anchor::cluster {
namespace {

using Json = nlohmann::json;

// Those that a path may have, but for CONNECT.
constexpr std::array<const char*, 8> kMethods{"get",    "head",  "put",     "post",
                                              "delete", "patch", "options", "trace"};
// Headers of HTTP itself, which a description leaves out.
constexpr std::array<std::string_view, 6> kOfHttp{"Connection", "Content-Length",    "Content-Type",
                                                  "Date",       "Transfer-Encoding", "Accept"};

bool is_of_http(std::string_view name) {
  return std::ranges::any_of(
      kOfHttp, [&](std::string_view each) { return io::equals_ignoring_case(each, name); });
}

// Plain scalars are what JSON would take them for; quoted ones are strings.
Json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") return text;
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() || parsed.is_structured() ? Json(text) : parsed;
}

Json to_json(const YAML::Node& node) {
  if (node.IsScalar()) return scalar(node);
  if (node.IsSequence()) {
    Json list = Json::array();
    for (const auto& each : node) list.push_back(to_json(each));
    return list;
  }
  if (!node.IsMap()) return nullptr;
  Json object = Json::object();
  for (const auto& each : node) object[each.first.Scalar()] = to_json(each.second);
  return object;
}

std::string in_capitals(std::string_view text) {
  std::string capitals;
  for (const unsigned char c : text) capitals += static_cast<char>(std::toupper(c));
  return capitals;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

// The fields of each event of a stream of Server-Sent Events, but for its comments. All but the
// event's name are JSON.
Json events_in(std::string_view stream) {
  Json events = Json::array();
  Json event = Json::object();
  while (!stream.empty()) {
    const std::string_view line = stream.substr(0, stream.find('\n'));
    stream.remove_prefix(std::min(line.size() + 1, stream.size()));
    if (line.empty() && !event.empty()) events.push_back(std::exchange(event, Json::object()));
    const std::size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    const std::string_view value = line.substr(colon + 2);
    const std::string name(line.substr(0, colon));
    event[name] = name == "event" ? Json(value) : Json::parse(value, nullptr, false);
  }
  return events;
}

// The media type without its parameters.
std::string media_type(const HttpAnswer& answer) {
  const std::string type = answer.header("Content-Type");
  return type.substr(0, type.find(';'));
}

}  // namespace

bool ApiOperation::routes(std::string_view target_path) const {
  const std::string fixed = stem();
  if (fixed == path) return target_path == path;
  const std::string end = ending();
  return target_path.starts_with(fixed) && target_path.ends_with(end) &&
         target_path.size() > fixed.size() + end.size();
}

std::vector<std::string> parameters_of(std::string_view target, std::string_view header_lines) {
  std::vector<std::string> names;
  const std::size_t question = target.find('?');
  std::string_view query = question == target.npos ? "" : target.substr(question + 1);
  while (!query.empty()) {
    names.emplace_back(query.substr(0, query.find('=')));
    query.remove_prefix(std::min(query.find('&'), query.size() - 1) + 1);
  }
  while (!header_lines.empty()) {
    const auto name = header_lines.substr(0, header_lines.find(':'));
    if (!is_of_http(name)) names.emplace_back(name);
    header_lines.remove_prefix(header_lines.find('\n') + 1);
  }
  return names;
}

ApiDocument::ApiDocument(const std::string& path) : document_(to_json(YAML::LoadFile(path))) {
  for (const auto& [each, methods] : document_.at("paths").items()) {
    for (const char* method : kMethods) {
      if (methods.contains(method)) operations_.push_back(read_operation(each, method));
    }
  }
}

ApiOperation ApiDocument::read_operation(const std::string& path, const std::string& method) const {
  const Json& methods = document_.at("paths").at(path);
  ApiOperation operation{in_capitals(method), path, methods.at(method)};
  Json parameters = Json::array();
  for (const Json& owner : {methods, methods.at(method)}) {
    for (const Json& parameter : owner.value("parameters", Json::array())) {
      parameters.push_back(resolve(document_, parameter));
    }
  }
  operation.definition["parameters"] = std::move(parameters);
  return operation;
}

const ApiOperation* ApiDocument::find(std::string_view method, std::string_view target) const {
  const auto path = target.substr(0, target.find('?'));
  const auto found = std::ranges::find_if(operations_, [&](const ApiOperation& each) {
    return each.method == method && each.routes(path);
  });
  return found == operations_.end() ? nullptr : &*found;
}

Faults ApiDocument::faults_in(const ApiOperation& operation, const HttpAnswer& answer) const {
  if (!operation.has_status(answer.status)) {
    return {"the status " + std::to_string(answer.status) + " is not described"};
  }
  const Json& response =
      resolve(document_, operation.definition.at("responses").at(std::to_string(answer.status)));
  Faults faults;
  check_headers(response, answer, faults);
  check_body(response, operation.method == "HEAD", answer, faults);
  return faults;
}

void ApiDocument::check_headers(const Json& response, const HttpAnswer& answer,
                                Faults& faults) const {
  const Json described = response.value("headers", Json::object());
  for (const auto& [name, value] : answer.headers) {
    if (!is_of_http(name) && !described.contains(name)) {
      faults.push_back("the header " + name + " is not described");
    }
  }
  const JsonSchema schemas(document_);
  for (const auto& [name, node] : described.items()) {
    const Json& header = resolve(document_, node);
    const std::string value = answer.header(name);
    if (value.empty()) {
      if (header.value("required", false)) faults.push_back("the header " + name + " is missing");
      continue;
    }
    const bool number = resolve(document_, header.at("schema")).at("type") == "integer";
    const Json parsed = number && is_number(value) ? Json::parse(value) : Json(value);
    const auto more = schemas.faults_in(parsed, header.at("schema"), "the header " + name);
    faults.insert(faults.end(), more.begin(), more.end());
  }
}

void ApiDocument::check_body(const Json& response, bool head, const HttpAnswer& answer,
                             Faults& faults) const {
  const Json content = response.value("content", Json::object());
  const std::string type = media_type(answer);
  if (type.empty() && content.empty()) {
    if (!answer.body.empty()) faults.push_back("a body without a media type");
    return;
  }
  if (!content.contains(type)) {
    faults.push_back("the media type '" + type + "' is not described");
    return;
  }
  const bool streams = type == "text/event-stream";
  if (head || (!streams && type != "application/json")) return;
  const Json body = streams ? events_in(answer.body) : Json::parse(answer.body, nullptr, false);
  if (body.is_discarded()) {
    faults.push_back("the body is no JSON");
    return;
  }
  const auto more =
      JsonSchema(document_).faults_in(body, content.at(type).at("schema"), "the body");
  faults.insert(faults.end(), more.begin(), more.end());
}

Faults ApiDocument::faults_in_request(const ApiOperation& operation, std::string_view target,
                                      const HttpExtra& extra) const {
  Faults faults;
  const Json& parameters = operation.definition.at("parameters");
  for (const std::string& name : parameters_of(target, extra.header_lines)) {
    const auto named = [&](const Json& each) { return each.at("name") == name; };
    if (std::ranges::none_of(parameters, named)) faults.push_back(name + " is not described");
  }
  if (!operation.definition.contains("requestBody")) {
    if (!extra.body.empty()) faults.push_back("a body is not described");
    return faults;
  }
  const Json& content = resolve(document_, operation.definition.at("requestBody")).at("content");
  if (!content.contains("application/json") || extra.body.empty()) return faults;
  const auto more = JsonSchema(document_).faults_in(
      Json::parse(extra.body), content.at("application/json").at("schema"), "the body");
  faults.insert(faults.end(), more.begin(), more.end());
  return faults;
}

}  // namespace anchor::cluster
