#include "io/snapshot_worker.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "core/codec/snapshot_directory.h"

namespace anchor::io {
namespace {

// Disk and processors are the log's and the clients' most of the time.
constexpr int kRestsOfASave = 3;

}  // namespace

SnapshotWorker::SnapshotWorker(uv_loop_t* loop, const SnapshotFiles& files,
                               raft::ClusterId cluster_id, Handlers handlers)
    : cluster_id_(cluster_id),
      handlers_(std::move(handlers)),
      saving_files_(files.of_the_same_directory()),
      sending_files_(files.of_the_same_directory()),
      receiving_files_(files.of_the_same_directory()),
      saving_(loop),
      sending_(loop),
      receiving_(loop) {}

template <typename Steps>
auto SnapshotWorker::carry_out(Steps& steps, int rests) -> decltype(steps.step()) {
  while (!stop_) {
    const auto began = std::chrono::steady_clock::now();
    auto done = steps.step();
    if (!done || *done) return done;
    const auto took = std::chrono::steady_clock::now() - began;
    std::this_thread::sleep_for(rests * took);
  }
  return std::nullopt;
}

void SnapshotWorker::scrub(kv::Store store) {
  if (saving_.idle()) check_digest(std::move(store));
}

void SnapshotWorker::check_digest(kv::Store store) {
  auto scrubbed = std::make_shared<kv::Store>(std::move(store));
  auto sound = std::make_shared<bool>(true);
  // The copy goes with the job, as below.
  saving_.run(
      [scrubbed, sound]() mutable {
        *sound = scrubbed->digest() == scrubbed->recomputed_digest();
        scrubbed.reset();
      },
      [this, sound] {
        if (*sound) return;
        stop_ = true;
        handlers_.state_damaged();
      });
}

void SnapshotWorker::save(SnapshotSave request) {
  check_digest(request.store);
  auto save = std::make_shared<codec::SnapshotSave>(
      saving_files_,
      codec::SnapshotMeta{.cluster_id = cluster_id_,
                          .position = request.position,
                          .configuration_index = request.configuration.index,
                          .configuration = std::move(request.configuration.configuration)},
      std::move(request.store));
  auto file = std::make_shared<Result<std::optional<raft::SnapshotFile>>>();
  // The copy of the state goes with the job, on the thread: to let go of a large one takes a while.
  saving_.run([this, save,
               file]() mutable { *file = carry_out(*std::exchange(save, nullptr), kRestsOfASave); },
              [this, file] {
                if (!*file) return handlers_.failed(file->error());
                if (**file) handlers_.saved(SnapshotSaved{***file});
              });
}

void SnapshotWorker::read(raft::SnapshotChunk chunk) {
  auto message = std::make_shared<raft::Message>(std::move(chunk.message));
  auto read = std::make_shared<Result<std::optional<Bytes>>>();
  sending_.run(
      [this, message, read, max_bytes = chunk.max_bytes] {
        const auto& part = std::get<raft::InstallSnapshot>(message->body);
        *read = codec::read_snapshot(sending_files_, part.file.position, part.offset, max_bytes);
      },
      [this, message, read] {
        if (!*read) return handlers_.failed(read->error());
        // It is not sent any more, and was pruned while this waited for the disk.
        if (!**read) return;
        std::get<raft::InstallSnapshot>(message->body).chunk = ***read;
        handlers_.chunk_read(std::move(*message));
      });
}

void SnapshotWorker::receive(raft::InstallSnapshot request) {
  auto part = std::make_shared<raft::InstallSnapshot>(std::move(request));
  auto taken = std::make_shared<Result<bool>>(false);
  receiving_.run(
      [this, part, taken] {
        if (!received_ || received_->file != part->file) {
          received_.reset();
          received_.emplace(part->file,
                            codec::SnapshotReceive(receiving_files_, cluster_id_, part->file));
        }
        *taken = received_->receive.write(part->offset, part->chunk.view());
      },
      [this, part, taken] {
        if (!*taken) return handlers_.failed(taken->error());
        handlers_.written(SnapshotWritten{part->file, received_->receive.received_bytes()});
        if (**taken && received_->receive.complete()) verify();
      });
}

void SnapshotWorker::verify() {
  auto checked = std::make_shared<Result<std::optional<codec::CheckedSnapshot>>>();
  // By then the leader may have begun to send another.
  receiving_.run(
      [this, checked] {
        if (received_ && received_->receive.complete()) *checked = carry_out(received_->receive, 0);
      },
      [this, checked] {
        if (!*checked) return handlers_.failed(checked->error());
        if (**checked) received(*std::move(**checked));
      });
}

void SnapshotWorker::received(codec::CheckedSnapshot checked) {
  const raft::SnapshotFile file = received_->file;
  received_.reset();
  if (const auto* damaged = std::get_if<codec::DamagedSnapshot>(&checked)) {
    handlers_.damaged(*damaged);
    return handlers_.written(SnapshotWritten{file, 0});
  }
  auto& snapshot = std::get<codec::Snapshot>(checked);
  handlers_.received(SnapshotReceived{
      .file = file,
      .configuration = {snapshot.meta.configuration_index, snapshot.meta.configuration},
      .store = std::move(snapshot.store)});
}

void SnapshotWorker::keep(std::vector<raft::LogPosition> positions) {
  auto pruned = std::make_shared<Result<void>>();
  receiving_.run([this, positions = std::move(positions),
                  pruned] { *pruned = codec::prune_snapshots(receiving_files_, positions); },
                 [this, pruned] {
                   if (!*pruned) handlers_.failed(pruned->error());
                 });
}

void SnapshotWorker::close(std::function<void()> closed) {
  stop_ = true;
  saving_.stop([this, closed = std::move(closed)]() mutable {
    sending_.stop(
        [this, closed = std::move(closed)]() mutable { receiving_.stop(std::move(closed)); });
  });
}

}  // namespace anchor::io
