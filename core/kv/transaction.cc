#include "core/kv/transaction.h"

#include <algorithm>
#include <iterator>
#include <utility>

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

std::string numbered(std::string_view list, std::size_t number) {
  return std::string(list) + "[" + std::to_string(number) + "]";
}

// The first of the list's elements that is not as it must be, and what it is about it.
template <typename Element>
std::string fault_in(const std::vector<Element>& list, std::string_view name) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string fault = fault_in(list[i]);
    if (!fault.empty()) return numbered(name, i) + ": " + fault;
  }
  return "";
}

// No key is written twice: else what an operation returns would depend on the other.
std::string fault_in_writes(const std::vector<Operation>& operations, std::string_view name) {
  struct Write {
    KeyRange range;
    std::size_t number;
  };
  std::vector<Write> writes;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    auto range = written(operations[i]);
    if (range && !range->empty()) writes.push_back({*std::move(range), i});
  }
  std::ranges::sort(writes, {}, [](const Write& write) {
    return std::pair(std::string_view(write.range.start), write.number);
  });
  const auto overlap = std::ranges::adjacent_find(
      writes, [](const Write& a, const Write& b) { return a.range.overlaps(b.range); });
  if (overlap == writes.end()) return "";
  const auto [first, second] = std::minmax(overlap->number, std::next(overlap)->number);
  return numbered(name, second) + ": a key is written twice, since " + numbered(name, first) +
         " writes it";
}

}  // namespace

bool may_grow(const Transaction& transaction) {
  const auto puts = [](const Operation& operation) {
    return std::holds_alternative<PutOperation>(operation);
  };
  return std::ranges::any_of(transaction.success, puts) ||
         std::ranges::any_of(transaction.failure, puts);
}

bool returns_items(const Transaction& transaction) {
  const auto returns = [](const Operation& operation) {
    if (const auto* put = std::get_if<PutOperation>(&operation)) return put->want_previous;
    const auto* erase = std::get_if<DeleteOperation>(&operation);
    return erase == nullptr || erase->want_previous;
  };
  return std::ranges::any_of(transaction.success, returns) ||
         std::ranges::any_of(transaction.failure, returns);
}

std::string fault_in(const Transaction& transaction) {
  const std::size_t elements =
      transaction.compare.size() + transaction.success.size() + transaction.failure.size();
  if (elements > kTransactionOperations) {
    return "a transaction has at most 128 comparisons and operations";
  }
  std::string fault = fault_in(transaction.compare, "compare");
  for (const auto& [operations, name] :
       {std::pair(&transaction.success, "success"), std::pair(&transaction.failure, "failure")}) {
    if (fault.empty()) fault = fault_in(*operations, name);
    if (fault.empty()) fault = fault_in_writes(*operations, name);
  }
  return fault;
}

}  // namespace anchor::kv
