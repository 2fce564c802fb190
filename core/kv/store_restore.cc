#include <utility>

#include "core/kv/store.h"
#include "core/kv/writing.h"

// How a store is built anew from a snapshot.
namespace anchor::kv {
namespace {

// What writing makes of every item.
bool well_formed(const Item& item, Revision revision) {
  return valid_key(item.key()) && item.value().size() <= kValueBytes && item.version() > 0 &&
         item.create_revision() <= item.mod_revision() && item.mod_revision() <= revision;
}

std::unexpected<Error> impossible(const char* what) {
  return failure(std::string(what) + " is such as no write could have made it");
}

}  // namespace

Store::Restorer::Restorer(const Begin& begin) {
  store_.revision_ = begin.revision;
  store_.history_ = History(begin.compacted);
  store_.leases_.restore_next_id(begin.next_lease);
  store_.sessions_.restore_next_id(begin.next_session);
  store_.settings_ = begin.settings;
  store_.digest_check_ = begin.digest_check;
}

Result<void> Store::Restorer::add(ItemRef item) {
  if (!well_formed(*item, store_.revision_)) return impossible("an item");
  if (last_ && last_->key() >= item->key()) return failure("its keys do not ascend");
  store_.item_hashes_ += hash_item(*item);
  store_.item_bytes_ += item_bytes(*item);
  store_.leases_.move_key(item->key(), {}, item->lease());
  last_ = item;
  store_.tree_.put(std::move(item));
  return {};
}

Result<void> Store::Restorer::add(Change change) {
  const History& history = store_.history_;
  const bool first = history.size() == 0;
  const bool follows =
      change.revision == history.newest().next() || (!first && change.revision == history.newest());
  const bool sound =
      (change.before || change.after) && follows && change.revision <= store_.revision_ &&
      (!change.before || well_formed(*change.before, change.revision.previous())) &&
      (!change.after || (well_formed(*change.after, change.revision) &&
                         change.after->mod_revision() == change.revision)) &&
      (!change.before || !change.after || change.before->key() == change.after->key());
  if (!sound) return impossible("a change");
  const auto left = left_.find(change.key());
  if (left != left_.end() && equal(left->second, change.before)) change.before = left->second;
  const ItemRef* held = store_.tree_.find(change.key());
  if (held != nullptr && equal(*held, change.after)) change.after = *held;
  if (left != left_.end()) left_.erase(left);
  if (change.after) left_.emplace(change.after->key(), change.after);
  const std::uint64_t before = change.before ? hash_item(*change.before) : 0;
  const std::uint64_t after = change.after ? hash_item(*change.after) : 0;
  store_.history_.append(std::move(change), before, after);
  return {};
}

Result<void> Store::Restorer::add_lease(ItemRef lease) {
  if (!store_.leases_.restore(std::move(lease))) return impossible("a lease");
  return {};
}

Result<void> Store::Restorer::add_session(ItemRef session) {
  const auto sound = Sessions::session_of(*session);
  const bool answered =
      sound && (sound->last_sequence == 0 || decode_result(Bytes::copy_of(sound->answer)));
  if (!answered || !store_.sessions_.restore(std::move(session))) return impossible("a session");
  return {};
}

Result<Store> Store::Restorer::finish() {
  if (store_.history_.newest() != store_.revision_) return failure("its history has a gap");
  if (!store_.leases_.sound()) return failure("its keys and its leases do not go together");
  left_.clear();
  return std::move(store_);
}

}  // namespace anchor::kv
