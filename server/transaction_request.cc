#include "server/transaction_request.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/kv/limits.h"
#include "server/json_fields.h"

namespace anchor::server {
namespace {

template <typename Value>
struct Named {
  std::string_view name;
  Value value;
};

constexpr auto kTargets = std::to_array<Named<kv::CompareTarget>>({
    {"version", kv::CompareTarget::kVersion},
    {"create_revision", kv::CompareTarget::kCreateRevision},
    {"mod_revision", kv::CompareTarget::kModRevision},
    {"lease", kv::CompareTarget::kLease},
    {"value", kv::CompareTarget::kValue},
    {"exists", kv::CompareTarget::kExists},
});
constexpr auto kOperators = std::to_array<Named<kv::CompareOperator>>({
    {"=", kv::CompareOperator::kEqual},
    {"!=", kv::CompareOperator::kNotEqual},
    {"<", kv::CompareOperator::kLess},
    {">", kv::CompareOperator::kGreater},
});

template <typename Value, std::size_t N>
Value one_of(JsonFields& fields, const char* name, const std::array<Named<Value>, N>& values) {
  const std::string text = fields.text(name);
  const auto found = std::ranges::find(values, text, &Named<Value>::name);
  if (found != values.end()) return found->value;
  std::string names;
  for (const auto& each : values) names += (names.empty() ? "" : ", ") + std::string(each.name);
  fields.check(name, failure("must be one of " + names));
  return values.front().value;
}

std::string required_bytes(JsonFields& fields, const char* name, const char* encoding_name) {
  auto bytes = fields.bytes(name, encoding_name);
  if (!bytes) fields.check(name, failure("is missing"));
  return std::move(bytes).value_or("");
}

std::string read_key(JsonFields& fields) {
  return required_bytes(fields, "key", "key_encoding");
}

Bytes read_value(JsonFields& fields) {
  const std::string value = required_bytes(fields, "value", "encoding");
  if (value.size() > kv::kValueBytes) {
    fields.too_large("value", "a value has at most 1048576 bytes");
  }
  return Bytes::copy_of(value);
}

kv::Compare read_compare(JsonFields& fields) {
  kv::Compare compare{.key = read_key(fields),
                      .target = one_of(fields, "target", kTargets),
                      .compare = one_of(fields, "op", kOperators)};
  switch (compare.target) {
    case kv::CompareTarget::kValue:
      compare.with = read_value(fields);
      break;
    case kv::CompareTarget::kExists:
      if (!fields.has("value")) fields.check("value", failure("is missing"));
      compare.with = std::uint64_t{fields.flag("value") ? 1U : 0U};
      break;
    default:
      compare.with = fields.number("value");
  }
  return compare;
}

// By a key, or by prefix, start and end. Whoever deletes says where it ends.
kv::KeyRange read_range(JsonFields& fields, bool deletes = false) {
  const auto key = fields.bytes("key", "key_encoding");
  const auto prefix = fields.bytes("prefix", "prefix_encoding");
  const auto start = fields.bytes("start", "start_encoding");
  const auto end = fields.bytes("end", "end_encoding");
  if (key) {
    if (prefix || start || end) {
      fields.check("key", failure("stands beside prefix, start or end: which keys are meant?"));
    }
    if (key->empty()) fields.check("key", failure("a key must have 1 to 4096 bytes"));
    return kv::KeyRange::of_key(*key);
  }
  if (!prefix && !start && !end) fields.check("key", failure("is missing"));
  if (deletes && start && !end && !prefix) {
    fields.check("start", failure("stands without end: a delete takes all keys that it names"));
  }
  return kv::KeyRange::of_bounds(prefix, start, end);
}

kv::Operation read_operation(JsonFields& fields) {
  const std::string name = fields.text("op");
  if (name == "put") {
    kv::PutOperation put;
    put.key = read_key(fields);
    put.value = read_value(fields);
    put.want_previous = fields.flag("prev");
    put.lease = kv::LeaseId(fields.optional_number("lease").value_or(0));
    return put;
  }
  if (name == "delete") {
    kv::DeleteOperation erase;
    erase.range = read_range(fields, true);
    erase.want_previous = fields.flag("prev");
    return erase;
  }
  if (name != "get") fields.check("op", failure("must be one of put, delete, get"));
  kv::GetOperation get;
  get.range = read_range(fields);
  const auto limit = fields.optional_number("limit");
  if (limit == 0) fields.check("limit", failure("must be above 0"));
  get.limit = limit.value_or(0);
  get.keys_only = fields.flag("keys");
  get.reverse = fields.flag("reverse");
  return get;
}

// Each object of the list, as `read` understands it; the first error ends it.
template <typename Element>
std::optional<ApiError> read_list(nlohmann::json list, const std::string& name,
                                  Element (*read)(JsonFields&), std::vector<Element>& into) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonFields fields(std::move(list[i]), name + "[" + std::to_string(i) + "].");
    into.push_back(read(fields));
    if (auto error = fields.error()) return error;
  }
  return std::nullopt;
}

}  // namespace

std::expected<kv::Transaction, ApiError> parse_transaction(const io::HttpRequest& request) {
  if (request.body.empty()) {
    return std::unexpected(ApiError{
        .code = "bad_request",
        .message = R"(the body is missing: {"compare": [], "success": [], "failure": []})"});
  }
  auto body = read_json_body(request);
  if (!body) return std::unexpected(std::move(body.error()));
  auto compare = body->array("compare");
  auto success = body->array("success");
  auto failure_list = body->array("failure");
  if (auto error = body->error()) return std::unexpected(std::move(*error));
  kv::Transaction transaction;
  auto error = read_list(std::move(compare), "compare", read_compare, transaction.compare);
  if (!error) error = read_list(std::move(success), "success", read_operation, transaction.success);
  if (!error) {
    error = read_list(std::move(failure_list), "failure", read_operation, transaction.failure);
  }
  if (error) return std::unexpected(std::move(*error));
  if (std::string fault = kv::fault_in(transaction); !fault.empty()) {
    return std::unexpected(ApiError{.code = "bad_request", .message = std::move(fault)});
  }
  return transaction;
}

}  // namespace anchor::server
