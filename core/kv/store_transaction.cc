#include <algorithm>
#include <utility>

#include "core/kv/store.h"
#include "core/kv/writing.h"

// How the store writes, and transactions; the rest of it is in store.cc.
namespace anchor::kv {

// --- Writing ------------------------------------------------------------------------------------

ItemRef Store::Writing::put(std::string_view key, ByteView value) {
  const ItemRef* current = store_.tree_.find(key);
  Item::Fields fields{.create_revision = revision_, .mod_revision = revision_, .version = 1};
  if (current != nullptr) {
    fields.create_revision = (*current)->create_revision();
    fields.version = (*current)->version() + 1;
  }
  ItemRef item = Item::create(key, value, fields);
  ItemRef previous = store_.tree_.put(item);
  record(previous, std::move(item));
  return previous;
}

ItemRef Store::Writing::erase(std::string_view key) {
  ItemRef previous = store_.tree_.erase(key);
  if (previous) record(previous, {});
  return previous;
}

void Store::Writing::record(ItemRef before, ItemRef after) {
  const std::uint64_t hash_before = before ? hash_item(*before) : 0;
  const std::uint64_t hash_after = after ? hash_item(*after) : 0;
  store_.item_hashes_ += hash_after - hash_before;
  store_.item_bytes_ += (after ? item_bytes(*after) : 0) - (before ? item_bytes(*before) : 0);
  store_.history_.append({revision_, std::move(before), std::move(after)}, hash_before, hash_after);
  changed_ = true;
}

Revision Store::Writing::finish() {
  if (changed_) {
    store_.revision_ = revision_;
    const Settings& settings = store_.settings_;
    store_.history_.compact(settings.history_revisions, settings.history_bytes);
  }
  return store_.revision_;
}

// --- Transactions -------------------------------------------------------------------------------

namespace {

template <typename T>
bool compares(const T& a, CompareOperator how, const T& b) {
  switch (how) {
    case CompareOperator::kEqual:
      return a == b;
    case CompareOperator::kNotEqual:
      return a != b;
    case CompareOperator::kLess:
      return a < b;
    case CompareOperator::kGreater:
      return a > b;
  }
  return false;
}

std::uint64_t number_of(const ItemRef* item, CompareTarget target) {
  if (item == nullptr) return 0;
  switch (target) {
    case CompareTarget::kVersion:
      return (*item)->version();
    case CompareTarget::kCreateRevision:
      return (*item)->create_revision().value();
    case CompareTarget::kModRevision:
      return (*item)->mod_revision().value();
    case CompareTarget::kLease:
      return (*item)->lease().value();
    case CompareTarget::kExists:
      return 1;
    case CompareTarget::kValue:
      break;
  }
  return 0;
}

// What a transaction may still return.
class Room {
 public:
  // False: it is too much, and so is all that follows.
  bool take(const Item& item) {
    const std::uint64_t bytes = item_bytes(item);
    left_ = bytes > left_ ? 0 : left_ - bytes;
    return left_ > 0;
  }

 private:
  std::uint64_t left_ = kTransactionResultBytes;
};

GetResult get(const RangeView& view, const GetOperation& wanted, Room& room) {
  GetResult result{.count = view.count(), .keys_only = wanted.keys_only};
  RangeView::Reader reader(view, wanted.reverse);
  while (reader.peek()) {
    ItemRef item = reader.next();
    if (wanted.keys_only) item = Item::create(item->key(), {}, item->fields());
    result.more = (wanted.limit > 0 && result.items.size() == wanted.limit) || !room.take(*item);
    if (result.more) break;
    result.items.push_back(std::move(item));
  }
  return result;
}

}  // namespace

// False: the previous values that are wanted are more than it may return. They are known before it
// runs, since it writes no key twice.
bool Store::previous_fit(const std::vector<Operation>& operations) const {
  Room room;
  for (const Operation& operation : operations) {
    if (const auto* put = std::get_if<PutOperation>(&operation)) {
      const ItemRef* item = put->want_previous ? tree_.find(put->key) : nullptr;
      if (item != nullptr && !room.take(**item)) return false;
    } else if (const auto* erase = std::get_if<DeleteOperation>(&operation)) {
      if (!erase->want_previous) continue;
      const RangeView all = view(erase->range);
      for (RangeView::Reader reader(all); reader.peek();) {
        if (!room.take(*reader.next())) return false;
      }
    }
  }
  return true;
}

// What it deletes makes room for the next one only.
bool Store::has_room_for(const std::vector<Operation>& operations) const {
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  for (const Operation& operation : operations) {
    const auto* put = std::get_if<PutOperation>(&operation);
    if (put == nullptr) continue;
    const ItemRef* current = tree_.find(put->key);
    bytes_before += current == nullptr ? 0 : item_bytes(**current);
    bytes_after += item_bytes(put->key.size(), put->value.size());
  }
  return has_room(bytes_before, bytes_after);
}

bool Store::holds(const Compare& compare) const {
  const ItemRef* item = tree_.find(compare.key);
  if (const auto* bytes = std::get_if<Bytes>(&compare.with)) {
    return item != nullptr && compares(as_text((*item)->value()), compare.compare, bytes->text());
  }
  return compares(number_of(item, compare.target), compare.compare,
                  std::get<std::uint64_t>(compare.with));
}

CommandResult Store::transact(const Transaction& transaction) {
  if (!fault_in(transaction).empty()) return InvalidCommand{};
  const bool succeeded = std::ranges::all_of(
      transaction.compare, [this](const Compare& compare) { return holds(compare); });
  const auto& operations = succeeded ? transaction.success : transaction.failure;

  if (!previous_fit(operations)) return ResultTooLarge{};
  if (!has_room_for(operations)) return OverQuota{revision_};

  struct Run {
    Store& store;
    Writing& writing;
    Room& room;

    OperationResult operator()(const PutOperation& put) {
      ItemRef previous = writing.put(put.key, put.value.view());
      if (!put.want_previous || !previous) return PutResult{};
      room.take(*previous);
      return PutResult{std::move(previous)};
    }
    OperationResult operator()(const DeleteOperation& erase) {
      DeleteResult result;
      result.deleted = writing.erase_range(erase.range, [&](ItemRef previous) {
        if (!erase.want_previous) return;
        room.take(*previous);
        result.previous.push_back(std::move(previous));
      });
      return result;
    }
    OperationResult operator()(const GetOperation& wanted) {
      return get(store.view(wanted.range), wanted, room);
    }
  };
  Writing writing(*this);
  Room room;
  TransactionDone done{.revision = {}, .succeeded = succeeded};
  for (const Operation& operation : operations) {
    done.results.push_back(std::visit(Run{*this, writing, room}, operation));
  }
  done.revision = writing.finish();
  return done;
}

}  // namespace anchor::kv
