#pragma once

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "core/raft/step.h"

namespace anchor {

// A shell's messages that wait for the disk: what a step's `messages_after_persist` goes through.
class DeferredMessages {
 public:
  void hold(std::vector<raft::DeferredMessage> messages) {
    std::ranges::move(messages, std::back_inserter(held_));
  }

  // Those that may leave now that `durable` is, in the order in which they were held.
  std::vector<raft::Message> release(raft::WriteId durable) {
    std::vector<raft::Message> released;
    std::erase_if(held_, [&](raft::DeferredMessage& deferred) {
      if (deferred.after > durable) return false;
      released.push_back(std::move(deferred.message));
      return true;
    });
    return released;
  }

  void clear() { held_.clear(); }

 private:
  std::vector<raft::DeferredMessage> held_;
};

}  // namespace anchor
