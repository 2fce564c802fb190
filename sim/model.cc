#include "sim/model.h"

#include <algorithm>

namespace anchor::sim {
namespace {

kv::ItemRef as_item(const std::string& key, const std::optional<Model::KeyValue>& state) {
  if (!state) return {};
  return kv::Item::create(key, state->value.view(),
                          {.create_revision = state->create_revision,
                           .mod_revision = state->mod_revision,
                           .version = state->version});
}

bool holds(const kv::Condition& condition, const std::optional<Model::KeyValue>& state) {
  if (std::holds_alternative<kv::IfAbsent>(condition)) return !state;
  if (std::holds_alternative<kv::IfPresent>(condition)) return state.has_value();
  if (const auto* wanted = std::get_if<kv::IfModRevision>(&condition)) {
    return state && state->mod_revision == wanted->revision;
  }
  return true;
}

}  // namespace

kv::CommandResult Model::apply(const Bytes* command) {
  const raft::Index index(revisions_.size());
  revisions_.push_back(revisions_.back());
  if (command == nullptr) return kv::InvalidCommand{};
  const auto decoded = kv::decode_command(*command);
  if (!decoded) return kv::InvalidCommand{};
  if (const auto* write = std::get_if<kv::Put>(&*decoded)) return put(*write, index);
  return erase(std::get<kv::Delete>(*decoded), index);
}

kv::CommandResult Model::put(const kv::Put& put, raft::Index index) {
  const auto before = find(put.key, index);
  if (!holds(put.condition, before)) {
    return kv::ConditionFailed{revisions_.back(), before ? before->mod_revision : kv::Revision()};
  }
  const kv::Revision revision = ++revisions_.back();
  keys_[put.key].push_back(
      {index, KeyValue{.value = put.value,
                       .create_revision = before ? before->create_revision : revision,
                       .mod_revision = revision,
                       .version = before ? before->version + 1 : 1}});
  return kv::PutDone{revision, put.want_previous ? as_item(put.key, before) : kv::ItemRef()};
}

kv::CommandResult Model::erase(const kv::Delete& erase, raft::Index index) {
  const auto before = find(erase.key, index);
  if (!holds(erase.condition, before)) {
    return kv::ConditionFailed{revisions_.back(), before ? before->mod_revision : kv::Revision()};
  }
  if (!before) return kv::DeleteDone{.revision = revisions_.back(), .deleted = false};
  const kv::Revision revision = ++revisions_.back();
  keys_[erase.key].push_back({index, std::nullopt});
  return kv::DeleteDone{
      .revision = revision,
      .deleted = true,
      .previous = erase.want_previous ? as_item(erase.key, before) : kv::ItemRef()};
}

std::optional<Model::KeyValue> Model::find(const std::string& key, raft::Index index) const {
  const auto versions = keys_.find(key);
  if (versions == keys_.end()) return std::nullopt;
  const auto after = std::ranges::upper_bound(versions->second, index, {}, &Version::index);
  if (after == versions->second.begin()) return std::nullopt;
  return std::prev(after)->state;
}

bool same(const kv::ItemRef& item, const std::optional<Model::KeyValue>& expected) {
  if (!item || !expected) return !item && !expected;
  return std::ranges::equal(item->value(), expected->value.view()) &&
         item->create_revision() == expected->create_revision &&
         item->mod_revision() == expected->mod_revision && item->version() == expected->version;
}

}  // namespace anchor::sim
