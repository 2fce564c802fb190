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
                           gen::set(&Put::want_previous));
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
struct Arbitrary<anchor::kv::Command> {
  static Gen<anchor::kv::Command> arbitrary() {
    namespace kv = anchor::kv;
    return anchor::any_of_kinds<kv::Command, kv::Put, kv::Delete>();
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
struct Arbitrary<anchor::kv::CommandResult> {
  static Gen<anchor::kv::CommandResult> arbitrary() {
    namespace kv = anchor::kv;
    const auto put =
        gen::build<kv::PutDone>(gen::set(&kv::PutDone::revision), gen::set(&kv::PutDone::previous));
    const auto erase = gen::build<kv::DeleteDone>(gen::set(&kv::DeleteDone::revision),
                                                  gen::set(&kv::DeleteDone::deleted),
                                                  gen::set(&kv::DeleteDone::previous));
    const auto failed = gen::build<kv::ConditionFailed>(
        gen::set(&kv::ConditionFailed::revision), gen::set(&kv::ConditionFailed::mod_revision));
    const auto widen = [](auto result) { return kv::CommandResult(std::move(result)); };
    return gen::oneOf(gen::map(put, widen), gen::map(erase, widen), gen::map(failed, widen),
                      gen::just(kv::CommandResult(kv::InvalidCommand{})));
  }
};

}  // namespace rc
