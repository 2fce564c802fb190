#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/kv/item.h"
#include "core/kv/types.h"

namespace anchor::kv {

// Under which a write takes place. All of it is decided when the command is applied.
struct Always {
  friend bool operator==(const Always&, const Always&) = default;
};
struct IfAbsent {
  friend bool operator==(const IfAbsent&, const IfAbsent&) = default;
};
struct IfPresent {
  friend bool operator==(const IfPresent&, const IfPresent&) = default;
};
struct IfModRevision {
  Revision revision;  // not zero
  friend bool operator==(const IfModRevision&, const IfModRevision&) = default;
};
using Condition = std::variant<Always, IfAbsent, IfPresent, IfModRevision>;

struct Put {
  std::string key;
  Bytes value;
  Condition condition;
  // The answer carries the key-value as it was before.
  bool want_previous = false;

  friend bool operator==(const Put&, const Put&) = default;
};

struct Delete {
  std::string key;
  Condition condition;
  bool want_previous = false;

  friend bool operator==(const Delete&, const Delete&) = default;
};

using Command = std::variant<Put, Delete>;

// The store's answers. `previous` and `current` are null where there is none (or none was wanted).
struct PutDone {
  Revision revision;  // the new mod_revision
  ItemRef previous{};
};
struct DeleteDone {
  Revision revision;  // the store's revision after it
  bool deleted = false;
  ItemRef previous{};
};
struct ConditionFailed {
  Revision revision;      // the store's
  Revision mod_revision;  // the key's; zero if it is absent
};
// A payload that is no command: apply is total, so that even this has an answer.
struct InvalidCommand {};
using CommandResult = std::variant<PutDone, DeleteDone, ConditionFailed, InvalidCommand>;

// Same answer, byte for byte.
bool operator==(const CommandResult& a, const CommandResult& b);

// Cap'n Proto (proto/command.capnp). Decoding trusts nothing; errors say what is wrong. Where the
// decoded command holds bytes it shares the buffer of what it was decoded from.
Bytes encode_command(const Command& command);
Result<Command> decode_command(const Bytes& bytes);
Bytes encode_result(const CommandResult& result);
Result<CommandResult> decode_result(const Bytes& bytes);

}  // namespace anchor::kv
