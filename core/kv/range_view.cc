#include "core/kv/range_view.h"

namespace anchor::kv {

std::size_t RangeView::count() const {
  if (range_.empty()) return 0;
  const std::size_t end = range_.end ? tree_.rank(*range_.end) : tree_.size();
  std::size_t count = end - tree_.rank(range_.start);
  for (const auto& [key, item] : past_) {
    const bool is = tree_.find(key) != nullptr;
    const bool was = static_cast<bool>(item);
    if (is && !was) --count;
    if (was && !is) ++count;
  }
  return count;
}

RangeView::Reader::Reader(const RangeView& view, bool reverse) : view_(&view), reverse_(reverse) {
  const KeyRange& range = view.range_;
  if (range.empty()) {
    past_at_ = view.past_.size();
    return;
  }
  if (!reverse) {
    tree_at_ = view.tree_.lower_bound(range.start);
  } else {
    tree_at_ = range.end ? view.tree_.lower_bound(*range.end) : Tree::Cursor();
    if (tree_at_.valid()) {
      tree_at_.previous();
    } else {
      tree_at_ = view.tree_.last();
    }
  }
  settle();
}

ItemRef RangeView::Reader::next() {
  ItemRef item = std::move(current_);
  settle();
  return item;
}

bool RangeView::Reader::in_tree() const {
  return tree_at_.valid() && view_->range_.contains(tree_at_.item()->key());
}

void RangeView::Reader::advance_tree() {
  if (reverse_) {
    tree_at_.previous();
  } else {
    tree_at_.next();
  }
}

// What the key was takes the place of what it is.
void RangeView::Reader::settle() {
  current_ = {};
  const auto& past = view_->past_;
  while (!current_ && (in_tree() || in_past())) {
    if (!in_past()) {
      current_ = tree_at_.item();
      return advance_tree();
    }
    const auto& [key, item] = past[reverse_ ? past.size() - 1 - past_at_ : past_at_];
    int order = in_tree() ? tree_at_.item()->key().compare(key) : 1;
    if (reverse_ && in_tree()) order = -order;
    if (order < 0) {
      current_ = tree_at_.item();
      return advance_tree();
    }
    if (order == 0) advance_tree();
    ++past_at_;
    current_ = item;
  }
}

}  // namespace anchor::kv
