#include "core/kv/tree.h"

#include <array>

#include "core/base/assert.h"
#include "core/kv/tree_node.h"

namespace anchor::kv {

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

std::size_t Tree::rank(std::string_view key) const {
  const Node* node = root_.get();
  if (node == nullptr) return 0;
  const SearchKey search(key);
  std::size_t below = 0;
  while (!node->leaf) {
    const auto& inner = static_cast<const Inner&>(*node);
    const std::size_t child = inner.child_of(search);
    below = std::accumulate(inner.sizes.data(), inner.sizes.data() + child, below);
    node = inner.children[child].get();
  }
  const auto& leaf = static_cast<const Leaf&>(*node);
  return below + leaf.keys.bound(leaf.count, search, false);
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
    ANCHOR_ASSERT(inner.sizes[i] == below.items);
    extent = {extent.items + below.items, below.depth + 1};
  }
  return extent;
}

}  // namespace anchor::kv
