#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/kv/item.h"
#include "core/kv/key_range.h"
#include "core/kv/tree.h"
#include "core/kv/types.h"

namespace anchor::kv {

// The keys of a range as they were at one revision. It shares the store's tree and stays as it is,
// readable by any thread, while the store goes on.
class RangeView {
 public:
  // `past` are the keys that have changed since, ascending, each with what it was; null: it was
  // not there.
  RangeView(Tree tree, KeyRange range, Revision revision,
            std::vector<std::pair<std::string, ItemRef>> past = {})
      : tree_(std::move(tree)),
        range_(std::move(range)),
        revision_(revision),
        past_(std::move(past)) {}

  Revision revision() const { return revision_; }
  const KeyRange& range() const { return range_; }
  // How many keys there are: in O(log n), and O(m log n) if m have changed since.
  std::size_t count() const;

  // Goes through the items once, in the keys' order or against it. Good as long as the view is.
  class Reader;

 private:
  Tree tree_;
  KeyRange range_;
  Revision revision_;
  std::vector<std::pair<std::string, ItemRef>> past_;
};

class RangeView::Reader {
 public:
  explicit Reader(const RangeView& view, bool reverse = false);

  // The item that comes next; null: there are no more.
  const ItemRef& peek() const { return current_; }
  ItemRef next();

 private:
  bool in_tree() const;
  bool in_past() const { return past_at_ < view_->past_.size(); }
  void advance_tree();
  void settle();

  const RangeView* view_;
  bool reverse_;
  Tree::Cursor tree_at_;
  std::size_t past_at_ = 0;  // from the end, if reversed
  ItemRef current_;
};

}  // namespace anchor::kv
