#include "core/raft/log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/assert.h"

namespace anchor::raft {

Log::Log(LogPosition base, Configured base_configuration, std::vector<Entry> entries)
    : base_(base),
      configurations_{std::move(base_configuration)},
      durable_index_(base.index),
      unwritten_from_(base.index.next()) {
  for (Entry& entry : entries) append(std::move(entry));
  durable_index_ = last().index;
  unwritten_from_ = durable_index_.next();
}

LogPosition Log::last() const {
  return entries_.empty() ? base_ : LogPosition{entries_.back().index, entries_.back().term};
}

std::optional<Term> Log::term_at(Index index) const {
  if (index == base_.index) return base_.term;
  if (index < base_.index || index > last().index) return std::nullopt;
  return at(index).term;
}

const Entry& Log::at(Index index) const {
  ANCHOR_ASSERT(index > base_.index && index <= last().index);
  return entries_[index - base_.index - 1];
}

std::vector<Entry> Log::from(Index from, std::uint64_t max_bytes) const {
  std::vector<Entry> taken;
  std::uint64_t bytes = 0;
  for (Index index = from; index <= last().index; ++index) {
    const Entry& entry = at(index);
    bytes += entry_bytes(entry);
    if (!taken.empty() && bytes > max_bytes) break;
    taken.push_back(entry);
  }
  ANCHOR_ASSERT(!taken.empty());
  return taken;
}

LogPosition Log::possible_agreement(LogPosition position) const {
  if (position.index < base_.index) return position;
  Index index = std::min(position.index, last().index);
  while (index > base_.index && at(index).term > position.term) index = index.previous();
  if (*term_at(index) > position.term) return {index.previous(), position.term};  // before the base
  return {index, *term_at(index)};
}

std::span<const Log::Configured> Log::configurations_from(Index index) const {
  const auto after = std::ranges::upper_bound(configurations_, index, {}, &Configured::index);
  ANCHOR_ASSERT(after != configurations_.begin());
  return {std::prev(after), configurations_.end()};
}

const Log::Configured& Log::configuration_at(Index index) const {
  return configurations_from(index).front();
}

void Log::append(Entry entry) {
  const LogPosition end = last();
  ANCHOR_ASSERT(entry.index == end.index.next() && entry.term >= end.term);
  const auto* configuration = std::get_if<SharedConfiguration>(&entry.payload);
  // The base's may be from an entry further on, if a snapshot said what it is.
  if (configuration != nullptr && entry.index > configuration_index()) {
    configurations_.push_back({entry.index, *configuration});
  }
  bytes_ += entry_bytes(entry);
  entries_.push_back(std::move(entry));
}

void Log::truncate_from(Index from) {
  ANCHOR_ASSERT(from > base_.index && from <= last().index);
  const Index end = from.previous();
  for (Index index = from; index <= last().index; ++index) bytes_ -= entry_bytes(at(index));
  entries_.resize(end - base_.index);
  while (configurations_.back().index > end) configurations_.pop_back();

  durable_index_ = std::min(durable_index_, end);
  for (Write& write : writes_) write.last = std::min(write.last, end);
  if (from < unwritten_from_) {
    unwritten_from_ = from;
    unwritten_truncation_ = std::min(unwritten_truncation_.value_or(from), from);
  }
}

void Log::compact(Index index) {
  ANCHOR_ASSERT(index >= base_.index && index <= last().index);
  const LogPosition base{index, *term_at(index)};
  for (Index gone = base_.index.next(); gone <= index; ++gone) {
    bytes_ -= entry_bytes(entries_.front());
    entries_.pop_front();
  }
  base_ = base;
  while (configurations_.size() > 1 && configurations_[1].index <= index) {
    configurations_.erase(configurations_.begin());
  }
  durable_index_ = std::max(durable_index_, index);
  unwritten_from_ = std::max(unwritten_from_, index.next());
  unwritten_compaction_ = index;
}

void Log::restart_after(LogPosition position, Configured configuration) {
  ANCHOR_ASSERT(position.index > base_.index);
  // What is on its way to the disk is cut there too.
  unwritten_truncation_ =
      std::min(unwritten_truncation_.value_or(position.index.next()), position.index.next());
  unwritten_compaction_ = position.index;
  unwritten_beginning_ = true;
  for (Write& write : writes_) write.last = std::min(write.last, position.index);
  entries_.clear();
  bytes_ = 0;
  base_ = position;
  configurations_ = {std::move(configuration)};
  durable_index_ = position.index;
  unwritten_from_ = position.index.next();
}

bool Log::take_unwritten(PersistBatch& batch) {
  const Index end = last().index;
  if (unwritten_from_ > end && !unwritten_truncation_ && !unwritten_compaction_) return false;
  batch.truncate_from = std::exchange(unwritten_truncation_, std::nullopt);
  batch.compact_to = std::exchange(unwritten_compaction_, std::nullopt);
  batch.begins_anew = std::exchange(unwritten_beginning_, false);
  for (Index index = unwritten_from_; index <= end; ++index) batch.entries.push_back(at(index));
  unwritten_from_ = end.next();
  writes_.push_back({batch.id, end});
  return true;
}

void Log::persisted(WriteId id) {
  while (!writes_.empty() && writes_.front().id <= id) {
    durable_index_ = std::max(durable_index_, writes_.front().last);
    writes_.pop_front();
  }
}

WriteId Log::write_of(Index index, WriteId next) const {
  ANCHOR_ASSERT(index <= last().index);
  if (index <= durable_index_) return {};
  const auto covers = [&](const Write& write) { return write.last >= index; };
  const auto found = std::ranges::find_if(writes_, covers);
  return found != writes_.end() ? found->id : next;
}

}  // namespace anchor::raft
