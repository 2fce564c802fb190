// How long a node takes to write its state as a snapshot's bytes, and to come back from them: the
// first is time of a thread beside the loop, the second is time in which a node cannot serve.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/codec/snapshot_codec.h"
#include "core/raft/configuration.h"

namespace anchor::codec {
namespace {

constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kValueBytes = 256;

std::string key_of(std::size_t number) {
  std::string digits = std::to_string(number);
  return std::string(kKeyDigits - digits.size(), '0') + digits;
}

kv::Store make_store(std::size_t count) {
  const Bytes value = Bytes::copy_of(std::string(kValueBytes, 'v'));
  kv::Store store;
  for (std::size_t i = 0; i < count; ++i) {
    store.apply(kv::Put{.key = key_of(i), .value = value, .condition = kv::Always{}});
  }
  return store;
}

SnapshotMeta make_meta() {
  return {.cluster_id = raft::ClusterId(1),
          .position = {.index = raft::Index(2), .term = raft::Term(1)},
          .configuration_index = raft::Index(1),
          .configuration = std::make_shared<const raft::Configuration>(raft::founding_configuration(
              {{raft::ServerId("n1"), raft::Incarnation(0), "a:1", "a:2"}}))};
}

std::vector<Bytes> frames_of(const kv::Store& store) {
  std::vector<Bytes> frames;
  SnapshotWriter writer(make_meta(), store);
  while (auto frame = writer.next()) frames.push_back(*std::move(frame));
  return frames;
}

void snapshot_write(benchmark::State& state) {
  const kv::Store store = make_store(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    SnapshotWriter writer(make_meta(), store);
    while (auto frame = writer.next()) benchmark::DoNotOptimize(frame->data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void snapshot_read(benchmark::State& state) {
  const auto frames = frames_of(make_store(static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    SnapshotReader reader;
    for (const Bytes& frame : frames) ANCHOR_ASSERT(reader.take(frame.view()).has_value());
    Result<Snapshot> snapshot = reader.finish();
    ANCHOR_ASSERT(snapshot.has_value());
    // To let go of the store is no part of starting.
    state.PauseTiming();
    snapshot->store = kv::Store();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(100'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
}

BENCHMARK(snapshot_write)->Apply(sizes);
BENCHMARK(snapshot_read)->Apply(sizes);

}  // namespace
}  // namespace anchor::codec
