#include "server/watch_request.h"

#include <string>
#include <utility>

#include "core/base/text.h"
#include "core/kv/limits.h"
#include "server/request_headers.h"

namespace anchor::server {
namespace {

ApiError bad_parameter(std::string message) {
  return {.code = "bad_parameter", .message = std::move(message)};
}

// Numbers in JSON are exact below this.
constexpr std::uint64_t kRevisionMost = (std::uint64_t{1} << 53) - 1;

class Parser {
 public:
  std::optional<ApiError> take(const QueryParameter& parameter) {
    const std::string& name = parameter.name;
    if (name == "key" || name == "prefix") return take_keys(parameter);
    if (name == "prev") return take_flag(parameter, parsed_.previous);
    if (name == "progress") return take_flag(parameter, parsed_.progress);
    if (name != "from") {
      return bad_parameter("the parameter " + in_quotes(parameter.text) + " is unknown to a watch");
    }
    const auto from = parse_number(parameter.value, 1, kRevisionMost);
    if (!from) return bad_parameter("from must be a revision: a number above 0");
    parsed_.from = kv::Revision(*from);
    return std::nullopt;
  }

  // What a client says that comes back: it has seen that one, and all before it. It counts, and not
  // `from`, which is still in the address that a browser comes back to.
  std::optional<ApiError> take_last_event_id(std::string_view text) {
    const auto seen = parse_number(text, 1, kRevisionMost - 1);
    if (!seen) {
      return ApiError{.code = "bad_request",
                      .message = "Last-Event-ID must be the id of an event: a revision"};
    }
    parsed_.from = kv::Revision(*seen).next();
    return std::nullopt;
  }

  std::expected<WatchRequest, ApiError> finish() && {
    if (named_.empty()) return std::unexpected(bad_parameter("say what to watch: key or prefix"));
    return std::move(parsed_);
  }

 private:
  std::optional<ApiError> take_keys(const QueryParameter& parameter) {
    if (!named_.empty()) return bad_parameter("a watch is for a key or for a prefix, not for both");
    named_ = parameter.name;
    parsed_.keys = {.key = parameter.value, .prefix = named_ == "prefix"};
    if (parameter.value.size() > kv::kKeyBytes) {
      return bad_parameter(named_ + " has more than 4096 bytes");
    }
    if (parsed_.keys.prefix || !parameter.value.empty()) return std::nullopt;
    return ApiError{.code = "bad_key", .message = "the key is empty"};
  }

  static std::optional<ApiError> take_flag(const QueryParameter& parameter, bool& flag) {
    flag = parameter.value == "true";
    if (flag || parameter.value == "false") return std::nullopt;
    return bad_parameter(parameter.name + " must be true or false");
  }

  WatchRequest parsed_;
  std::string named_;
};

}  // namespace

std::expected<WatchRequest, ApiError> parse_watch_request(const io::HttpRequest& request,
                                                          const HttpTarget& target) {
  if (request.version_1_0) {
    return std::unexpected(ApiError{
        .code = "bad_request", .message = "a watch has no end, and needs a client of HTTP/1.1"});
  }
  Parser parser;
  for (const QueryParameter& parameter : target.parameters) {
    if (auto error = parser.take(parameter)) return std::unexpected(*std::move(error));
  }
  const auto last_event_id = single_header(request, "Last-Event-ID");
  if (!last_event_id) return std::unexpected(last_event_id.error());
  // A browser that has seen none sends none, or an empty one.
  if (*last_event_id && !(*last_event_id)->empty()) {
    if (auto error = parser.take_last_event_id(**last_event_id)) {
      return std::unexpected(*std::move(error));
    }
  }
  return std::move(parser).finish();
}

}  // namespace anchor::server
