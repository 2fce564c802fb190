#include "core/kv/tree.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/assert.h"

namespace anchor::kv {
namespace {

// A leaf takes up 512 bytes and a little: eight cache lines of prefixes and pointers, so that a
// search touches few lines and a copy for a snapshot's sake stays cheap.
constexpr std::size_t kCapacity = 32;
// A node with fewer is refilled. Well below half, so that deletes and inserts that alternate do not
// split and merge each time.
constexpr std::size_t kLeast = 8;

// How many a full node keeps when it splits. Keys often come in ascending order, as counters and
// times do: a node that grows at its end is then left fuller, since it will get no more.
constexpr std::size_t kept_by_left(bool at_end) {
  return at_end ? kCapacity - kLeast : kCapacity / 2;
}

// The first eight bytes as a number that orders as they do: most comparisons need not look at a
// key.
std::uint64_t prefix_of(std::string_view key) {
  std::uint64_t prefix = 0;
  if (key.empty()) return prefix;
  std::memcpy(&prefix, key.data(), std::min<std::size_t>(key.size(), 8));
  if constexpr (std::endian::native == std::endian::little) prefix = __builtin_bswap64(prefix);
  return prefix;
}

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

// The shortest key above `left` and not above `right`: it parts two leaves and pins neither's
// values.
ItemRef separator_between(std::string_view left, std::string_view right) {
  const auto differ = std::ranges::mismatch(left, right);
  const auto shared = static_cast<std::size_t>(differ.in2 - right.begin());
  return Item::create(right.substr(0, shared + 1), {}, {});
}

}  // namespace

// `count` is of items in a leaf, of children in an inner node.
struct Tree::Node {
  explicit Node(bool is_leaf) : leaf(is_leaf) {}

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
  Inner(const Inner& other) : Node(false), separators(other.separators), children(other.children) {
    count = other.count;
  }
  std::size_t child_of(const SearchKey& search) const {
    return separators.bound(count - 1U, search, true);
  }

