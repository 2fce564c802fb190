#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/kv/item.h"
#include "core/kv/key_range.h"
#include "core/kv/settings.h"
#include "core/kv/transaction.h"
#include "core/kv/types.h"

namespace anchor::kv {

// --- Commands -----------------------------------------------------------------------------------

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
  // The lease that the key goes with; zero: none. Or else, if not zero, the time of one that is
  // granted for this key and no other, and goes with it.
  LeaseId lease{};
  Duration ttl{};

  friend bool operator==(const Put&, const Put&) = default;
};

struct Delete {
  std::string key;
  Condition condition;
  bool want_previous = false;

  friend bool operator==(const Delete&, const Delete&) = default;
};

// All keys of the range, in one revision.
struct DeleteRange {
  KeyRange range;

  friend bool operator==(const DeleteRange&, const DeleteRange&) = default;
};

struct GrantLease {
  Duration ttl{};

  friend bool operator==(const GrantLease&, const GrantLease&) = default;
};

// Its keys are deleted with it.
struct RevokeLease {
  LeaseId id;

  friend bool operator==(const RevokeLease&, const RevokeLease&) = default;
};

// Leases that nobody kept alive for their time, as the leader of this term has it. It is that
// leader's own entry, or nothing comes of it.
struct ExpireLeases {
  std::uint64_t term = 0;
  std::vector<LeaseId> leases;

  friend bool operator==(const ExpireLeases&, const ExpireLeases&) = default;
};

struct OpenSession {
  friend bool operator==(const OpenSession&, const OpenSession&) = default;
};

struct CloseSession {
  SessionId id;

  friend bool operator==(const CloseSession&, const CloseSession&) = default;
};

// Sessions that nobody has used for their time-out, as the leader's clock has it. One that was used
// since stays: its last number is another one then.
struct ExpireSessions {
  struct Idle {
    SessionId id;
    std::uint64_t last_sequence = 0;
    friend bool operator==(const Idle&, const Idle&) = default;
  };
  std::vector<Idle> sessions;

  friend bool operator==(const ExpireSessions&, const ExpireSessions&) = default;
};

struct ChangeSettings {
  std::vector<SettingValue> values;

  friend bool operator==(const ChangeSettings&, const ChangeSettings&) = default;
};

// At this point of the log every replica notes the digest of its state. `number` is never used
// twice: it is the entry's index.
struct CheckDigest {
  std::uint64_t number = 0;

  friend bool operator==(const CheckDigest&, const CheckDigest&) = default;
};

// What the majority has noted at that point; none: there is no majority.
struct JudgeDigest {
  std::uint64_t number = 0;
  std::optional<std::uint64_t> digest{};

  friend bool operator==(const JudgeDigest&, const JudgeDigest&) = default;
};

using CommandBody =
    std::variant<Put, Delete, DeleteRange, Transaction, OpenSession, CloseSession, ExpireSessions,
                 ChangeSettings, CheckDigest, JudgeDigest, GrantLease, RevokeLease, ExpireLeases>;

// More of what clients store may be there after it than before.
bool may_grow(const CommandBody& body);

// A write by which a session goes on: it runs if its number is the session's last plus one; the
// last one gets its first answer again; any other is out of order.
struct SessionWrite {
  SessionId session;
  std::uint64_t sequence = 0;

  friend bool operator==(const SessionWrite&, const SessionWrite&) = default;
};

struct Command {
  Command() = default;
  template <typename Body>
    requires std::constructible_from<CommandBody, Body> && (!std::same_as<Body, Command>)
  Command(Body from, std::optional<SessionWrite> write = {})
      : body(std::move(from)), session(write) {}

  CommandBody body;
  // Only of those that change keys.
  std::optional<SessionWrite> session;

  friend bool operator==(const Command&, const Command&) = default;
};

// --- Answers ------------------------------------------------------------------------------------

// `previous` and `current` are null where there is none (or none was wanted). `revision` is the
// store's after the command, where nothing else is said.
struct PutDone {
  Revision revision;  // the new mod_revision
  ItemRef previous{};
  LeaseId lease{};  // that the key goes with
};
struct DeleteDone {
  Revision revision;
  bool deleted = false;
  ItemRef previous{};
};
struct RangeDeleted {
  Revision revision;
  std::uint64_t deleted = 0;
};
struct TransactionDone {
  Revision revision;
  bool succeeded = false;
  std::vector<OperationResult> results{};  // of the branch that was taken
};
struct ConditionFailed {
  Revision revision;
  Revision mod_revision;  // the key's; zero if it is absent
};
struct LeaseGranted {
  LeaseId id;
  Duration ttl{};
};
struct LeaseRevoked {
  Revision revision;
  std::uint64_t deleted = 0;  // keys
};
struct LeasesExpired {
  Revision revision;
  std::uint64_t count = 0;    // leases
  std::uint64_t deleted = 0;  // keys
};
struct SessionOpened {
  SessionId id;
  Duration ttl{};
};
struct SessionClosed {};
struct SessionsExpired {
  std::uint64_t count = 0;
};
struct SettingsChanged {
  Settings settings;
};

struct DigestNoted {
  std::uint64_t number = 0;
  std::uint64_t digest = 0;
};
enum class DigestVerdict : std::uint8_t {
  kAgrees,
  kDiffers,
  kNoMajority,
  kObsolete,  // it is of another point than the one that was noted last
};
struct DigestJudged {
  DigestVerdict verdict{};
};

// What a command is not allowed to do. It has changed nothing.
struct OverQuota {
  Revision revision;
};
// More previous values than an answer holds.
struct ResultTooLarge {};
// No such session was ever opened.
struct SessionUnknown {};
// Whether an earlier try took effect cannot be told any more; this one did not.
struct SessionExpired {};
struct SessionOutOfOrder {
  std::uint64_t last_sequence = 0;
};
struct SessionsFull {};
// There is no such lease, or none any more.
struct LeaseUnknown {};
struct LeasesFull {};
// A payload that is no command: apply is total, so that even this has an answer.
struct InvalidCommand {};

using CommandResult =
    std::variant<PutDone, DeleteDone, RangeDeleted, TransactionDone, ConditionFailed, SessionOpened,
                 SessionClosed, SessionsExpired, SettingsChanged, DigestNoted, DigestJudged,
                 OverQuota, SessionUnknown, SessionExpired, SessionOutOfOrder, SessionsFull,
                 ResultTooLarge, InvalidCommand, LeaseGranted, LeaseRevoked, LeasesExpired,
                 LeaseUnknown, LeasesFull>;

// Same answer, byte for byte.
bool operator==(const CommandResult& a, const CommandResult& b);

// --- Both as bytes ------------------------------------------------------------------------------

// Cap'n Proto (proto/command.capnp). Decoding trusts nothing; errors say what is wrong. Where the
// decoded command holds bytes it shares the buffer of what it was decoded from.
Bytes encode_command(const Command& command);
// About what that takes up beside the command's fixed part; seldom less.
std::size_t command_bytes(const CommandBody& body);
Result<Command> decode_command(const Bytes& bytes);
// Whether it is one that a leader proposes of itself, and nobody else may ask for.
bool only_leaders_propose(const CommandBody& body);
bool only_leaders_propose(const Bytes& command);
Bytes encode_result(const CommandResult& result);
// About what that takes up; seldom less.
std::size_t result_bytes(const CommandResult& result);
Result<CommandResult> decode_result(const Bytes& bytes);

}  // namespace anchor::kv
