#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/command.h"

// Commands that meet: of few keys, few sessions, and bounds that are soon reached.
namespace anchor::kv {

inline rc::Gen<std::string> few_keys() {
  return rc::gen::element<std::string>("a", "ab", "b", "c");
}

inline rc::Gen<Bytes> few_values() {
  // Of the longest no four can be returned together.
  const auto text = rc::gen::weightedElement<std::string>(
      {{6, ""}, {6, "1"}, {6, "2"}, {6, std::string(300, 'v')}, {1, std::string(600'000, 'v')}});
  return rc::gen::map(text, [](const std::string& drawn) { return Bytes::copy_of(drawn); });
}

inline rc::Gen<KeyRange> few_ranges() {
  return rc::gen::oneOf(
      rc::gen::map(few_keys(), [](const std::string& key) { return KeyRange::of_key(key); }),
      rc::gen::map(few_keys(), [](const std::string& key) { return KeyRange::of_prefix(key); }),
      rc::gen::apply([](std::string start,
                        std::string end) { return KeyRange{std::move(start), std::move(end)}; },
                     few_keys(), few_keys()),
      rc::gen::just(KeyRange()));
}

inline rc::Gen<Compare> few_compares() {
  return rc::gen::apply(
      [](std::string key, int target, int compare, std::uint64_t number, Bytes value) {
        Compare made{.key = std::move(key),
                     .target = static_cast<CompareTarget>(target),
                     .compare = static_cast<CompareOperator>(compare),
                     .with = number};
        if (made.target == CompareTarget::kValue) made.with = std::move(value);
        return made;
      },
      few_keys(), rc::gen::inRange(0, 6), rc::gen::inRange(0, 4),
      rc::gen::inRange<std::uint64_t>(0, 4), few_values());
}

// Mostly none.
inline rc::Gen<LeaseId> few_leases() {
  return rc::gen::map(rc::gen::element<std::uint64_t>(0, 0, 0, 1, 2, 3),
                      [](std::uint64_t id) { return LeaseId(id); });
}

inline rc::Gen<Operation> few_operations() {
  const auto put = rc::gen::apply(
      [](std::string key, Bytes value, bool previous, LeaseId lease) {
        return Operation(PutOperation{std::move(key), std::move(value), previous, lease});
      },
      few_keys(), few_values(), rc::gen::arbitrary<bool>(), few_leases());
  const auto erase = rc::gen::apply(
      [](KeyRange range, bool previous) {
        return Operation(DeleteOperation{std::move(range), previous});
      },
      few_ranges(), rc::gen::arbitrary<bool>());
  const auto get = rc::gen::apply(
      [](KeyRange range, std::uint64_t limit, bool keys_only, bool reverse) {
        return Operation(GetOperation{std::move(range), limit, keys_only, reverse});
      },
      few_ranges(), rc::gen::inRange<std::uint64_t>(0, 3), rc::gen::arbitrary<bool>(),
      rc::gen::arbitrary<bool>());
  return rc::gen::oneOf(put, put, erase, get);
}

inline rc::Gen<Condition> few_conditions() {
  return rc::gen::oneOf(rc::gen::just(Condition(Always{})), rc::gen::just(Condition(Always{})),
                        rc::gen::just(Condition(IfAbsent{})), rc::gen::just(Condition(IfPresent{})),
                        rc::gen::map(rc::gen::inRange<std::uint64_t>(1, 12), [](auto revision) {
                          return Condition(IfModRevision{Revision(revision)});
                        }));
}

// With values that settings take, and some that they do not.
inline rc::Gen<CommandBody> few_settings() {
  const auto value = [](std::string name, std::vector<std::uint64_t> values) {
    return rc::gen::map(rc::gen::elementOf(values), [name](std::uint64_t drawn) {
      return CommandBody(ChangeSettings{{{name, drawn}}});
    });
  };
  return rc::gen::oneOf(
      value("history_revisions", {0, 1, 3, 1000}), value("history_bytes", {0, 500, 100'000}),
      value("quota_bytes", {0, 4096, 1 << 20, 3 << 20}), value("session_count", {1, 2, 5}),
      value("lease_count", {1, 3}), value("no such setting", {1}));
}

// Of leases alone.
inline rc::Gen<CommandBody> lease_bodies() {
  const auto grant = rc::gen::map(rc::gen::element<std::int64_t>(0, 1, 60), [](std::int64_t ttl) {
    return CommandBody(GrantLease{std::chrono::seconds(ttl)});
  });
  const auto revoke =
      rc::gen::map(few_leases(), [](LeaseId id) { return CommandBody(RevokeLease{id}); });
  const auto end = rc::gen::apply(
      [](LeaseId one, LeaseId other) {
        return CommandBody(ExpireLeases{.term = 1, .leases = {one, other}});
      },
      few_leases(), few_leases());
  return rc::gen::weightedOneOf<CommandBody>({{2, grant}, {1, revoke}, {1, end}});
}

inline rc::Gen<CommandBody> few_bodies() {
  const auto put = rc::gen::apply(
      [](std::string key, Bytes value, Condition condition, bool previous, LeaseId lease,
         std::int64_t ttl_seconds) {
        return CommandBody(Put{std::move(key), std::move(value), condition, previous, lease,
                               std::chrono::seconds(ttl_seconds)});
      },
      few_keys(), few_values(), few_conditions(), rc::gen::arbitrary<bool>(), few_leases(),
      rc::gen::element<std::int64_t>(0, 0, 0, 10, -1));
  const auto erase = rc::gen::apply(
      [](std::string key, Condition condition, bool previous) {
        return CommandBody(Delete{std::move(key), condition, previous});
      },
      few_keys(), few_conditions(), rc::gen::arbitrary<bool>());
  const auto erase_range = rc::gen::map(
      few_ranges(), [](KeyRange range) { return CommandBody(DeleteRange{std::move(range)}); });
  const auto few = [](const auto& gen) { return rc::gen::resize(3, gen); };
  const auto transaction = rc::gen::apply(
      [](std::vector<Compare> compare, std::vector<Operation> success,
         std::vector<Operation> failure) {
        return CommandBody(Transaction{std::move(compare), std::move(success), std::move(failure)});
      },
      few(rc::gen::container<std::vector<Compare>>(few_compares())),
      few(rc::gen::container<std::vector<Operation>>(few_operations())),
      few(rc::gen::container<std::vector<Operation>>(few_operations())));
  const auto session = rc::gen::map(rc::gen::inRange<std::uint64_t>(0, 4),
                                    [](std::uint64_t id) { return SessionId(id); });
  const auto close =
      rc::gen::map(session, [](SessionId id) { return CommandBody(CloseSession{id}); });
  const auto expire = rc::gen::apply(
      [](SessionId id, std::uint64_t last) { return CommandBody(ExpireSessions{{{id, last}}}); },
      session, rc::gen::inRange<std::uint64_t>(0, 3));
  const auto open = rc::gen::just(CommandBody(OpenSession{}));
  const auto few_numbers = rc::gen::inRange<std::uint64_t>(0, 3);
  const auto check = rc::gen::map(
      few_numbers, [](std::uint64_t number) { return CommandBody(CheckDigest{number}); });
  const auto judge = rc::gen::apply(
      [](std::uint64_t number, std::uint64_t digest, bool majority) {
        return CommandBody(JudgeDigest{number, majority ? std::optional(digest) : std::nullopt});
      },
      few_numbers, rc::gen::arbitrary<std::uint64_t>(), rc::gen::arbitrary<bool>());
  return rc::gen::weightedOneOf<CommandBody>({{6, put},
                                              {3, erase},
                                              {1, erase_range},
                                              {6, transaction},
                                              {2, open},
                                              {1, close},
                                              {1, expire},
                                              {4, lease_bodies()},
                                              {1, check},
                                              {1, judge},
                                              {1, few_settings()}});
}

inline rc::Gen<Command> few_commands() {
  const auto session = rc::gen::apply(
      [](std::uint64_t id, std::uint64_t sequence, bool any) {
        return any ? std::optional(SessionWrite{SessionId(id), sequence}) : std::nullopt;
      },
      rc::gen::inRange<std::uint64_t>(0, 4), rc::gen::inRange<std::uint64_t>(0, 4),
      rc::gen::arbitrary<bool>());
  return rc::gen::apply(
      [](CommandBody body, const std::optional<SessionWrite>& write) {
        return Command(std::move(body), write);
      },
      few_bodies(), session);
}

inline std::vector<Command> draw_commands() {
  return *rc::gen::scale(2.0, rc::gen::container<std::vector<Command>>(few_commands()));
}

}  // namespace anchor::kv
