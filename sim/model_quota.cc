#include <algorithm>

#include "sim/model.h"

// What the model takes up, and may take up; the rest of it is in model.cc.
namespace anchor::sim {

std::uint64_t Model::stored_bytes(std::size_t key, std::size_t value) {
  return kv::kItemBytes + key + value;
}

std::uint64_t Model::stored_bytes(std::size_t key, std::size_t value, bool leased) {
  constexpr std::size_t kNumber = 8;
  return stored_bytes(key, value) + (leased ? stored_bytes(kNumber + key, 0) : 0);
}

std::uint64_t Model::stored_bytes(const kv::ItemRef& item) {
  if (!item) return 0;
  return stored_bytes(item->key().size(), item->value().size(), item->lease() != kv::LeaseId());
}

std::uint64_t Model::lease_bytes() {
  constexpr std::size_t kNumber = 8;
  return stored_bytes(kNumber, kNumber + 1);
}

// In an answer.
std::uint64_t Model::written_bytes(std::size_t key, std::size_t value) {
  return 48 + (key + 7) / 8 * 8 + (value + 7) / 8 * 8;
}

std::uint64_t Model::size_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [key, state] : range({}, now())) {
    bytes += stored_bytes(key.size(), state.value.size(), state.lease != kv::LeaseId());
  }
  bytes += leases_.size() * lease_bytes();
  constexpr std::size_t kNumber = 8;
  for (const auto& [id, session] : sessions_) {
    bytes += stored_bytes(kNumber, 2 * kNumber + session.answer_bytes);
  }
  return bytes;
}

bool Model::has_room(std::uint64_t before, std::uint64_t after) const {
  return after <= before || size_bytes() + after - before <= settings_.quota_bytes;
}

Model::Growth Model::growth_in_session(const kv::CommandBody& body) const {
  Growth growth;
  const auto add = [&](const std::string& key, const Bytes& value, bool leased) {
    growth.before += stored_bytes(item(key));
    growth.after += stored_bytes(key.size(), value.size(), leased);
  };
  const auto returned_of = [&](const std::string& key) {
    const kv::ItemRef previous = item(key);
    return previous ? stored_bytes(previous->key().size(), previous->value().size()) : 0;
  };
  if (const auto* put = std::get_if<kv::Put>(&body); put && meets(put->condition, find(put->key))) {
    const bool own = put->ttl != Duration();
    add(put->key, put->value, own || put->lease != kv::LeaseId());
    growth.after += own ? lease_bytes() : 0;
    if (put->want_previous) growth.after += returned_of(put->key);
  }
  if (const auto* erase = std::get_if<kv::Delete>(&body); erase && erase->want_previous) {
    growth.before = growth.after = returned_of(erase->key);
  }
  const auto* transaction = std::get_if<kv::Transaction>(&body);
  if (transaction == nullptr || !kv::fault_in(*transaction).empty()) return growth;
  const bool succeeds = std::ranges::all_of(
      transaction->compare, [this](const kv::Compare& compare) { return holds(compare); });
  const auto& operations = succeeds ? transaction->success : transaction->failure;
  std::uint64_t returned = previous_bytes(operations);
  if (returned >= kv::kTransactionResultBytes) return {};
  for (const kv::Operation& operation : operations) {
    if (const auto* put = std::get_if<kv::PutOperation>(&operation)) {
      add(put->key, put->value, put->lease != kv::LeaseId());
    }
    if (const auto* erase = std::get_if<kv::DeleteOperation>(&operation);
        erase && erase->want_previous) {
      for (const auto& [key, state] : range(erase->range, now())) {
        growth.before += written_bytes(key.size(), state.value.size());
      }
    }
    if (const auto* get = std::get_if<kv::GetOperation>(&operation)) {
      returned += most_of_get(*get, operations);
    }
  }
  growth.after += std::min<std::uint64_t>(returned, kv::kTransactionResultBytes);
  return growth;
}

std::uint64_t Model::previous_bytes(const std::vector<kv::Operation>& operations) const {
  std::uint64_t bytes = 0;
  for (const kv::Operation& operation : operations) {
    const auto* put = std::get_if<kv::PutOperation>(&operation);
    if (put != nullptr && put->want_previous) {
      if (const auto before = find(put->key)) {
        bytes += written_bytes(put->key.size(), before->value.size());
      }
    }
    const auto* erase = std::get_if<kv::DeleteOperation>(&operation);
    if (erase == nullptr || !erase->want_previous) continue;
    for (const auto& [key, state] : range(erase->range, now())) {
      bytes += written_bytes(key.size(), state.value.size());
    }
  }
  return bytes;
}

// What it may return: of what is there, and of what is put there.
std::uint64_t Model::most_of_get(const kv::GetOperation& get,
                                 const std::vector<kv::Operation>& operations) const {
  std::uint64_t bytes = 0;
  bool deletes = false;
  for (const kv::Operation& operation : operations) {
    deletes = deletes || std::holds_alternative<kv::DeleteOperation>(operation);
    const auto* put = std::get_if<kv::PutOperation>(&operation);
    if (put == nullptr || !get.range.contains(put->key)) continue;
    bytes += written_bytes(put->key.size(), get.keys_only ? 0 : put->value.size());
  }
  KeyValues found = range(get.range, now());
  if (get.reverse) std::ranges::reverse(found);
  if (get.limit > 0 && !deletes && found.size() > get.limit) {
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(get.limit), found.end());
  }
  for (const auto& [key, state] : found) {
    bytes += written_bytes(key.size(), get.keys_only ? 0 : state.value.size());
  }
  return bytes;
}

}  // namespace anchor::sim
