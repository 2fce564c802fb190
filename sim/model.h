#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/kv/command.h"
#include "core/raft/types.h"

namespace anchor::sim {

// What the store is held against: the data model written down a second time, as plainly as it can
// be, with every state that it ever had.
class Model {
 public:
  struct KeyValue {
    Bytes value;
    kv::Revision create_revision;
    kv::Revision mod_revision;
    std::uint64_t version = 0;
  };

  // The answer that a command, committed at the next index, must have. `command` may be anything;
  // null: the entry is no command.
  kv::CommandResult apply(const Bytes* command);

  // The state after the entry at `index` was applied.
  std::optional<KeyValue> find(const std::string& key, raft::Index index) const;
  kv::Revision revision(raft::Index index) const { return revisions_[index.value()]; }

 private:
  struct Version {
    raft::Index index;
    std::optional<KeyValue> state;
  };

  kv::CommandResult put(const kv::Put& put, raft::Index index);
  kv::CommandResult erase(const kv::Delete& erase, raft::Index index);

  std::map<std::string, std::vector<Version>> keys_;
  // By index; the first is the empty store's.
  std::vector<kv::Revision> revisions_{kv::Revision(1)};
};

// Whether the store's item is what the model holds.
bool same(const kv::ItemRef& item, const std::optional<Model::KeyValue>& expected);

}  // namespace anchor::sim
