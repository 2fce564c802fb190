#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/codec/record_codec.h"
#include "core/founding.h"
#include "core/kv/command.h"
#include "core/kv/lease_query.h"
#include "tests/core/raft/generators.h"

// Arbitrary values of the core's types, for rapidcheck. They are well-formed, so that codecs take
// them, and as large and odd as that allows.

namespace rc {

template <>
struct Arbitrary<anchor::codec::StableState> {
  static Gen<anchor::codec::StableState> arbitrary() {
    using anchor::codec::StableState;
    return gen::build<StableState>(gen::set(&StableState::cluster_id), gen::set(&StableState::self),
                                   gen::set(&StableState::boot),
                                   gen::set(&StableState::hard_state));
  }
};

// --- Founding -----------------------------------------------------------------------------------

template <>
struct Arbitrary<anchor::Founder> {
  static Gen<anchor::Founder> arbitrary() {
    using anchor::Founder;
    return gen::build<Founder>(gen::set(&Founder::id), gen::set(&Founder::address),
                               gen::set(&Founder::http_address));
  }
};

template <>
struct Arbitrary<anchor::FoundingProposal> {
  static Gen<anchor::FoundingProposal> arbitrary() {
    using anchor::Founder;
    using anchor::FoundingProposal;
    const auto founders =
        gen::map(gen::nonEmpty(gen::uniqueBy<std::vector<Founder>>(
                     gen::arbitrary<Founder>(), [](const Founder& founder) { return founder.id; })),
                 [](std::vector<Founder> unsorted) {
                   std::ranges::sort(unsorted, {}, &Founder::id);
                   return unsorted;
                 });
    const auto cluster_id = gen::map(gen::positive<std::uint64_t>(),
                                     [](std::uint64_t id) { return anchor::raft::ClusterId(id); });
    return gen::build<FoundingProposal>(gen::set(&FoundingProposal::cluster_id, cluster_id),
                                        gen::set(&FoundingProposal::founders, founders));
  }
};

template <>
struct Arbitrary<anchor::FoundingHello> {
  static Gen<anchor::FoundingHello> arbitrary() {
    using anchor::FoundingHello;
    return gen::build<FoundingHello>(
        gen::set(&FoundingHello::founder), gen::set(&FoundingHello::nonce),
        gen::set(&FoundingHello::expect), gen::set(&FoundingHello::seen),
        gen::set(&FoundingHello::prepared));
  }
};

// --- Key-value ----------------------------------------------------------------------------------

template <>
struct Arbitrary<anchor::kv::Condition> {
  static Gen<anchor::kv::Condition> arbitrary() {
    namespace kv = anchor::kv;
    return gen::oneOf(gen::just(kv::Condition(kv::Always{})),
                      gen::just(kv::Condition(kv::IfAbsent{})),
                      gen::just(kv::Condition(kv::IfPresent{})),
                      gen::map(gen::inRange<std::uint64_t>(1, 20), [](std::uint64_t revision) {
                        return kv::Condition(kv::IfModRevision{kv::Revision(revision)});
                      }));
  }
};

template <>
struct Arbitrary<anchor::kv::Put> {
  static Gen<anchor::kv::Put> arbitrary() {
    using anchor::kv::Put;
    return gen::build<Put>(gen::set(&Put::key), gen::set(&Put::value), gen::set(&Put::condition),
                           gen::set(&Put::want_previous), gen::set(&Put::lease),
                           gen::set(&Put::ttl));
  }
};

template <>
struct Arbitrary<anchor::kv::Delete> {
  static Gen<anchor::kv::Delete> arbitrary() {
    using anchor::kv::Delete;
    return gen::build<Delete>(gen::set(&Delete::key), gen::set(&Delete::condition),
                              gen::set(&Delete::want_previous));
  }
};

template <>
struct Arbitrary<anchor::kv::KeyRange> {
  static Gen<anchor::kv::KeyRange> arbitrary() {
    using anchor::kv::KeyRange;
    const auto end = gen::oneOf(gen::just(std::optional<std::string>()),
                                gen::map(gen::arbitrary<std::string>(), [](std::string key) {
                                  return std::optional<std::string>(std::move(key));
                                }));
    return gen::build<KeyRange>(gen::set(&KeyRange::start), gen::set(&KeyRange::end, end));
  }
};

template <>
struct Arbitrary<anchor::kv::DeleteRange> {
  static Gen<anchor::kv::DeleteRange> arbitrary() {
    using anchor::kv::DeleteRange;
    return gen::build<DeleteRange>(gen::set(&DeleteRange::range));
  }
};

template <>
struct Arbitrary<anchor::kv::Compare> {
  static Gen<anchor::kv::Compare> arbitrary() {
    namespace kv = anchor::kv;
    using With = std::variant<std::uint64_t, anchor::Bytes>;
    return gen::build<kv::Compare>(
        gen::set(&kv::Compare::key),
        gen::set(&kv::Compare::target,
                 gen::map(gen::inRange(0, 6),
                          [](int target) { return static_cast<kv::CompareTarget>(target); })),
        gen::set(&kv::Compare::compare,
                 gen::map(gen::inRange(0, 4),
                          [](int compare) { return static_cast<kv::CompareOperator>(compare); })),
        gen::set(&kv::Compare::with, anchor::any_of_kinds<With, std::uint64_t, anchor::Bytes>()));
  }
};

template <>
struct Arbitrary<anchor::kv::Operation> {
  static Gen<anchor::kv::Operation> arbitrary() {
    namespace kv = anchor::kv;
    const auto put = gen::build<kv::PutOperation>(
        gen::set(&kv::PutOperation::key), gen::set(&kv::PutOperation::value),
        gen::set(&kv::PutOperation::want_previous), gen::set(&kv::PutOperation::lease));
    const auto erase = gen::build<kv::DeleteOperation>(
        gen::set(&kv::DeleteOperation::range), gen::set(&kv::DeleteOperation::want_previous));
    const auto get = gen::build<kv::GetOperation>(
        gen::set(&kv::GetOperation::range), gen::set(&kv::GetOperation::limit),
        gen::set(&kv::GetOperation::keys_only), gen::set(&kv::GetOperation::reverse));
    const auto widen = [](auto operation) { return kv::Operation(std::move(operation)); };
    return gen::oneOf(gen::map(put, widen), gen::map(erase, widen), gen::map(get, widen));
  }
};

template <>
struct Arbitrary<anchor::kv::Transaction> {
  static Gen<anchor::kv::Transaction> arbitrary() {
    using anchor::kv::Transaction;
    return gen::scale(0.3, gen::build<Transaction>(gen::set(&Transaction::compare),
                                                   gen::set(&Transaction::success),
                                                   gen::set(&Transaction::failure)));
  }
};

template <>
struct Arbitrary<anchor::kv::GrantLease> {
  static Gen<anchor::kv::GrantLease> arbitrary() {
    using anchor::kv::GrantLease;
    return gen::build<GrantLease>(gen::set(&GrantLease::ttl));
  }
};

template <>
struct Arbitrary<anchor::kv::RevokeLease> {
  static Gen<anchor::kv::RevokeLease> arbitrary() {
    using anchor::kv::RevokeLease;
    return gen::build<RevokeLease>(gen::set(&RevokeLease::id));
  }
};

template <>
struct Arbitrary<anchor::kv::ExpireLeases> {
  static Gen<anchor::kv::ExpireLeases> arbitrary() {
    using anchor::kv::ExpireLeases;
    return gen::build<ExpireLeases>(gen::set(&ExpireLeases::term), gen::set(&ExpireLeases::leases));
  }
};

template <>
struct Arbitrary<anchor::kv::LeaseStatus> {
  static Gen<anchor::kv::LeaseStatus> arbitrary() {
    using anchor::kv::LeaseStatus;
    return gen::build<LeaseStatus>(gen::set(&LeaseStatus::ttl), gen::set(&LeaseStatus::remaining),
                                   gen::set(&LeaseStatus::keys), gen::set(&LeaseStatus::more_keys));
  }
};

template <>
struct Arbitrary<anchor::kv::CloseSession> {
  static Gen<anchor::kv::CloseSession> arbitrary() {
    using anchor::kv::CloseSession;
    return gen::build<CloseSession>(gen::set(&CloseSession::id));
  }
};

template <>
struct Arbitrary<anchor::kv::ExpireSessions> {
  static Gen<anchor::kv::ExpireSessions> arbitrary() {
    using anchor::kv::ExpireSessions;
    using Idle = ExpireSessions::Idle;
    const auto idle = gen::build<Idle>(gen::set(&Idle::id), gen::set(&Idle::last_sequence));
    return gen::build<ExpireSessions>(
        gen::set(&ExpireSessions::sessions, gen::container<std::vector<Idle>>(idle)));
  }
};

template <>
struct Arbitrary<anchor::kv::ChangeSettings> {
  static Gen<anchor::kv::ChangeSettings> arbitrary() {
    using anchor::kv::ChangeSettings;
    using anchor::kv::SettingValue;
    const auto names =
        gen::map(gen::inRange<std::size_t>(0, anchor::kv::kSettings.size()),
                 [](std::size_t at) { return std::string(anchor::kv::kSettings[at].name); });
    const auto value = gen::build<SettingValue>(gen::set(&SettingValue::name, names),
                                                gen::set(&SettingValue::value));
    return gen::build<ChangeSettings>(
        gen::set(&ChangeSettings::values, gen::container<std::vector<SettingValue>>(value)));
  }
};

template <>
struct Arbitrary<anchor::kv::CheckDigest> {
  static Gen<anchor::kv::CheckDigest> arbitrary() {
    using anchor::kv::CheckDigest;
    return gen::build<CheckDigest>(gen::set(&CheckDigest::number));
  }
};

template <>
struct Arbitrary<anchor::kv::JudgeDigest> {
  static Gen<anchor::kv::JudgeDigest> arbitrary() {
    using anchor::kv::JudgeDigest;
    const auto digest = anchor::any_optional<std::uint64_t>();
    return gen::build<JudgeDigest>(gen::set(&JudgeDigest::number),
                                   gen::set(&JudgeDigest::digest, digest));
  }
};

template <>
struct Arbitrary<anchor::kv::Command> {
  static Gen<anchor::kv::Command> arbitrary() {
    namespace kv = anchor::kv;
    const auto command = [](kv::CommandBody body, const std::optional<kv::SessionWrite>& session) {
      return kv::Command(std::move(body), session);
    };
    const auto write = gen::build<kv::SessionWrite>(gen::set(&kv::SessionWrite::session),
                                                    gen::set(&kv::SessionWrite::sequence));
    const auto session = gen::oneOf(gen::just(std::optional<kv::SessionWrite>()),
                                    gen::map(write, [](const kv::SessionWrite& drawn) {
                                      return std::optional<kv::SessionWrite>(drawn);
                                    }));
    return gen::apply(command,
                      anchor::any_of_kinds<kv::CommandBody, kv::Put, kv::Delete, kv::DeleteRange,
                                           kv::Transaction, kv::CloseSession, kv::ExpireSessions,
                                           kv::ChangeSettings, kv::CheckDigest, kv::JudgeDigest,
                                           kv::GrantLease, kv::RevokeLease, kv::ExpireLeases>(),
                      session);
  }
};

template <>
struct Arbitrary<anchor::kv::ItemRef> {
  static Gen<anchor::kv::ItemRef> arbitrary() {
    namespace kv = anchor::kv;
    using Fields = kv::Item::Fields;
    const auto fields =
        gen::build<Fields>(gen::set(&Fields::create_revision), gen::set(&Fields::mod_revision),
                           gen::set(&Fields::version), gen::set(&Fields::lease));
    const auto item =
        gen::apply([](const std::string& key, const anchor::Bytes& value,
                      const Fields& drawn) { return kv::Item::create(key, value.view(), drawn); },
                   gen::arbitrary<std::string>(), gen::arbitrary<anchor::Bytes>(), fields);
    return gen::oneOf(gen::just(kv::ItemRef()), item);
  }
};

template <>
struct Arbitrary<anchor::kv::OperationResult> {
  static Gen<anchor::kv::OperationResult> arbitrary() {
    namespace kv = anchor::kv;
    const auto items = gen::container<std::vector<kv::ItemRef>>(
        gen::suchThat(gen::arbitrary<kv::ItemRef>(),
                      [](const kv::ItemRef& item) { return static_cast<bool>(item); }));
    const auto put = gen::build<kv::PutResult>(gen::set(&kv::PutResult::previous));
    const auto erase = gen::build<kv::DeleteResult>(gen::set(&kv::DeleteResult::deleted),
                                                    gen::set(&kv::DeleteResult::previous, items));
    const auto get = gen::build<kv::GetResult>(
        gen::set(&kv::GetResult::items, items), gen::set(&kv::GetResult::count),
        gen::set(&kv::GetResult::more), gen::set(&kv::GetResult::keys_only));
    const auto widen = [](auto result) { return kv::OperationResult(std::move(result)); };
    return gen::oneOf(gen::map(put, widen), gen::map(erase, widen), gen::map(get, widen));
  }
};

template <>
struct Arbitrary<anchor::kv::CommandResult> {
  static Gen<anchor::kv::CommandResult> arbitrary() {
    namespace kv = anchor::kv;
    const auto put =
        gen::build<kv::PutDone>(gen::set(&kv::PutDone::revision), gen::set(&kv::PutDone::previous),
                                gen::set(&kv::PutDone::lease));
    const auto erase = gen::build<kv::DeleteDone>(gen::set(&kv::DeleteDone::revision),
                                                  gen::set(&kv::DeleteDone::deleted),
                                                  gen::set(&kv::DeleteDone::previous));
    const auto failed = gen::build<kv::ConditionFailed>(
        gen::set(&kv::ConditionFailed::revision), gen::set(&kv::ConditionFailed::mod_revision));
    const auto widen = [](auto result) { return kv::CommandResult(std::move(result)); };
    const auto just = [](kv::CommandResult result) { return gen::just(std::move(result)); };
    const auto transaction = gen::build<kv::TransactionDone>(
        gen::set(&kv::TransactionDone::revision), gen::set(&kv::TransactionDone::succeeded),
        gen::set(&kv::TransactionDone::results));
    const auto range = gen::build<kv::RangeDeleted>(gen::set(&kv::RangeDeleted::revision),
                                                    gen::set(&kv::RangeDeleted::deleted));
    return gen::oneOf(
        gen::map(put, widen), gen::map(erase, widen), gen::map(failed, widen),
        gen::map(gen::scale(0.3, transaction), widen), gen::map(range, widen),
        just(kv::SessionOpened{kv::SessionId(7), anchor::Duration(5)}), just(kv::SessionClosed{}),
        just(kv::SessionsExpired{3}), just(kv::SettingsChanged{}), just(kv::OverQuota{}),
        just(kv::SessionUnknown{}), just(kv::SessionExpired{}), just(kv::SessionOutOfOrder{4}),
        just(kv::SessionsFull{}), just(kv::ResultTooLarge{}), just(kv::InvalidCommand{}),
        just(kv::LeaseGranted{kv::LeaseId(9), anchor::Duration(6)}),
        just(kv::LeaseRevoked{kv::Revision(8), 2}), just(kv::LeasesExpired{kv::Revision(8), 3, 4}),
        just(kv::LeaseUnknown{}), just(kv::LeasesFull{}));
  }
};

}  // namespace rc
