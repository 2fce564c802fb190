#include "server/kv_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"
#include "core/kv/limits.h"
#include "io/percent_encoding.h"
#include "server/lease_request.h"
#include "server/range_request.h"
#include "server/request_headers.h"

namespace anchor::server {
namespace {

using io::HttpMethod;

// Numbers in JSON are exact below this.
constexpr std::uint64_t kRevisionBound = std::uint64_t{1} << 53;

struct NamedConsistency {
  std::string_view name;
  Consistency consistency;
};
constexpr auto kConsistencies = std::to_array<NamedConsistency>({
    {"linearizable", Consistency::kLinearizable},
    {"lease", Consistency::kLease},
    {"stale", Consistency::kStale},
});

ApiError bad_request(std::string message) {
  return {.code = "bad_request", .message = std::move(message)};
}
ApiError bad_parameter(std::string message) {
  return {.code = "bad_parameter", .message = std::move(message)};
}
ApiError bad_key(std::string message) {
  return {.code = "bad_key", .message = std::move(message)};
}

bool is_read(HttpMethod method) {
  return method == HttpMethod::kGet || method == HttpMethod::kHead;
}

std::optional<kv::Revision> parse_revision(std::string_view text) {
  const auto revision = parse_number(text);
  if (!revision || *revision >= kRevisionBound) return std::nullopt;
  return kv::Revision(*revision);
}

// "5" with its quotes: the tag of the key's state at revision 5 (RFC 9110, 8.8.3).
std::optional<kv::Revision> parse_entity_tag(std::string_view text) {
  if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return std::nullopt;
  return parse_revision(text.substr(1, text.size() - 2));
}

// A list of tags, or "*". Weak tags count: what matters for a read is that the value is the same
// (RFC 9110, 13.1.2). A tag that is no revision is none of this key's.
KnownTags parse_known_tags(std::string_view list) {
  KnownTags known;
  if (list == "*") known.any = true;
  while (!list.empty()) {
    const std::size_t size = std::min(list.find(','), list.size());
    std::string_view tag = list.substr(0, size);
    tag.remove_prefix(std::min(tag.find_first_not_of(" \t"), tag.size()));
    tag = io::without_trailing_space(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (const auto revision = parse_entity_tag(tag)) known.revisions.push_back(*revision);
    list.remove_prefix(std::min(size + 1, list.size()));
  }
  return known;
}

// A request while it is being understood; errors stop it.
class Parser {
 public:
  Parser(const io::HttpRequest& request, const HttpTarget& target)
      : request_(request), target_(target), read_(is_read(request.method)) {}

  std::expected<KvRequest, ApiError> parse() {
    for (const auto take :
         {&Parser::take_key, &Parser::take_parameters, &Parser::take_headers, &Parser::take_body}) {
      if (auto error = (this->*take)()) return std::unexpected(std::move(*error));
    }
    return finish();
  }

 private:
  using Check = std::optional<ApiError>;

  // All that follows "/kv/", decoded once: "/kv/../a" is the key "../a".
  Check take_key() {
    const std::string_view text = target_.path.substr(std::string_view("/kv/").size());
    auto key = io::percent_decoded(text);
    if (!key) return bad_key("the key has a bad percent-encoding");
    if (key->size() > kv::kKeyBytes) return bad_key("a key has at most 4096 bytes");
    key_ = std::move(*key);
    return std::nullopt;
  }

  Check take_parameters() {
    for (const QueryParameter& parameter : target_.parameters) {
      if (auto error = take_parameter(parameter)) return error;
    }
    if (auto error = range_.error()) return error;
    return key_.empty() ? check_range() : check_key();
  }

  // "/kv/" itself: all keys that the parameters name.
  Check check_range() const {
    if (request_.method == HttpMethod::kPut || request_.method == HttpMethod::kPost) {
      return bad_key("the key is empty");
    }
    if (!read_ && !range_.bounded()) {
      return bad_key(
          "the key is empty; to delete many keys, say which: ?prefix=, or start and end");
    }
    if (!read_ && !range_.page_parameter().empty()) {
      return bad_parameter(range_.page_parameter() +
                           " is for lists: a delete takes all keys that it names");
    }
    if (read_ && !range_.any()) {
      return bad_key("the key is empty; to list keys, say which: ?prefix=, or start and end");
    }
    if (!read_ && answer_.want_previous) return bad_parameter("prev is for one key");
    if (!std::holds_alternative<kv::Always>(condition_)) return bad_parameter("cas is for one key");
    return std::nullopt;
  }

  Check check_key() const {
    if (range_parameter_.empty()) return std::nullopt;
    return bad_parameter(range_parameter_ + " is for many keys, under /kv/; the path names one");
  }

  Check take_parameter(const QueryParameter& parameter) {
    const std::string& name = parameter.name;
    if (name == "redirect") return take_bool(parameter, redirect_);
    if (read_ || request_.method == HttpMethod::kDelete) {
      if (range_.take(parameter)) {
        range_parameter_ = name;
        return std::nullopt;
      }
    }
    if (name == "revision" && read_) {
      at_revision_ = parse_revision(parameter.value);
      if (at_revision_ && *at_revision_ != kv::Revision()) return std::nullopt;
      return bad_parameter("revision must be a revision: a number above 0");
    }
    if (name == "prev" && !read_) return take_bool(parameter, answer_.want_previous);
    if (name == "consistency" && read_) return take_consistency(parameter.value, name);
    if (name == "max_staleness" && read_) {
      const auto longest = parse_duration(parameter.value);
      if (!longest) return bad_parameter("max_staleness must be a duration such as 500ms or 5s");
      max_staleness_ = *longest;
      return std::nullopt;
    }
    if (name == "min_revision" && read_) {
      const auto revision = parse_revision(parameter.value);
      if (!revision) return bad_parameter("min_revision must be a revision");
      min_revision_ = *revision;
      return std::nullopt;
    }
    if (name == "cas" && !read_) {
      const auto revision = parse_revision(parameter.value);
      if (!revision) return bad_parameter("cas must be a revision, or 0 for a key to be created");
      return add_condition(*revision == kv::Revision(0)
                               ? kv::Condition(kv::IfAbsent{})
                               : kv::Condition(kv::IfModRevision{*revision}));
    }
    const bool puts = request_.method == HttpMethod::kPut || request_.method == HttpMethod::kPost;
    if ((name == "lease" || name == "ttl") && puts) return take_lease(parameter);
    return bad_parameter("the parameter " + in_quotes(parameter.text) + " is unknown to " +
                         std::string(io::method_name(request_.method)));
  }

  // Of one that there is, or of one that is granted for this key.
  Check take_lease(const QueryParameter& parameter) {
    if (lease_ != kv::LeaseId() || ttl_ != Duration()) {
      return bad_parameter("a key has one lease: lease or ttl, not both");
    }
    if (parameter.name == "ttl") {
      const auto ttl = parse_ttl(parameter.value);
      if (!ttl) return bad_parameter("ttl " + ttl.error().message);
      ttl_ = *ttl;
      return std::nullopt;
    }
    const auto id = parse_lease_id(parameter.value);
    if (!id) return bad_parameter("lease must be a lease's id");
    lease_ = *id;
    return std::nullopt;
  }

  static Check take_bool(const QueryParameter& parameter, bool& value) {
    value = parameter.value == "true";
    if (value || parameter.value == "false") return std::nullopt;
    return bad_parameter(parameter.name + " must be true or false");
  }

  // By the parameter, the header, or both if they agree.
  Check take_consistency(std::string_view level, std::string_view where) {
    const auto known = std::ranges::find(kConsistencies, level, &NamedConsistency::name);
    if (known == kConsistencies.end()) {
      return bad_parameter(std::string(where) + " must be linearizable, lease or stale");
    }
    if (consistency_ && *consistency_ != known->consistency) {
      return bad_parameter("consistency and X-Consistency differ");
    }
    consistency_ = known->consistency;
    return std::nullopt;
  }

  Check check_staleness() const {
    if (!max_staleness_ || consistency_ == Consistency::kStale) return std::nullopt;
    return bad_parameter("max_staleness is for consistency=stale; other reads are never stale");
  }

  Check take_headers() {
    const auto level = single_header(request_, "X-Consistency");
    if (!level) return level.error();
    if (read_ && *level) {
      if (auto error = take_consistency(**level, "X-Consistency")) return error;
    }
    if (auto error = check_staleness()) return error;
    const auto session = session_write_of(request_);
    if (!session) return session.error();
    if (read_ && *session) {
      return bad_request("Anchor-Session is for writes: reads may be repeated as they are");
    }
    session_ = *session;
    return take_conditions();
  }

  Check take_conditions() {
    const auto if_match = single_header(request_, "If-Match");
    if (!if_match) return if_match.error();
    const auto if_none_match = single_header(request_, "If-None-Match");
    if (!if_none_match) return if_none_match.error();
    if (key_.empty() && (*if_match || *if_none_match)) {
      return bad_request("conditions are for one key");
    }
    if (*if_match) {
      if (read_) return bad_request("If-Match is for writes");
      if (auto bad = take_if_match(**if_match)) return bad;
    }
    if (!*if_none_match) return std::nullopt;
    if (read_) {
      answer_.known = parse_known_tags(**if_none_match);
      return std::nullopt;
    }
    if (**if_none_match == "*") return add_condition(kv::IfAbsent{});
    return bad_request("If-None-Match of a write must be *");
  }

  Check take_if_match(std::string_view tag) {
    if (tag == "*") return add_condition(kv::IfPresent{});
    const auto revision = parse_entity_tag(tag);
    if (!revision || *revision == kv::Revision(0)) {
      return bad_request("If-Match must be * or one revision in double quotes");
    }
    return add_condition(kv::IfModRevision{*revision});
  }

  Check add_condition(kv::Condition condition) {
    if (!std::holds_alternative<kv::Always>(condition_)) {
      return bad_request("a write has one condition: cas, If-Match or If-None-Match");
    }
    condition_ = condition;
    return std::nullopt;
  }

  Check take_body() {
    const bool takes_body =
        request_.method == HttpMethod::kPut || request_.method == HttpMethod::kPost;
    if (takes_body && request_.body.size() > kv::kValueBytes) {
      return ApiError{
          .status = 413, .code = "too_large", .message = "a value has at most 1048576 bytes"};
    }
    if (takes_body || request_.body.empty()) return std::nullopt;
    return bad_request(std::string(io::method_name(request_.method)) + " takes no body");
  }

  KvRequest finish() {
    const bool previous = answer_.want_previous;
    answer_.error_style = error_style(request_);
    // A list is made in parts, but for a client that knows none.
    answer_.large = previous || (read_ && key_.empty() && request_.version_1_0);
    KvRequest parsed;
    RangeRequest many = range_.finish();
    if (read_) {
      answer_.kind = KvAnswer::Kind::kRead;
      answer_.page = many.page;
      Read read{.of = {},
                .consistency = consistency_.value_or(Consistency::kLinearizable),
                .max_staleness = max_staleness_,
                .min_revision = min_revision_,
                .at_revision = at_revision_};
      if (key_.empty()) {
        read.of = std::move(many.range);
      } else {
        read.of = std::move(key_);
      }
      parsed.body = std::move(read);
    } else if (key_.empty()) {
      answer_.kind = KvAnswer::Kind::kDelete;
      parsed.body = kv::Command(kv::DeleteRange{std::move(many.range)}, session_);
    } else if (request_.method == HttpMethod::kDelete) {
      answer_.kind = KvAnswer::Kind::kDelete;
      parsed.body = kv::Command(kv::Delete{std::move(key_), condition_, previous}, session_);
    } else {
      answer_.kind = KvAnswer::Kind::kPut;
      parsed.body = kv::Command(
          kv::Put{std::move(key_), request_.body, condition_, previous, lease_, ttl_}, session_);
    }
    parsed.answer = std::move(answer_);
    if (redirect_) parsed.redirect_target = target_without_redirect();
    return parsed;
  }

  std::string target_without_redirect() const {
    std::string target(target_.path);
    char separator = '?';
    for (const QueryParameter& parameter : target_.parameters) {
      if (parameter.name == "redirect") continue;
      target.append(1, separator).append(parameter.text);
      separator = '&';
    }
    return target;
  }

  const io::HttpRequest& request_;
  const HttpTarget& target_;
  const bool read_;
  std::string key_;
  kv::Condition condition_ = kv::Always{};
  std::optional<Consistency> consistency_;
  std::optional<Duration> max_staleness_;
  kv::Revision min_revision_;
  std::optional<kv::Revision> at_revision_;
  RangeParameters range_;
  std::string range_parameter_;  // the last of these that was given
  std::optional<kv::SessionWrite> session_;
  kv::LeaseId lease_;
  Duration ttl_{};
  bool redirect_ = false;
  KvAnswer answer_{};
};

}  // namespace

std::expected<KvRequest, ApiError> parse_kv_request(const io::HttpRequest& request,
                                                    const HttpTarget& target) {
  if (request.method == io::HttpMethod::kPost && request.bodiless) {
    return std::unexpected(
        ApiError{.status = 411, .code = "bad_request", .message = "the value has no length"});
  }
  return Parser(request, target).parse();
}

}  // namespace anchor::server
