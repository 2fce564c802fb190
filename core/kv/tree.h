#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "core/kv/item.h"

namespace anchor::kv {

// The store's keys in byte order: a B+ tree whose nodes are counted and shared between copies.
// Copying a tree copies one reference, and the copy stays as it is, readable by any thread, while
// the original goes on: a write changes a node in place if no other tree has it, else a copy of it,
// and so the path to it (Rodeh, "B-trees, Shadowing, and Clones", 2008).
class Tree {
 public:
  Tree() = default;
  Tree(const Tree&) = default;
  // Leaves the other one empty.
  Tree(Tree&& other) noexcept
      : root_(std::move(other.root_)), size_(std::exchange(other.size_, 0)) {}
  Tree& operator=(Tree other) noexcept {
    root_ = std::move(other.root_);
    size_ = other.size_;
    return *this;
  }
  ~Tree() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null: no such key. The reference is good as long as this tree is not changed.
  const ItemRef* find(std::string_view key) const;

  // How many keys are below `key`.
  std::size_t rank(std::string_view key) const;

  // Sets the item's key to the item; returns the item that it replaces, or null.
  ItemRef put(ItemRef item);
  // Returns the item that was there, or null.
  ItemRef erase(std::string_view key);

  // A place in the tree, good as long as the tree is not changed: copy the tree first to read on
  // while writes go on.
  class Cursor;
  // At the first key that is not below `key`.
  Cursor lower_bound(std::string_view key) const;
  Cursor begin() const;
  // At the last key; invalid in an empty tree.
  Cursor last() const;

  // Asserts what must hold of every node; for tests.
  void check_invariants() const;

 private:
  struct Node;
  struct Leaf;
  struct Inner;
  struct Split;
  struct Extent;

  // A counted reference to a node, or null.
  class NodeRef {
   public:
    NodeRef() = default;
    explicit NodeRef(Node* adopted) : node_(adopted) {}
    NodeRef(const NodeRef& other);
    NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    NodeRef& operator=(NodeRef other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~NodeRef();

    explicit operator bool() const { return node_ != nullptr; }
    const Node* get() const { return node_; }
    // The node, to be changed: itself if nobody else has it, else a copy that replaces it here.
    Node* writable();

   private:
    Node* node_ = nullptr;
  };

  static Split put_into(NodeRef& ref, ItemRef& item);
  static Split put_into_leaf(Leaf& leaf, ItemRef& item);
  static void add_child(Inner& inner, std::size_t at, Split& split, Split& out);
  static ItemRef erase_from(NodeRef& ref, std::string_view key);
  static void refill(Inner& inner, std::size_t child);
  static void balance_leaves(Inner& inner, std::size_t left);
  static void balance_inners(Inner& inner, std::size_t left);
  static Extent check_node(const Node* node, bool root, const std::string_view* low,
                           const std::string_view* high);

  NodeRef root_;
  std::size_t size_ = 0;
};

class Tree::Cursor {
 public:
  bool valid() const { return depth_ > 0; }
  // Requires: valid().
  const ItemRef& item() const;
  // Past the last key the cursor is invalid. Requires: valid().
  void next();
  // Before the first key the cursor is invalid. Requires: valid().
  void previous();

 private:
  friend class Tree;
  struct Step {
    const Node* node;
    std::size_t at;
  };
  // Nodes have at least eight children, but for the root: more keys than memory holds.
  static constexpr std::size_t kDeepest = 16;

  void push(const Node* node, std::size_t at);
  void descend_first(const Node* node);
  void descend_last(const Node* node);

  // From the root to a leaf: the first `depth_` steps. None: invalid.
  std::array<Step, kDeepest> path_{};
  std::size_t depth_ = 0;
};

inline Tree::Cursor Tree::begin() const {
  return lower_bound({});
}

}  // namespace anchor::kv
