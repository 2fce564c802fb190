#include "tests/cluster/json_schema.h"

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace anchor::cluster {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 16> kKeywords{"additionalProperties",
                                                     "const",
                                                     "default",
                                                     "description",
                                                     "enum",
                                                     "examples",
                                                     "items",
                                                     "maximum",
                                                     "minimum",
                                                     "oneOf",
                                                     "$ref",
                                                     "pattern",
                                                     "properties",
                                                     "required",
                                                     "type",
                                                     "anyOf"};

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

// A keyword whose value is one type or a list of them.
std::vector<std::string> types_of(const Json& type) {
  if (type.is_string()) return {type.get<std::string>()};
  return type.get<std::vector<std::string>>();
}

void check_value(const Json& value, const Json& schema, const std::string& name, Faults& faults) {
  if (schema.contains("const") && value != schema.at("const")) {
    faults.push_back(name + " is not " + schema.at("const").dump());
  }
  if (schema.contains("enum")) {
    const Json& allowed = schema.at("enum");
    if (std::ranges::find(allowed, value) == allowed.end()) {
      faults.push_back(name + " is none of " + allowed.dump());
    }
  }
  if (value.is_string() && schema.contains("pattern") &&
      !std::regex_search(value.get<std::string>(), std::regex(schema.at("pattern")))) {
    faults.push_back(name + " does not fit its pattern");
  }
  if (!value.is_number()) return;
  const bool low = schema.contains("minimum") && value < schema.at("minimum");
  const bool high = schema.contains("maximum") && value > schema.at("maximum");
  if (low || high) faults.push_back(name + " is out of its bounds");
}

}  // namespace

const Json& resolve(const Json& document, const Json& node) {
  const Json* at = &node;
  while (at->is_object() && at->contains("$ref")) {
    const std::string reference = at->at("$ref");
    at = &document.at(Json::json_pointer(reference.substr(1)));
  }
  return *at;
}

Faults JsonSchema::faults_in(const Json& value, const Json& schema, const std::string& name) const {
  const Json& resolved = resolve(document_, schema);
  Faults faults;
  for (const auto& [keyword, unused] : resolved.items()) {
    if (std::ranges::find(kKeywords, keyword) != kKeywords.end()) continue;
    faults.push_back("the schema of " + name + " has " + keyword + ", which is not checked");
  }
  check_type(value, resolved, name, faults);
  check_value(value, resolved, name, faults);
  check_alternatives(value, resolved, name, faults);
  if (value.is_object()) check_properties(value, resolved, name, faults);
  if (!value.is_array() || !resolved.contains("items")) return faults;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto more =
        faults_in(value[i], resolved.at("items"), name + "[" + std::to_string(i) + "]");
    faults.insert(faults.end(), more.begin(), more.end());
  }
  return faults;
}

void JsonSchema::check_type(const Json& value, const Json& schema, const std::string& name,
                            Faults& faults) const {
  if (!schema.contains("type")) return;
  const auto types = types_of(schema.at("type"));
  if (std::ranges::any_of(types, [&](const auto& type) { return has_type(value, type); })) return;
  faults.push_back(name + " is no " + schema.at("type").dump());
}

void JsonSchema::check_alternatives(const Json& value, const Json& schema, const std::string& name,
                                    Faults& faults) const {
  for (const char* keyword : {"oneOf", "anyOf"}) {
    if (!schema.contains(keyword)) continue;
    std::size_t count = 0;
    std::string reasons;
    for (const Json& alternative : schema.at(keyword)) {
      const auto against = faults_in(value, alternative, name);
      if (against.empty()) ++count;
      if (!against.empty()) reasons += "; " + against.front();
    }
    if (count == 1 || (count > 1 && keyword == std::string_view("anyOf"))) continue;
    faults.push_back(name + " is " + std::to_string(count) + " of its alternatives" + reasons);
  }
}

void JsonSchema::check_properties(const Json& value, const Json& schema, const std::string& name,
                                  Faults& faults) const {
  // Whichever alternative it is, that closes it.
  if (schema.contains("oneOf") || schema.contains("anyOf")) return;
  for (const Json& required : schema.value("required", Json::array())) {
    if (!value.contains(required)) {
      faults.push_back(name + " lacks " + required.get<std::string>());
    }
  }
  const Json properties = schema.value("properties", Json::object());
  const Json others = schema.value("additionalProperties", Json(false));
  for (const auto& [property, held] : value.items()) {
    const std::string inner = name + "." + property;
    const Json& described = properties.contains(property) ? properties.at(property) : others;
    if (described.is_boolean()) {
      if (!described.get<bool>()) faults.push_back(inner + " is not described");
      continue;
    }
    const auto more = faults_in(held, described, inner);
    faults.insert(faults.end(), more.begin(), more.end());
  }
}

}  // namespace anchor::cluster
