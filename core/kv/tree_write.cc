#include <utility>
#include <vector>

#include "core/kv/tree_node.h"

namespace anchor::kv {
namespace {

// How many a full node keeps when it splits. Keys often come in ascending order, as counters and
// times do: a node that grows at its end is then left fuller, since it will get no more.
constexpr std::size_t kept_by_left(bool at_end) {
  return at_end ? kCapacity - kLeast : kCapacity / 2;
}

// The shortest key above `left` and not above `right`: it parts two leaves and pins neither's
// values.
ItemRef separator_between(std::string_view left, std::string_view right) {
  const auto differ = std::ranges::mismatch(left, right);
  const auto shared = static_cast<std::size_t>(differ.in2 - right.begin());
  return Item::create(right.substr(0, shared + 1), {}, {});
}

}  // namespace

ItemRef Tree::put(ItemRef item) {
  if (!root_) root_ = NodeRef(new Leaf);
  Split split = put_into(root_, item);
  if (split.right) {
    auto* root = new Inner;
    root->sizes[0] = root_.get()->size();
    root->sizes[1] = split.right.get()->size();
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
  inner.sizes[at] = inner.children[at].get()->size();
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
    std::copy(&inner.sizes[keep], inner.sizes.data() + kCapacity, right->sizes.data());
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
  std::copy_backward(&target->sizes[at + 1], target->sizes.data() + target->count,
                     target->sizes.data() + target->count + 1);
  target->sizes[at + 1] = split.right.get()->size();
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
  --inner.sizes[at];
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
  inner.sizes[left] = first->size();
  inner.sizes[left + 1] = second->size();
  if (second->count > 0) return;
  std::move(&inner.children[left + 1] + 1, inner.children.data() + inner.count,
            &inner.children[left + 1]);
  std::copy(&inner.sizes[left + 1] + 1, inner.sizes.data() + inner.count, &inner.sizes[left + 1]);
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
  std::vector<std::pair<NodeRef, std::size_t>> children;
  std::vector<ItemRef> separators;
  for (Inner* node : {&first, &second}) {
    if (node == &second) separators.push_back(inner.separators.items[left]);
    for (std::size_t i = 0; i < node->count; ++i) {
      children.emplace_back(std::move(node->children[i]), node->sizes[i]);
      if (i + 1 < node->count) separators.push_back(std::move(node->separators.items[i]));
    }
  }
  const std::size_t total = children.size();
  const std::size_t keep = total <= kCapacity ? total : total / 2;
  for (std::size_t i = 0; i < total; ++i) {
    Inner& node = i < keep ? first : second;
    const std::size_t at = i < keep ? i : i - keep;
    node.children[at] = std::move(children[i].first);
    node.sizes[at] = children[i].second;
    if (i + 1 == keep) {
      if (keep < total) inner.separators.set(left, std::move(separators[i]));
    } else if (i + 1 < total) {
      node.separators.set(at, std::move(separators[i]));
    }
  }
  first.count = static_cast<std::uint16_t>(keep);
  second.count = static_cast<std::uint16_t>(total - keep);
}

}  // namespace anchor::kv
