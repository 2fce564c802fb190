#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace anchor::kv {

// The first eight bytes as a number that orders as they do: most comparisons of keys need not look
// further.
inline std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t prefix = 0;
  if (key.empty()) return prefix;
  std::memcpy(&prefix, key.data(), std::min<std::size_t>(key.size(), 8));
  if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
  return prefix;
}

// The keys from `start` on and below `end`, in byte order.
struct KeyRange {
  std::string start{};
  std::optional<std::string> end{};  // none: to the last key

  static KeyRange of_key(std::string_view key);
  // The keys that begin so, but for those below `from` and from `to` on; none: it bounds nothing.
  static KeyRange of_bounds(const std::optional<std::string>& prefix,
                            const std::optional<std::string>& from,
                            const std::optional<std::string>& to);
  // All keys that begin so.
  static KeyRange of_prefix(std::string_view prefix);

  bool contains(std::string_view key) const { return key >= start && (!end || key < *end); }
  // No key can be in it.
  bool empty() const { return end && *end <= start; }
  bool overlaps(const KeyRange& other) const;

  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

}  // namespace anchor::kv
