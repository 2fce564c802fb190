#include "core/kv/leases.h"

#include <utility>

#include "core/base/assert.h"

namespace anchor::kv {
namespace {

constexpr std::size_t kLeaseBytes = kNumberBytes + 1;

std::string place_of(LeaseId id, std::string_view key) {
  std::string place;
  append_number(place, id.value());
  return place.append(key);
}

}  // namespace

LeaseId Leases::grant(Duration ttl, bool of_key) {
  std::string value;
  append_number(value, static_cast<std::uint64_t>(ttl.count()));
  value.push_back(of_key ? '\1' : '\0');
  return LeaseId(table_.add(value));
}

std::optional<Lease> Leases::lease_of(const Item& item) {
  if (item.key().size() != kNumberBytes || item.value().size() != kLeaseBytes) return std::nullopt;
  const std::string_view value = as_text(item.value());
  if (value.back() != '\0' && value.back() != '\1') return std::nullopt;
  return Lease{.id = LeaseId(NumberedTable::number_of(item)),
               .ttl = Duration(static_cast<Duration::rep>(number_at(value))),
               .of_key = value.back() == '\1'};
}

std::optional<Lease> Leases::find(LeaseId id) const {
  const ItemRef* item = table_.find(id.value());
  return item == nullptr ? std::nullopt : lease_of(**item);
}

std::size_t Leases::key_count(LeaseId id) const {
  return keys_.rank(place_of(LeaseId(id.value() + 1), {})) - keys_.rank(place_of(id, {}));
}

std::vector<std::string> Leases::keys(LeaseId id, std::string_view from, std::size_t most) const {
  std::vector<std::string> found;
  const std::string begin = place_of(id, {});
  for (auto at = keys_.lower_bound(place_of(id, from)); at.valid() && found.size() < most;
       at.next()) {
    if (!at.item()->key().starts_with(begin)) break;
    found.emplace_back(at.item()->key().substr(kNumberBytes));
  }
  return found;
}

bool Leases::erase(LeaseId id) {
  ANCHOR_ASSERT(key_count(id) == 0);
  return table_.erase(id.value());
}

void Leases::move_key(std::string_view key, LeaseId from, LeaseId to) {
  if (from == to) return;
  if (to != LeaseId()) {
    ItemRef place = Item::create(place_of(to, key), {}, {});
    key_bytes_ += key_bytes(key.size());
    keys_.put(std::move(place));
  }
  if (from == LeaseId()) return;
  const ItemRef left = keys_.erase(place_of(from, key));
  ANCHOR_ASSERT(static_cast<bool>(left));
  key_bytes_ -= key_bytes(key.size());
  const auto lease = find(from);
  if (lease && lease->of_key && key_count(from) == 0) erase(from);
}

bool Leases::sound() const {
  std::size_t of_one_key = 0;
  for (auto at = keys_.begin(); at.valid(); at.next()) {
    const auto lease = find(LeaseId(number_at(at.item()->key())));
    if (!lease) return false;
    of_one_key += lease->of_key ? 1 : 0;
    if (lease->of_key && key_count(lease->id) != 1) return false;
  }
  for (auto at = table_.tree().begin(); at.valid(); at.next()) {
    of_one_key -= lease_of(*at.item())->of_key ? 1 : 0;
  }
  return of_one_key == 0;
}

bool Leases::restore(ItemRef item) {
  const auto lease = lease_of(*item);
  return lease && lease->ttl > Duration() && table_.restore(std::move(item));
}

}  // namespace anchor::kv
