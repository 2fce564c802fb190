#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/kv/key_range.h"
#include "core/kv/tree.h"

// The nodes that trees are made of; for tree*.cc alone.
namespace anchor::kv {

// A leaf takes up 512 bytes and a little: eight cache lines of prefixes and pointers, so that a
// search touches few lines and a copy for a snapshot's sake stays cheap.
inline constexpr std::size_t kCapacity = 32;
// A node with fewer is refilled. Well below half, so that deletes and inserts that alternate do not
// split and merge each time.
inline constexpr std::size_t kLeast = 8;

struct SearchKey {
  explicit SearchKey(std::string_view text) : key(text), prefix(prefix_of(text)) {}
  std::string_view key;
  std::uint64_t prefix;
};

// Keys with their prefixes, ascending; in a leaf the items themselves, in an inner node the
// separators, which are items without a value.
struct Keys {
  std::array<std::uint64_t, kCapacity> prefixes{};
  std::array<ItemRef, kCapacity> items;

  void set(std::size_t at, ItemRef item) {
    prefixes[at] = prefix_of(item->key());
    items[at] = std::move(item);
  }
  // Moves [from, count) to the right by `gap`, or, to close a gap of one, to the left.
  void open(std::size_t from, std::size_t count, std::size_t gap = 1) {
    std::copy_backward(prefixes.data() + from, prefixes.data() + count,
                       prefixes.data() + count + gap);
    std::move_backward(items.data() + from, items.data() + count, items.data() + count + gap);
  }
  void close(std::size_t at, std::size_t count) {
    std::copy(&prefixes[at] + 1, prefixes.data() + count, &prefixes[at]);
    std::move(&items[at] + 1, items.data() + count, &items[at]);
    items[count - 1] = {};
  }
  // Moves `count` keys from here to another node.
  void move_to(Keys& to, std::size_t from, std::size_t count, std::size_t at) {
    std::copy_n(prefixes.data() + from, count, to.prefixes.data() + at);
    std::move(items.data() + from, items.data() + from + count, to.items.data() + at);
  }
  // The first of `count` that is not below `search`, or, with `after`, that is above it.
  std::size_t bound(std::size_t count, const SearchKey& search, bool after) const {
    std::size_t low = 0;
    while (count > 0) {
      const std::size_t half = count / 2;
      const std::size_t middle = low + half;
      bool below = prefixes[middle] < search.prefix;
      if (prefixes[middle] == search.prefix) {
        const int order = items[middle]->key().compare(search.key);
        below = after ? order <= 0 : order < 0;
      }
      if (below) {
        low = middle + 1;
        count -= half + 1;
      } else {
        count = half;
      }
    }
    return low;
  }
};

// `count` is of items in a leaf, of children in an inner node.
struct Tree::Node {
  explicit Node(bool is_leaf) : leaf(is_leaf) {}
  // Of all items below.
  std::size_t size() const;

  std::atomic<std::uint32_t> references{1};
  const bool leaf;
  std::uint16_t count = 0;
};

struct Tree::Leaf : Node {
  Leaf() : Node(true) {}
  Leaf(const Leaf& other) : Node(true), keys(other.keys) { count = other.count; }
  std::string_view key(std::size_t at) const { return keys.items[at]->key(); }

  Keys keys;
};

// Child i holds the keys from separator i - 1 on, and below separator i.
struct Tree::Inner : Node {
  Inner() : Node(false) {}
  Inner(const Inner& other)
      : Node(false), separators(other.separators), children(other.children), sizes(other.sizes) {
    count = other.count;
  }
  std::size_t child_of(const SearchKey& search) const {
    return separators.bound(count - 1U, search, true);
  }

  Keys separators;
  std::array<NodeRef, kCapacity> children;
  // How many items are below each child: so items are counted without being looked at.
  std::array<std::size_t, kCapacity> sizes{};
};

inline std::size_t Tree::Node::size() const {
  if (leaf) return count;
  const auto& sizes = static_cast<const Inner&>(*this).sizes;
  return std::accumulate(sizes.begin(), sizes.begin() + count, std::size_t{0});
}

struct Tree::Split {
  ItemRef previous;   // what the item replaced
  ItemRef separator;  // set if the node split: `right` holds the keys from here on
  NodeRef right;
};

}  // namespace anchor::kv
