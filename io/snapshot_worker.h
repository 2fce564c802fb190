#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/codec/snapshot_receive.h"
#include "core/codec/snapshot_save.h"
#include "core/replica.h"
#include "io/snapshot_files.h"
#include "io/work_lane.h"

namespace anchor::io {

// Carries out what a replica wants done with snapshots, beside the loop: writes its own, reads the
// chunks that it sends, and takes in what a leader sends. Used, and calls back, on the loop's
// thread.
class SnapshotWorker {
 public:
  struct Handlers {
    std::function<void(SnapshotSaved)> saved;
    std::function<void(SnapshotWritten)> written;
    std::function<void(SnapshotReceived)> received;
    // With its chunk.
    std::function<void(raft::Message)> chunk_read;
    // What a leader sent is not what it promised; it is forgotten.
    std::function<void(const codec::DamagedSnapshot&)> damaged;
    // The disk's failure: the process must end (exit code 10).
    std::function<void(const Error&)> failed;
    // A state that is to be saved, or was to be scrubbed, is not what its digest says: memory is
    // damaged, and the process must end. Nothing more is saved.
    std::function<void()> state_damaged;
  };

  // A lane each, so that none waits for another; `files` are for this directory.
  SnapshotWorker(uv_loop_t* loop, const SnapshotFiles& files, raft::ClusterId cluster_id,
                 Handlers handlers);
  // Requires: closed.
  ~SnapshotWorker() = default;
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;

  void save(SnapshotSave request);
  // Holds the state against its digest; not while one is being saved, which is held against it too,
  // or while the last time still lasts.
  void scrub(kv::Store store);
  void read(raft::SnapshotChunk chunk);
  void receive(raft::InstallSnapshot part);
  void keep(std::vector<raft::LogPosition> positions);

  // Gives up what is under way. Calls `closed` when no thread works for it any more.
  void close(std::function<void()> closed);

 private:
  struct Receiving {
    raft::SnapshotFile file;
    codec::SnapshotReceive receive;
  };

  void check_digest(kv::Store store);
  // On a thread: all steps of a save or of a verification; none if it was given up. After each it
  // rests `rests` times as long as that took.
  template <typename Steps>
  auto carry_out(Steps& steps, int rests) -> decltype(steps.step());
  void verify();
  void received(codec::CheckedSnapshot checked);

  const raft::ClusterId cluster_id_;
  const Handlers handlers_;
  // Of each lane, for the thread that runs its job.
  SnapshotFiles saving_files_;
  SnapshotFiles sending_files_;
  SnapshotFiles receiving_files_;
  WorkLane saving_;
  WorkLane sending_;
  WorkLane receiving_;
  // For the receiving lane's thread, and for the loop's while that is idle.
  std::optional<Receiving> received_;
  std::atomic<bool> stop_ = false;
};

}  // namespace anchor::io