  Keys separators;
  std::array<NodeRef, kCapacity> children;
};

struct Tree::Split {
  ItemRef previous;   // what the item replaced
  ItemRef separator;  // set if the node split: `right` holds the keys from here on
  NodeRef right;
};

// --- References --------------------------------------------------------------------------------

Tree::NodeRef::NodeRef(const NodeRef& other) : node_(other.node_) {
  if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
}

Tree::NodeRef::~NodeRef() {
  if (node_ == nullptr || node_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (node_->leaf) {
    delete static_cast<Leaf*>(node_);
  } else {
    delete static_cast<Inner*>(node_);
  }
}

Tree::Node* Tree::NodeRef::writable() {
  // Only this tree's thread could make a second reference out of the one, so one stays one.
  // Acquire: a snapshot's reader that has just let go must have finished reading.
  if (node_->references.load(std::memory_order_acquire) != 1) {
    Node* copy = node_->leaf ? static_cast<Node*>(new Leaf(static_cast<const Leaf&>(*node_)))
                             : new Inner(static_cast<const Inner&>(*node_));
    *this = NodeRef(copy);
  }
  return node_;
}

// --- Reading -----------------------------------------------------------------------------------

const ItemRef* Tree::find(std::string_view key) const {
  const Node* node = root_.get();
  if (node == nullptr) return nullptr;
  const SearchKey search(key);
  while (!node->leaf) {
    const auto& inner = static_cast<const Inner&>(*node);
    node = inner.children[inner.child_of(search)].get();
  }
  const auto& leaf = static_cast<const Leaf&>(*node);
  const std::size_t at = leaf.keys.bound(leaf.count, search, false);
  return at < leaf.count && leaf.key(at) == key ? &leaf.keys.items[at] : nullptr;
}

Tree::Cursor Tree::lower_bound(std::string_view key) const {
  Cursor cursor;
  const Node* node = root_.get();
  if (node == nullptr) return cursor;
  const SearchKey search(key);
  while (!node->leaf) {
    const auto& inner = static_cast<const Inner&>(*node);
    const std::size_t child = inner.child_of(search);
    cursor.push(node, child);
    node = inner.children[child].get();
  }
  const auto& leaf = static_cast<const Leaf&>(*node);
  const std::size_t at = leaf.keys.bound(leaf.count, search, false);
  if (at < leaf.count) {
    cursor.push(node, at);
    return cursor;
  }
  // All of this leaf is below the key: the next leaf's first.
  cursor.push(node, leaf.count - 1U);
  cursor.next();
  return cursor;
}

Tree::Cursor Tree::last() const {
  Cursor cursor;
  if (root_) cursor.descend_last(root_.get());
  return cursor;
}

const ItemRef& Tree::Cursor::item() const {
  ANCHOR_ASSERT(valid());
  const Step& step = path_[depth_ - 1];
  return static_cast<const Leaf&>(*step.node).keys.items[step.at];
}

void Tree::Cursor::push(const Node* node, std::size_t at) {
  ANCHOR_ASSERT(depth_ < kDeepest);
  path_[depth_++] = {node, at};
}

void Tree::Cursor::descend_first(const Node* node) {
  while (!node->leaf) {
    push(node, 0);
    node = static_cast<const Inner&>(*node).children[0].get();
  }
  push(node, 0);
}

void Tree::Cursor::descend_last(const Node* node) {
  while (!node->leaf) {
    push(node, node->count - 1U);
    node = static_cast<const Inner&>(*node).children[node->count - 1U].get();
  }
  push(node, node->count - 1U);
}

void Tree::Cursor::next() {
  ANCHOR_ASSERT(valid());
  while (depth_ > 0 && path_[depth_ - 1].at + 1 == path_[depth_ - 1].node->count) --depth_;
  if (depth_ == 0) return;
  Step& step = path_[depth_ - 1];
  ++step.at;
  if (!step.node->leaf) {
    descend_first(static_cast<const Inner&>(*step.node).children[step.at].get());
  }
}

void Tree::Cursor::previous() {
  ANCHOR_ASSERT(valid());
  while (depth_ > 0 && path_[depth_ - 1].at == 0) --depth_;
  if (depth_ == 0) return;
  Step& step = path_[depth_ - 1];
  --step.at;
  if (!step.node->leaf) {
    descend_last(static_cast<const Inner&>(*step.node).children[step.at].get());
  }
}

// --- Writing -----------------------------------------------------------------------------------

ItemRef Tree::put(ItemRef item) {
  if (!root_) root_ = NodeRef(new Leaf);
  Split split = put_into(root_, item);
  if (split.right) {
    auto* root = new Inner;
    root->children[0] = std::move(root_);
    root->children[1] = std::move(split.right);
    root->separators.set(0, std::move(split.separator));
    root->count = 2;
    root_ = NodeRef(root);
  }
  if (!split.previous) ++size_;
  return std::move(split.previous);
}

Tree::Split Tree::put_into(NodeRef& ref, ItemRef& item) {
  Node* node = ref.writable();
  if (node->leaf) return put_into_leaf(static_cast<Leaf&>(*node), item);
  auto& inner = static_cast<Inner&>(*node);
  const std::size_t at = inner.child_of(SearchKey(item->key()));
  Split split = put_into(inner.children[at], item);
  Split out{.previous = std::move(split.previous), .separator = {}, .right = {}};
  if (split.right) add_child(inner, at, split, out);
  return out;
}

Tree::Split Tree::put_into_leaf(Leaf& leaf, ItemRef& item) {
  Split out;
  const SearchKey search(item->key());
  std::size_t at = leaf.keys.bound(leaf.count, search, false);
  if (at < leaf.count && leaf.key(at) == search.key) {
    out.previous = std::exchange(leaf.keys.items[at], std::move(item));
    return out;
  }
  Leaf* target = &leaf;
  if (leaf.count == kCapacity) {
    auto* right = new Leaf;
    const std::size_t keep = kept_by_left(at == kCapacity);
    leaf.keys.move_to(right->keys, keep, kCapacity - keep, 0);
    right->count = static_cast<std::uint16_t>(kCapacity - keep);
    leaf.count = static_cast<std::uint16_t>(keep);
    out.right = NodeRef(right);
    if (at > keep) {
      target = right;
      at -= keep;
    }
  }
  target->keys.open(at, target->count);
  target->keys.set(at, std::move(item));
  ++target->count;
  if (out.right) {
    const auto& right = static_cast<const Leaf&>(*out.right.get());
    out.separator = separator_between(leaf.key(leaf.count - 1U), right.key(0));
  }
  return out;
}

// Child `at` has split: puts the right half beside it, and splits this node if it is full.
void Tree::add_child(Inner& inner, std::size_t at, Split& split, Split& out) {
  Inner* target = &inner;
  if (inner.count == kCapacity) {
    // The separator between the halves moves up.
    auto* right = new Inner;
    const std::size_t keep = kept_by_left(at + 1 == kCapacity);
    std::move(&inner.children[keep], inner.children.data() + kCapacity, right->children.data());
    inner.separators.move_to(right->separators, keep, kCapacity - keep - 1, 0);
    out.separator = std::move(inner.separators.items[keep - 1]);
    right->count = static_cast<std::uint16_t>(kCapacity - keep);
    inner.count = static_cast<std::uint16_t>(keep);
    out.right = NodeRef(right);
    if (at >= keep) {
      target = right;
      at -= keep;
    }
  }
  target->separators.open(at, target->count - 1U);
  target->separators.set(at, std::move(split.separator));
  std::move_backward(&target->children[at + 1], target->children.data() + target->count,
                     target->children.data() + target->count + 1);
  target->children[at + 1] = std::move(split.right);
  ++target->count;
}

ItemRef Tree::erase(std::string_view key) {
  // Looked up first: a key that is not there must not cost a copied path.
  if (find(key) == nullptr) return {};
  ItemRef previous = erase_from(root_, key);
  --size_;
  if (size_ == 0) {
    root_ = {};
  } else if (!root_.get()->leaf && root_.get()->count == 1) {
    root_ = NodeRef(static_cast<const Inner&>(*root_.get()).children[0]);
  }
  return previous;
}

// Requires: the key is there.
ItemRef Tree::erase_from(NodeRef& ref, std::string_view key) {
  Node* node = ref.writable();
  const SearchKey search(key);
  if (node->leaf) {
    auto& leaf = static_cast<Leaf&>(*node);
    const std::size_t at = leaf.keys.bound(leaf.count, search, false);
    ItemRef previous = std::move(leaf.keys.items[at]);
    leaf.keys.close(at, leaf.count);
    --leaf.count;
    return previous;
  }
  auto& inner = static_cast<Inner&>(*node);
  const std::size_t at = inner.child_of(search);
  ItemRef previous = erase_from(inner.children[at], key);
  if (inner.children[at].get()->count < kLeast) refill(inner, at);
  return previous;
}

// Child `child` has too few: evens it out with a neighbour, or makes one node of the two.
void Tree::refill(Inner& inner, std::size_t child) {
  const std::size_t left = child > 0 ? child - 1 : child;
  Node* first = inner.children[left].writable();
  Node* second = inner.children[left + 1].writable();
  if (first->leaf) {
    balance_leaves(inner, left);
  } else {
    balance_inners(inner, left);
  }
  if (second->count > 0) return;
  std::move(&inner.children[left + 1] + 1, inner.children.data() + inner.count,
            &inner.children[left + 1]);
  inner.children[inner.count - 1U] = {};
  inner.separators.close(left, inner.count - 1U);
  --inner.count;
}

// Makes one leaf of two if it holds both, else makes them equally full. The second may end up
// empty.
void Tree::balance_leaves(Inner& inner, std::size_t left) {
  auto& first = static_cast<Leaf&>(*inner.children[left].writable());
  auto& second = static_cast<Leaf&>(*inner.children[left + 1].writable());
  const std::size_t total = first.count + second.count;
  const std::size_t keep = total <= kCapacity ? total : total / 2;
  if (keep > first.count) {
    const std::size_t moved = keep - first.count;
    second.keys.move_to(first.keys, 0, moved, first.count);
    second.keys.move_to(second.keys, moved, second.count - moved, 0);
  } else {
    const std::size_t moved = first.count - keep;
    second.keys.open(0, second.count, moved);
    first.keys.move_to(second.keys, keep, moved, 0);
  }
  first.count = static_cast<std::uint16_t>(keep);
  second.count = static_cast<std::uint16_t>(total - keep);
  if (second.count > 0) {
    inner.separators.set(left, separator_between(first.key(keep - 1), second.key(0)));
  }
}

// The same for inner nodes, whose separators rotate through their parent's.
void Tree::balance_inners(Inner& inner, std::size_t left) {
  auto& first = static_cast<Inner&>(*inner.children[left].writable());
  auto& second = static_cast<Inner&>(*inner.children[left + 1].writable());
  // All children and all separators of the two in one row, dealt out again.
  std::vector<NodeRef> children;
  std::vector<ItemRef> separators;
  for (Inner* node : {&first, &second}) {
    if (node == &second) separators.push_back(inner.separators.items[left]);
    for (std::size_t i = 0; i < node->count; ++i) {
      children.push_back(std::move(node->children[i]));
      if (i + 1 < node->count) separators.push_back(std::move(node->separators.items[i]));
    }
  }
  const std::size_t total = children.size();
  const std::size_t keep = total <= kCapacity ? total : total / 2;
  for (std::size_t i = 0; i < total; ++i) {
    Inner& node = i < keep ? first : second;
    const std::size_t at = i < keep ? i : i - keep;
    node.children[at] = std::move(children[i]);
    if (i + 1 == keep) {
      if (keep < total) inner.separators.set(left, std::move(separators[i]));
    } else if (i + 1 < total) {
      node.separators.set(at, std::move(separators[i]));
    }
  }
  first.count = static_cast<std::uint16_t>(keep);
  second.count = static_cast<std::uint16_t>(total - keep);
}

// --- Invariants --------------------------------------------------------------------------------

struct Tree::Extent {
  std::size_t items;
  std::size_t depth;
};

void Tree::check_invariants() const {
  ANCHOR_ASSERT(empty() == !root_);
  if (root_) ANCHOR_ASSERT(check_node(root_.get(), true, nullptr, nullptr).items == size_);
}

// All keys must be in [low, high) (null: unbounded) and ascend, all leaves be equally deep, and
// nothing be left in unused places, where it would be kept alive.
Tree::Extent Tree::check_node(const Node* node, bool root, const std::string_view* low,
                              const std::string_view* high) {
  ANCHOR_ASSERT(node->count <= kCapacity);
  ANCHOR_ASSERT(node->count >= (!root ? kLeast : node->leaf ? 1 : 2));
  const Keys& keys = node->leaf ? static_cast<const Leaf&>(*node).keys
                                : static_cast<const Inner&>(*node).separators;
  const std::size_t count = node->leaf ? node->count : node->count - 1U;
  std::array<std::string_view, kCapacity> texts;
  for (std::size_t i = 0; i < kCapacity; ++i) {
    ANCHOR_ASSERT(static_cast<bool>(keys.items[i]) == (i < count));
    if (i >= count) continue;
    texts[i] = keys.items[i]->key();
    ANCHOR_ASSERT(keys.prefixes[i] == prefix_of(texts[i]));
    ANCHOR_ASSERT(i == 0 || texts[i - 1] < texts[i]);
  }
  ANCHOR_ASSERT(low == nullptr || *low <= texts[0]);
  ANCHOR_ASSERT(high == nullptr || texts[count - 1] < *high);
  if (node->leaf) return {count, 1};

  const auto& inner = static_cast<const Inner&>(*node);
  Extent extent{0, 0};
  for (std::size_t i = 0; i < kCapacity; ++i) {
    ANCHOR_ASSERT(static_cast<bool>(inner.children[i]) == (i < inner.count));
    if (i >= inner.count) continue;
    const Extent below = check_node(inner.children[i].get(), false, i > 0 ? &texts[i - 1] : low,
                                    i < count ? &texts[i] : high);
    ANCHOR_ASSERT(i == 0 || extent.depth == below.depth + 1);
    extent = {extent.items + below.items, below.depth + 1};
  }
  return extent;
}

}  // namespace anchor::kv
