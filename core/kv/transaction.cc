#include "core/kv/transaction.h"

#include <algorithm>

#include "core/kv/limits.h"

namespace anchor::kv {
namespace {

std::string fault_in_key(std::string_view key) {
  return valid_key(key) ? "" : "a key must have 1 to 4096 bytes";
}

std::string fault_in_range(const KeyRange& range) {
  const bool long_end = range.end && range.end->size() > kKeyBytes + 1;
  return range.start.size() > kKeyBytes || long_end ? "a key must have 1 to 4096 bytes" : "";
}

std::string fault_in(const Compare& compare) {
  if (std::string fault = fault_in_key(compare.key); !fault.empty()) return fault;
  const auto* number = std::get_if<std::uint64_t>(&compare.with);
  if ((compare.target == CompareTarget::kValue) != (number == nullptr)) {
    return "a value is compared with a value, and all else with a number";
  }
  if (compare.target != CompareTarget::kExists) return "";
  const bool ordered =
      compare.compare == CompareOperator::kLess || compare.compare == CompareOperator::kGreater;
  if (ordered || *number > 1) return "that a key exists is compared by = or !=";
  return "";
}

// Whatever an operation writes to.
std::optional<KeyRange> written(const Operation& operation) {
  if (const auto* put = std::get_if<PutOperation>(&operation)) return KeyRange::of_key(put->key);
  if (const auto* erase = std::get_if<DeleteOperation>(&operation)) return erase->range;
  return std::nullopt;
}

std::string fault_in(const Operation& operation) {
  if (const auto* put = std::get_if<PutOperation>(&operation)) {
    if (put->value.size() > kValueBytes) return "a value has at most 1048576 bytes";
    return fault_in_key(put->key);
  }
  if (const auto* erase = std::get_if<DeleteOperation>(&operation)) {
    return fault_in_range(erase->range);
  }
  return fault_in_range(std::get<GetOperation>(operation).range);
}

std::string fault_in(const std::vector<Operation>& operations) {
  std::vector<KeyRange> ranges;
  for (const Operation& operation : operations) {
    if (std::string fault = fault_in(operation); !fault.empty()) return fault;
    if (auto range = written(operation)) ranges.push_back(*std::move(range));
  }
  std::erase_if(ranges, [](const KeyRange& range) { return range.empty(); });
  std::ranges::sort(ranges, {}, &KeyRange::start);
  const auto overlap = std::ranges::adjacent_find(
      ranges, [](const KeyRange& a, const KeyRange& b) { return a.overlaps(b); });
  return overlap == ranges.end() ? "" : "a key is written twice";
}

}  // namespace

bool may_grow(const Transaction& transaction) {
  const auto puts = [](const Operation& operation) {
    return std::holds_alternative<PutOperation>(operation);
  };
  return std::ranges::any_of(transaction.success, puts) ||
         std::ranges::any_of(transaction.failure, puts);
}

std::string fault_in(const Transaction& transaction) {
  const std::size_t operations =
      transaction.compare.size() + transaction.success.size() + transaction.failure.size();
  if (operations > kTransactionOperations) {
    return "a transaction has at most 128 comparisons and operations";
  }
  for (const Compare& compare : transaction.compare) {
    if (std::string fault = fault_in(compare); !fault.empty()) return fault;
  }
  std::string fault = fault_in(transaction.success);
  return fault.empty() ? fault_in(transaction.failure) : fault;
}

}  // namespace anchor::kv
