#include <algorithm>
#include <optional>
#include <utility>

#include "core/kv/item_codec.h"
#include "core/kv/store.h"
#include "core/kv/writing.h"

// How the store writes, and transactions; the rest of it is in store.cc.
namespace anchor::kv {

// --- Writing ------------------------------------------------------------------------------------

ItemRef Store::Writing::put(std::string_view key, ByteView value, LeaseId lease) {
  const ItemRef* current = store_.tree_.find(key);
  Item::Fields fields{
      .create_revision = revision_, .mod_revision = revision_, .version = 1, .lease = lease};
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
  store_.leases_.move_key((after ? after : before)->key(), before ? before->lease() : LeaseId(),
                          after ? after->lease() : LeaseId());
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
  bool take(const Item& item, bool key_only = false) {
    const std::uint64_t bytes =
        written_bytes(item.key().size(), key_only ? 0 : item.value().size());
    left_ = bytes > left_ ? 0 : left_ - bytes;
    return left_ > 0;
  }
  std::uint64_t taken() const { return kTransactionResultBytes - left_; }

 private:
  std::uint64_t left_ = kTransactionResultBytes;
};

// What is left beside the previous values that are wanted, which are known before it runs, since it
// writes no key twice; none if they are more than it may return.
std::optional<Room> room_beside_previous(const Store& store,
                                         const std::vector<Operation>& operations) {
  Room room;
  for (const Operation& operation : operations) {
    if (const auto* put = std::get_if<PutOperation>(&operation)) {
      const ItemRef item = put->want_previous ? store.find(put->key) : ItemRef();
      if (item && !room.take(*item)) return std::nullopt;
    } else if (const auto* erase = std::get_if<DeleteOperation>(&operation)) {
      if (!erase->want_previous) continue;
      const RangeView all = store.view(erase->range);
      for (RangeView::Reader reader(all); reader.peek();) {
        if (!room.take(*reader.next())) return std::nullopt;
      }
    }
  }
  return room;
}

GetResult get(const RangeView& view, const GetOperation& wanted, Room& room) {
  GetResult result{.count = view.count(), .keys_only = wanted.keys_only};
  RangeView::Reader reader(view, wanted.reverse);
  while (reader.peek()) {
    ItemRef item = reader.next();
    result.more = (wanted.limit > 0 && result.items.size() == wanted.limit) ||
                  !room.take(*item, wanted.keys_only);
    if (result.more) break;
    if (wanted.keys_only) item = Item::create(item->key(), {}, item->fields());
    result.items.push_back(std::move(item));
  }
  return result;
}

// At most what a get of these operations returns: what is there, and what they put there. What they
// delete may let it reach further than its limit does now.
std::uint64_t most_of_get(const Store& store, const std::vector<Operation>& operations,
                          const GetOperation& wanted) {
  const bool limited =
      wanted.limit > 0 && std::ranges::none_of(operations, [](const Operation& operation) {
        return std::holds_alternative<DeleteOperation>(operation);
      });
  Room room;
  const RangeView all = store.view(wanted.range);
  std::uint64_t items = 0;
  for (RangeView::Reader reader(all, wanted.reverse); reader.peek(); ++items) {
    if (limited && items == wanted.limit) break;
    if (!room.take(*reader.next(), wanted.keys_only)) break;
  }
  std::uint64_t bytes = room.taken();
  for (const Operation& operation : operations) {
    const auto* put = std::get_if<PutOperation>(&operation);
    if (put == nullptr || !wanted.range.contains(put->key)) continue;
    bytes += written_bytes(put->key.size(), wanted.keys_only ? 0 : put->value.size());
  }
  return bytes;
}

bool holds(const Store& store, const Compare& compare) {
  const ItemRef* item = store.tree().find(compare.key);
  if (const auto* bytes = std::get_if<Bytes>(&compare.with)) {
    return item != nullptr && compares(as_text((*item)->value()), compare.compare, bytes->text());
  }
  return compares(number_of(item, compare.target), compare.compare,
                  std::get<std::uint64_t>(compare.with));
}

bool succeeds(const Store& store, const Transaction& transaction) {
  return std::ranges::all_of(transaction.compare,
                             [&](const Compare& compare) { return holds(store, compare); });
}

}  // namespace

