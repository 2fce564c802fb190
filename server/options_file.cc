#include "server/options_file.h"

#include <toml++/toml.h>
#include <fstream>

namespace anchor::server {
namespace {

// A value as a flag's text: a string, an integer, or an array of strings (a list).
Result<std::string> toml_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const toml::node& element : *list) {
      const auto* text = element.as_string();
      if (text == nullptr) return failure("it is a list, but not of strings");
      joined += (joined.empty() ? "" : ",") + text->get();
    }
    return joined;
  }
  return failure("it is neither a string nor a whole number");
}

}  // namespace

Result<GivenOptions> read_options_file(const std::string& path,
                                       const std::function<bool(std::string_view)>& is_option) {
  if (!std::ifstream(path)) return failure("the file '" + path + "' cannot be read");
  GivenOptions given;
  try {
    const toml::table table = toml::parse_file(path);
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      if (!is_option(name)) {
        return failure(path + ": line " + std::to_string(node.source().begin.line) +
                       ": unknown key '" + name + "'");
      }
      auto text = toml_text(node);
      if (!text) return failure(path + ": " + name + ": " + text.error().message);
      given[name] = std::move(*text);
    }
  } catch (const toml::parse_error& error) {
    return failure(path + ": line " + std::to_string(error.source().begin.line) + ": " +
                   std::string(error.description()));
  }
  return given;
}

}  // namespace anchor::server
