#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/strong.h"
#include "core/base/time.h"

// Arbitrary values of the basic types, for rapidcheck.

namespace anchor {

// One of these, each as often as the others, in a variant that can hold it.
template <typename Variant, typename... Kinds>
rc::Gen<Variant> any_of_kinds() {
  return rc::gen::oneOf(rc::gen::map(rc::gen::arbitrary<Kinds>(),
                                     [](Kinds kind) { return Variant(std::move(kind)); })...);
}

template <typename T>
rc::Gen<std::optional<T>> any_optional() {
  return rc::gen::oneOf(rc::gen::just(std::optional<T>()),
                        rc::gen::map(rc::gen::arbitrary<T>(),
                                     [](T value) { return std::optional(std::move(value)); }));
}

inline rc::Gen<Duration> any_duration(Duration longest = Duration::max()) {
  return rc::gen::map(rc::gen::inRange<Duration::rep>(0, longest.count()),
                      [](Duration::rep count) { return Duration(count); });
}

inline rc::Gen<Instant> any_instant() {
  return rc::gen::map(any_duration(), [](Duration since) { return Instant(since + Duration(1)); });
}

}  // namespace anchor

namespace rc {

template <typename Tag>
struct Arbitrary<anchor::Strong<Tag>> {
  static Gen<anchor::Strong<Tag>> arbitrary() {
    // Small numbers, and all the others.
    return gen::map(gen::oneOf(gen::inRange<std::uint64_t>(0, 5), gen::arbitrary<std::uint64_t>()),
                    [](std::uint64_t value) { return anchor::Strong<Tag>(value); });
  }
};

template <>
struct Arbitrary<anchor::Bytes> {
  static Gen<anchor::Bytes> arbitrary() {
    return gen::map(gen::arbitrary<std::string>(),
                    [](const std::string& text) { return anchor::Bytes::copy_of(text); });
  }
};

}  // namespace rc
