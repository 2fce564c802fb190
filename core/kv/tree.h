#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "core/kv/item.h"

namespace anchor::kv {

// The store's keys in byte order: a B+ tree whose nodes are counted and shared between copies.
// Copying a tree copies one reference, and the copy stays as it is, readable by any thread, while the
// original goes on: a write changes a node in place if no other tree has it, else a copy of it, and
// so the path to it (Rodeh, "B-trees, Shadowing, and Clones", 2008).
class Tree {
 public:
  Tree() = default;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null: no such key. The reference is good as long as this tree is not changed.
  const ItemRef* find(std::string_view key) const;

  // Sets the item's key to the item; returns the item that it replaces, or null.
  ItemRef put(ItemRef item);
  // Returns the item that was there, or null.
  ItemRef erase(std::string_view key);

  // A place in the tree, good as long as the tree is not changed: copy the tree first to read on while
  // writes go on.
  class Cursor;
  // At the first key that is not below `key`.
  Cursor lower_bound(std::string_view key) const;
  Cursor begin() const { return lower_bound({}); }
  // At the last key; invalid in an empty tree.
  Cursor last() const;

  // Asserts what must hold of every node; for tests.
  void check_invariants() const;

 private:
  struct Node;
  struct Leaf;
  struct Inner;
  struct Split;

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
  static std::size_t check_node(const Node* node, std::size_t depth, std::size_t& leaf_depth,
                                bool root, std::string_view* previous);

  NodeRef root_;
  std::size_t size_ = 0;
};

class Tree::Cursor {
 public:
  bool valid() const { return !path_.empty(); }
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

  void descend_first(const Node* node);
  void descend_last(const Node* node);

  // From the root to a leaf; empty: invalid.
  std::vector<Step> path_;
};

}  // namespace anchor::kv
