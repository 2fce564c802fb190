#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/client.h"
#include "cli/verbs.h"
#include "core/base/text.h"
#include "io/json_bytes.h"
#include "io/percent_encoding.h"

namespace anchor::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string target_of(const std::string& key) {
  return "/kv/" + io::percent_encoded(key);
}

Failure foreign_reply(std::string_view what) {
  return {ExitCode::kFailed, "the reply has no sound " + std::string(what),
          "is the endpoint a node's HTTP address?"};
}

std::expected<std::uint64_t, Failure> number_header(const HttpReplyIn& reply,
                                                    std::string_view name) {
  auto text = reply.header(name);
  // An entity tag is a revision in quotes.
  if (text && text->size() > 2 && text->starts_with('"') && text->ends_with('"')) {
    text = text->substr(1, text->size() - 2);
  }
  const auto number = text ? parse_number(*text) : std::nullopt;
  if (!number) return std::unexpected(foreign_reply(name));
  return *number;
}

// The key-value of the HTTP API, out of a plain read's headers and body.
std::expected<Json, Failure> key_value(const std::string& key, const HttpReplyIn& reply) {
  Json json;
  io::put_bytes(json, "key", "key_encoding", key);
  io::put_bytes(json, "value", "encoding", reply.body);
  for (const auto& [name, header] :
       {std::pair("create_revision", "Anchor-Create-Revision"), std::pair("mod_revision", "ETag"),
        std::pair("version", "Anchor-Version"), std::pair("lease", "Anchor-Lease")}) {
    const auto number = number_header(reply, header);
    if (!number) return std::unexpected(number.error());
    json[name] = *number;
  }
  // Only of a stale read.
  if (!reply.header("Anchor-Age-Ms")) return json;
  const auto age = number_header(reply, "Anchor-Age-Ms");
  if (!age) return std::unexpected(age.error());
  json["age_ms"] = *age;
  return json;
}

// The value of a key-value's JSON; none if there is no key-value.
std::expected<std::optional<std::string>, Failure> previous_value(const Json& answer) {
  const auto previous = answer.find("prev");
  if (previous == answer.end()) return std::unexpected(foreign_reply("prev"));
  if (previous->is_null()) return std::nullopt;
  const auto value = previous->find("value");
  if (value == previous->end() || !value->is_string()) {
    return std::unexpected(foreign_reply("prev"));
  }
  if (!previous->contains("encoding")) return value->get<std::string>();
  auto decoded = base64_decoded(value->get<std::string>());
  if (!decoded) return std::unexpected(foreign_reply("prev"));
  return *std::move(decoded);
}

void add_condition(const WriteCondition& condition, HttpRequestOut& request) {
  if (condition.if_absent) request.headers.emplace_back("If-None-Match: *");
  if (condition.if_revision) {
    request.headers.push_back("If-Match: \"" + std::to_string(*condition.if_revision) + '"');
  }
}

// What a write that was applied prints. `fields` are what it answers in JSON besides the revision.
std::optional<Failure> print_write(const GlobalOptions& global, const HttpReplyIn& reply,
                                   bool with_previous, const Json& fields, Console& console) {
  const auto revision = number_header(reply, "Anchor-Revision");
  if (!revision) return revision.error();
  Json json{{"revision", *revision}};
  json.update(fields);
  std::optional<std::string> previous;
  if (with_previous) {
    const Json answer = Json::parse(reply.body, nullptr, /*allow_exceptions=*/false);
    auto value = previous_value(answer.is_object() ? answer : Json::object());
    if (!value) return value.error();
    previous = *std::move(value);
    json["prev"] = answer["prev"];
  }
  if (global.format == OutputFormat::kJson) {
    print_json(json, console);
  } else if (global.format == OutputFormat::kRaw && with_previous) {
    console.out << previous.value_or("");
  } else {
    console.out << *revision << "\n";
    if (previous) console.out << *previous << "\n";
  }
  return std::nullopt;
}

std::string read_all(std::istream& stream) {
  std::string bytes;
  std::array<char, 64 << 10> chunk{};
  do {
    stream.read(chunk.data(), chunk.size());
    bytes.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
  } while (stream);
  return bytes;
}

std::expected<std::string, Failure> value_of(const PutCommand& command, Console& console) {
  if (command.value && command.value != "-") return *command.value;
  if (command.file && command.file != "-") {
    std::ifstream file(*command.file, std::ios::binary);
    auto value = read_all(file);
    // A directory opens, and fails to be read.
    if (!file.is_open() || file.bad()) {
      return std::unexpected(
          Failure{ExitCode::kLocalFile, "cannot read the file '" + *command.file + "'"});
    }
    return value;
  }
  if (!command.value && !command.file && console.in_is_terminal) {
    return std::unexpected(Failure{ExitCode::kUsage, "put: the value is missing",
                                   "give it after the key, by --file, or - to type it"});
  }
  return read_all(console.in);
}

}  // namespace

ExitCode run_get(const GlobalOptions& global, const GetCommand& command, Console& console) {
  Client client(global, console);
  std::string target = target_of(command.key) + "?consistency=" + command.consistency;
  if (command.max_staleness) target += "&max_staleness=" + *command.max_staleness;
  if (command.min_revision) target += "&min_revision=" + std::to_string(*command.min_revision);
  const auto reply = client.send({.target = std::move(target)});
  if (!reply) return report(reply.error(), console, global.quiet);
  switch (global.format) {
    case OutputFormat::kTable:
      console.out << reply->body << "\n";
      break;
    case OutputFormat::kRaw:
      console.out << reply->body;
      break;
    case OutputFormat::kJson: {
      const auto json = key_value(command.key, *reply);
      if (!json) return report(json.error(), console, global.quiet);
      print_json(*json, console);
    }
  }
  return ExitCode::kOk;
}

ExitCode run_put(const GlobalOptions& global, const PutCommand& command, Console& console) {
  const auto value = value_of(command, console);
  if (!value) return report(value.error(), console, global.quiet);
  HttpRequestOut request{.method = io::HttpMethod::kPut,
                         .target = target_of(command.key) + (command.previous ? "?prev=true" : ""),
                         .body = as_bytes(*value)};
  add_condition(command.condition, request);
  Client client(global, console);
  const auto reply = client.send(std::move(request));
  if (!reply) return report(reply.error(), console, global.quiet);
  const auto failed = print_write(global, *reply, command.previous, Json::object(), console);
  return failed ? report(*failed, console, global.quiet) : ExitCode::kOk;
}

ExitCode run_delete(const GlobalOptions& global, const DeleteCommand& command, Console& console) {
  HttpRequestOut request{.method = io::HttpMethod::kDelete,
                         .target = target_of(command.key) + (command.previous ? "?prev=true" : "")};
  add_condition(command.condition, request);
  Client client(global, console);
  const auto reply = client.send(std::move(request));
  if (!reply) return report(reply.error(), console, global.quiet);
  const auto deleted = number_header(*reply, "Anchor-Deleted");
  if (!deleted) return report(deleted.error(), console, global.quiet);
  if (*deleted == 0) {
    return report({ExitCode::kNotFound, "there is no such key"}, console, global.quiet);
  }
  const auto failed =
      print_write(global, *reply, command.previous, {{"deleted", *deleted}}, console);
  return failed ? report(*failed, console, global.quiet) : ExitCode::kOk;
}

}  // namespace anchor::cli
