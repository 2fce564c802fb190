#include "core/kv/key_range.h"

namespace anchor::kv {

KeyRange KeyRange::of_key(std::string_view key) {
  return {.start = std::string(key), .end = std::string(key) + '\0'};
}

KeyRange KeyRange::of_prefix(std::string_view prefix) {
  // Ends before the first key that has a greater byte where the prefix ends; after bytes that
  // cannot be greater there is none.
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  KeyRange range{.start = std::string(prefix), .end = {}};
  if (end.empty()) return range;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  range.end = std::move(end);
  return range;
}

KeyRange KeyRange::of_bounds(const std::optional<std::string>& prefix,
                             const std::optional<std::string>& from,
                             const std::optional<std::string>& to) {
  KeyRange range = of_prefix(prefix.value_or(""));
  if (from) range.start = std::max(range.start, *from);
  if (to && (!range.end || *to < *range.end)) range.end = *to;
  return range;
}

bool KeyRange::overlaps(const KeyRange& other) const {
  if (empty() || other.empty()) return false;
  return (!end || other.start < *end) && (!other.end || start < *other.end);
}

}  // namespace anchor::kv
