#pragma once

#include <utility>
#include <vector>

#include "core/raft/step.h"

namespace anchor {

// A shell's messages that wait for the disk: what a step's `messages_after_persist` goes through.
class DeferredMessages {
 public:
  // The batch `id`, and every one before it, is durable. Returns what may leave now, in the order
  // in which it was held.
  std::vector<raft::Message> durable(raft::WriteId id) {
    durable_ = id;
    return release();
  }

  // Returns those of them that need not wait: their batch may have become durable before the step
  // that put them out.
  std::vector<raft::Message> hold(std::vector<raft::DeferredMessage> messages) {
    for (raft::DeferredMessage& deferred : messages) held_.push_back(std::move(deferred));
    return release();
  }

  // The process starts anew, with another numbering of batches.
  void clear() { *this = {}; }

 private:
  std::vector<raft::Message> release() {
    std::vector<raft::Message> released;
    std::erase_if(held_, [&](raft::DeferredMessage& deferred) {
      if (deferred.after > durable_) return false;
      released.push_back(std::move(deferred.message));
      return true;
    });
    return released;
  }

  raft::WriteId durable_;
  std::vector<raft::DeferredMessage> held_;
};

}  // namespace anchor