namespace {

// Of a key and of its going with a lease.
std::uint64_t stored_bytes(std::size_t key, std::size_t value, bool leased) {
  return item_bytes(key, value) + (leased ? Leases::key_bytes(key) : 0);
}

std::uint64_t stored_bytes(const ItemRef* item) {
  if (item == nullptr) return 0;
  return stored_bytes((*item)->key().size(), (*item)->value().size(),
                      (*item)->lease() != LeaseId());
}

}  // namespace

Store::Growth Store::growth_of(const PutOperation& put) const {
  return {.before = stored_bytes(tree_.find(put.key)),
          .after = stored_bytes(put.key.size(), put.value.size(), put.lease != LeaseId())};
}

Store::Growth Store::growth_of(const Put& put) const {
  const bool own = put.ttl != Duration();
  return {.before = stored_bytes(tree_.find(put.key)),
          .after = stored_bytes(put.key.size(), put.value.size(), own || put.lease != LeaseId()) +
                   (own ? Leases::lease_bytes() : 0)};
}

// What is deleted makes room for the next one only.
Store::Growth Store::growth_of(const std::vector<Operation>& operations) const {
  Growth sum;
  for (const Operation& operation : operations) {
    const auto* put = std::get_if<PutOperation>(&operation);
    if (put == nullptr) continue;
    const Growth growth = growth_of(*put);
    sum.before += growth.before;
    sum.after += growth.after;
  }
  return sum;
}

Store::Growth Store::growth_in_session(const Transaction& transaction) const {
  if (!fault_in(transaction).empty()) return {};  // it is refused
  const auto& operations = succeeds(*this, transaction) ? transaction.success : transaction.failure;
  const std::optional<Room> beside = room_beside_previous(*this, operations);
  if (!beside) return {};  // likewise
  Growth sum = growth_of(operations);
  std::uint64_t returned = beside->taken();
  for (const Operation& operation : operations) {
    const auto* wanted = std::get_if<GetOperation>(&operation);
    if (wanted != nullptr && returned < kTransactionResultBytes) {
      returned += most_of_get(*this, operations, *wanted);
    }
    const auto* erase = std::get_if<DeleteOperation>(&operation);
    if (erase == nullptr || !erase->want_previous) continue;
    const RangeView all = view(erase->range);
    // As it is returned, which is a little more than it counted for.
    for (RangeView::Reader reader(all); reader.peek();) sum.before += written_bytes(*reader.next());
  }
  sum.after += std::min<std::uint64_t>(returned, kTransactionResultBytes);
  return sum;
}

CommandResult Store::transact(const Transaction& transaction) {
  if (!fault_in(transaction).empty()) return InvalidCommand{};
  const bool succeeded = succeeds(*this, transaction);
  const auto& operations = succeeded ? transaction.success : transaction.failure;

  std::optional<Room> room = room_beside_previous(*this, operations);
  if (!room) return ResultTooLarge{};
  const auto without_lease = [&](const Operation& operation) {
    const auto* put = std::get_if<PutOperation>(&operation);
    return put != nullptr && put->lease != LeaseId() && !takes_keys(put->lease);
  };
  if (std::ranges::any_of(operations, without_lease)) return LeaseUnknown{};
  if (!has_room(growth_of(operations))) return OverQuota{revision_};

  struct Run {
    Store& store;
    Writing& writing;
    Room& room;

    OperationResult operator()(const PutOperation& put) {
      ItemRef previous = writing.put(put.key, put.value.view(), put.lease);
      return PutResult{put.want_previous ? std::move(previous) : ItemRef()};
    }
    OperationResult operator()(const DeleteOperation& erase) {
      DeleteResult result;
      result.deleted = writing.erase_range(erase.range, [&](ItemRef previous) {
        if (erase.want_previous) result.previous.push_back(std::move(previous));
      });
      return result;
    }
    OperationResult operator()(const GetOperation& wanted) {
      return get(store.view(wanted.range), wanted, room);
    }
  };
  Writing writing(*this);
  TransactionDone done{.revision = {}, .succeeded = succeeded};
  for (const Operation& operation : operations) {
    done.results.push_back(std::visit(Run{*this, writing, *room}, operation));
  }
  done.revision = writing.finish();
  return done;
}

}  // namespace anchor::kv
