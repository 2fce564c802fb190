#include "core/kv/store.h"

#include "core/base/hash.h"
#include "core/base/random.h"

namespace anchor::kv {
namespace {

std::uint64_t hash_item(const Item& item) {
  std::uint64_t hash = hash_bytes(as_bytes(item.key()), 0);
  hash = hash_bytes(item.value(), hash);
  hash = mix64(hash ^ item.create_revision().value());
  hash = mix64(hash ^ item.mod_revision().value());
  hash = mix64(hash ^ item.version());
  return mix64(hash ^ item.lease().value());
}

std::uint64_t digest_of(Revision revision, std::uint64_t item_hashes) {
  return mix64(mix64(revision.value()) ^ item_hashes);
}

bool valid_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeyBytes;
}

// What put() makes of every item that it writes.
bool well_formed(const Item& item, Revision revision) {
  return valid_key(item.key()) && item.value().size() <= kValueBytes && item.version() > 0 &&
         item.create_revision() <= item.mod_revision() && item.mod_revision() <= revision;
}

Revision mod_revision_of(const ItemRef* item) {
  return item == nullptr ? Revision() : (*item)->mod_revision();
}

bool holds(const Condition& condition, const ItemRef* item) {
  struct Check {
    const ItemRef* item;
    bool operator()(const Always&) const { return true; }
    bool operator()(const IfAbsent&) const { return item == nullptr; }
    bool operator()(const IfPresent&) const { return item != nullptr; }
    bool operator()(const IfModRevision& wanted) const {
      return item != nullptr && (*item)->mod_revision() == wanted.revision;
    }
  };
  return std::visit(Check{item}, condition);
}

}  // namespace

CommandResult Store::apply(const Bytes& command) {
  const auto decoded = decode_command(command);
  if (!decoded) return InvalidCommand{};
  return apply(*decoded);
}

CommandResult Store::apply(const Command& command) {
  if (const auto* write = std::get_if<Put>(&command)) return put(*write);
  return erase(std::get<Delete>(command));
}

CommandResult Store::put(const Put& command) {
  if (!valid_key(command.key) || command.value.size() > kValueBytes) return InvalidCommand{};
  const ItemRef* current = tree_.find(command.key);
  if (!holds(command.condition, current)) {
    return ConditionFailed{revision_, mod_revision_of(current)};
  }
  ++revision_;
  Item::Fields fields{.create_revision = revision_, .mod_revision = revision_, .version = 1};
  if (current != nullptr) {
    fields.create_revision = (*current)->create_revision();
    fields.version = (*current)->version() + 1;
  }
  ItemRef item = Item::create(command.key, command.value.view(), fields);
  item_hashes_ += hash_item(*item);
  ItemRef previous = tree_.put(std::move(item));
  if (previous) item_hashes_ -= hash_item(*previous);
  return PutDone{revision_, command.want_previous ? std::move(previous) : ItemRef()};
}

CommandResult Store::erase(const Delete& command) {
  if (!valid_key(command.key)) return InvalidCommand{};
  const ItemRef* current = tree_.find(command.key);
  if (!holds(command.condition, current)) {
    return ConditionFailed{revision_, mod_revision_of(current)};
  }
  if (current == nullptr) return DeleteDone{.revision = revision_, .deleted = false};
  ++revision_;
  ItemRef previous = tree_.erase(command.key);
  item_hashes_ -= hash_item(*previous);
  return DeleteDone{.revision = revision_,
                    .deleted = true,
                    .previous = command.want_previous ? std::move(previous) : ItemRef()};
}

ItemRef Store::find(std::string_view key) const {
  const ItemRef* item = tree_.find(key);
  return item == nullptr ? ItemRef() : *item;
}

std::uint64_t Store::digest() const {
  return digest_of(revision_, item_hashes_);
}

std::uint64_t Store::recomputed_digest() const {
  std::uint64_t item_hashes = 0;
  for (Tree::Cursor at = tree_.begin(); at.valid(); at.next()) {
    item_hashes += hash_item(*at.item());
  }
  return digest_of(revision_, item_hashes);
}

Result<void> Store::Restorer::add(ItemRef item) {
  if (!well_formed(*item, store_.revision_)) {
    return failure("an item is such as no write could have made it");
  }
  if (last_ && last_->key() >= item->key()) return failure("its keys do not ascend");
  store_.item_hashes_ += hash_item(*item);
  last_ = item;
  store_.tree_.put(std::move(item));
  return {};
}

}  // namespace anchor::kv
