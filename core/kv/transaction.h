#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/kv/item.h"
#include "core/kv/key_range.h"

namespace anchor::kv {

// Of a transaction as etcd has them: if all that is compared holds, the operations of one list are
// carried out, else those of the other; in order, each seeing what those before it did, and all of
// it at one revision.

enum class CompareTarget : std::uint8_t {
  kVersion,
  kCreateRevision,
  kModRevision,
  kLease,
  kValue,
  kExists
};
enum class CompareOperator : std::uint8_t { kEqual, kNotEqual, kLess, kGreater };

// Of a key that is not there the numbers are zero, and no comparison of its value holds.
struct Compare {
  std::string key;
  CompareTarget target = CompareTarget::kVersion;
  CompareOperator compare = CompareOperator::kEqual;
  // Bytes for kValue, 0 or 1 for kExists, else the number.
  std::variant<std::uint64_t, Bytes> with{};

  friend bool operator==(const Compare&, const Compare&) = default;
};

struct PutOperation {
  std::string key;
  Bytes value;
  bool want_previous = false;
  // That the key goes with; zero: none.
  LeaseId lease{};

  friend bool operator==(const PutOperation&, const PutOperation&) = default;
};
struct DeleteOperation {
  KeyRange range;
  bool want_previous = false;

  friend bool operator==(const DeleteOperation&, const DeleteOperation&) = default;
};
struct GetOperation {
  KeyRange range;
  std::uint64_t limit = 0;  // zero: none
  bool keys_only = false;
  bool reverse = false;

  friend bool operator==(const GetOperation&, const GetOperation&) = default;
};
using Operation = std::variant<PutOperation, DeleteOperation, GetOperation>;

struct Transaction {
  std::vector<Compare> compare;
  std::vector<Operation> success;
  std::vector<Operation> failure;

  friend bool operator==(const Transaction&, const Transaction&) = default;
};

// It may store more than there was, whichever list is carried out.
bool may_grow(const Transaction& transaction);
// It may return key-values.
bool returns_items(const Transaction& transaction);

// Compares and both lists together.
inline constexpr std::size_t kTransactionOperations = 128;
// Of what a transaction returns, as it is written. One that wants previous values of more than that
// is refused; gets leave off what is more beside these.
inline constexpr std::size_t kTransactionResultBytes = 2 << 20;
// No answer to a command takes up more: that, and what is around it.
inline constexpr std::size_t kAnswerBytes =
    kTransactionResultBytes + 256 + 48 * kTransactionOperations;

struct PutResult {
  ItemRef previous{};
};
struct DeleteResult {
  std::uint64_t deleted = 0;
  // If wanted.
  std::vector<ItemRef> previous{};
};
struct GetResult {
  // Those without a value if only keys were wanted.
  std::vector<ItemRef> items{};
  std::uint64_t count = 0;  // in the range
  bool more = false;        // than are returned
  bool keys_only = false;
};
using OperationResult = std::variant<PutResult, DeleteResult, GetResult>;

// Empty: apply takes it. Else what is wrong with it, for the client.
std::string fault_in(const Transaction& transaction);

}  // namespace anchor::kv
