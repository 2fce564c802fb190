#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/chaos/watch_history.h"

namespace anchor::chaos {

// The writes of a history, to explain with them what watches showed.
class Writes {
 public:
  // What nothing explains is added to `found`, which must outlive it.
  Writes(const std::vector<Operation>& history, std::vector<std::string>& found);

  // Those that are known to have changed something, and when.
  const std::vector<const Operation*>& effective() const { return effective_; }

  // All that happened at a revision is one write's or one transaction's. Each revision once.
  void explain(Revision revision, std::span<const Shown> events, bool whole);
  // After all of them: each delete without an answer explains one event at most.
  void check_deletes();

 private:
  using Events = std::span<const Shown>;
  using Parts = std::vector<const Operation*>;

  void report(const std::string& what, const Shown& shown);
  const Operation* writer_of(const Shown& shown);
  void explain_by(const Operation& write, Events events, bool whole);
  void explain_deletes(Revision revision, Events events);
  bool lost_group_deletes(Events events) const;

  std::vector<std::string>& found_;
  std::vector<const Operation*> effective_;
  std::map<std::uint64_t, const Operation*> writers_;  // by value
  std::map<std::uint64_t, Revision> seen_;             // by value
  std::map<std::uint64_t, Parts> groups_;
  std::map<Revision, Parts> deletes_;  // known ones
  // By key: how many deletes may have been without our knowledge, and how many are seen.
  std::map<std::uint32_t, std::size_t> lost_;
  std::map<std::uint32_t, std::size_t> unexplained_;
  // Transactions without an answer that only delete.
  std::set<std::uint64_t> lost_groups_;
};

}  // namespace anchor::chaos
