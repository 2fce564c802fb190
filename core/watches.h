#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/strong.h"
#include "core/kv/store.h"

namespace anchor {

struct WatchIdTag;
using WatchId = Strong<WatchIdTag>;

// What a watch is for: one key, or all keys that begin so.
struct WatchedKeys {
  std::string key;
  bool prefix = false;

  bool contains(std::string_view other) const {
    return prefix ? other.starts_with(key) : other == key;
  }
  friend bool operator==(const WatchedKeys&, const WatchedKeys&) = default;
};

// The changes of what is watched, in the order of their revisions, each once. It holds a place for
// each watch and no events: those are read from the store's history when the client has room for
// them. So one that is slow costs nothing, until what it has not read yet is compacted; and one
// whose keys nobody writes costs nothing either, when others are written.
class Watches {
 public:
  // One change, and whether it is the last of its revision that is watched: whoever has seen that
  // one need not see the revision again.
  struct Event {
    kv::Change change;
    bool last_of_revision = false;
  };
  // What came next; empty: nothing has come, up to and including the revision.
  struct Events {
    std::vector<Event> events{};
    kv::Revision revision{};
    // There may be more, which is for the next read.
    bool more = false;
  };
  // Some of it has been forgotten; the watch has ended.
  struct Resync {
    kv::Revision compacted;  // the state can be read as of it, and none before
    kv::Revision revision;
  };

  // The first changes that it shows are those of the revision `from`, which may be one that is to
  // come. Whether there is something to read already a read tells.
  WatchId open(WatchedKeys keys, kv::Revision from);
  void close(WatchId id);
  std::size_t size() const { return watches_.size(); }

  // The store has gone on, or is another one that goes on from a snapshot. Those that have
  // something to read since, and had nothing before, in the order of their ids.
  std::vector<WatchId> notice(const kv::Store& store);
  // The next changes: until they are of so many bytes, and of a long history it looks at a
  // thousand at a time. A revision may be cut in two.
  // Requires: the watch is open, and notice() has seen the store as it is.
  std::variant<Events, Resync> read(WatchId id, const kv::Store& store, std::size_t bytes_most);

 private:
  struct Watch {
    WatchedKeys keys;
    // Where it goes on: the revision, and how many of its changes are done with. While it has
    // nothing to read there is nothing before the one of the next change that it watches.
    kv::Revision next;
    std::size_t skipped = 0;
    bool due = false;
  };
  using Ids = std::set<WatchId>;

  static void read_on(Watch& watch, const kv::History& history, std::size_t bytes_most,
                      Events& read);
  void note(std::string_view key, kv::Revision revision, std::vector<WatchId>& due);
  void note(const Ids& ids, kv::Revision revision, std::vector<WatchId>& due);

  WatchId last_id_;
  std::map<WatchId, Watch> watches_;
  // By what they watch; and how long the prefixes are, each with how many there are of that length.
  std::map<std::string, Ids, std::less<>> of_key_;
  std::map<std::string, Ids, std::less<>> of_prefix_;
  std::map<std::size_t, std::size_t> prefix_lengths_;
  // Of the store's revisions these have been looked at.
  kv::Revision seen_;
};

}  // namespace anchor
