// The copy-on-write tree beside std::map, which is what a store without snapshots might use: how
// much does it cost that a copy of the whole store is free?
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/kv/tree.h"

namespace anchor::kv {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kValueBytes = 256;

using Map = std::map<std::string, ItemRef, std::less<>>;

std::vector<std::string> make_keys(std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "bench-%012zu", i);
    keys.emplace_back(text.data());
  }
  return keys;
}

// One item a key, made beforehand, so that only the container is measured.
std::vector<ItemRef> make_items(const std::vector<std::string>& keys) {
  const std::string value(kValueBytes, 'v');
  std::vector<ItemRef> items;
  for (const std::string& key : keys) items.push_back(Item::create(key, as_bytes(value), {}));
  return items;
}

Tree make_tree(const std::vector<ItemRef>& items) {
  Tree tree;
  for (const ItemRef& item : items) tree.put(item);
  return tree;
}

Map make_map(const std::vector<ItemRef>& items) {
  Map map;
  for (const ItemRef& item : items) map.insert_or_assign(std::string(item->key()), item);
  return map;
}

void tree_find(benchmark::State& state) {
  const auto keys = make_keys(static_cast<std::size_t>(state.range(0)));
  const Tree tree = make_tree(make_items(keys));
  Random random(kSeed);
  for (auto _ : state) benchmark::DoNotOptimize(tree.find(keys[random.below(keys.size())]));
}

void map_find(benchmark::State& state) {
  const auto keys = make_keys(static_cast<std::size_t>(state.range(0)));
  const Map map = make_map(make_items(keys));
  Random random(kSeed);
  for (auto _ : state) benchmark::DoNotOptimize(map.find(keys[random.below(keys.size())]));
}

// Overwrites a key that is there, as most writes do.
void tree_put(benchmark::State& state) {
  const auto keys = make_keys(static_cast<std::size_t>(state.range(0)));
  const auto items = make_items(keys);
  Tree tree = make_tree(items);
  Random random(kSeed);
  for (auto _ : state) benchmark::DoNotOptimize(tree.put(items[random.below(items.size())]));
}

void map_put(benchmark::State& state) {
  const auto keys = make_keys(static_cast<std::size_t>(state.range(0)));
  const auto items = make_items(keys);
  Map map = make_map(items);
  Random random(kSeed);
  for (auto _ : state) {
    const ItemRef& item = items[random.below(items.size())];
    benchmark::DoNotOptimize(map.find(item->key())->second = item);
  }
}

// From the empty container to all keys, in an order without order.
void tree_build(benchmark::State& state) {
  auto items = make_items(make_keys(static_cast<std::size_t>(state.range(0))));
  Random random(kSeed);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
  for (auto _ : state) benchmark::DoNotOptimize(make_tree(items).size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void map_build(benchmark::State& state) {
  auto items = make_items(make_keys(static_cast<std::size_t>(state.range(0))));
  Random random(kSeed);
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
  for (auto _ : state) benchmark::DoNotOptimize(make_map(items).size());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// A snapshot before every put, held until the next: each put copies the path from the root. For
// std::map the same would be a copy of everything, which is not worth measuring.
void tree_snapshot_and_put(benchmark::State& state) {
  const auto keys = make_keys(static_cast<std::size_t>(state.range(0)));
  const auto items = make_items(keys);
  Tree tree = make_tree(items);
  Tree snapshot;
  Random random(kSeed);
  for (auto _ : state) {
    snapshot = tree;
    benchmark::DoNotOptimize(tree.put(items[random.below(items.size())]));
  }
}

void tree_scan(benchmark::State& state) {
  const Tree tree = make_tree(make_items(make_keys(static_cast<std::size_t>(state.range(0)))));
  for (auto _ : state) {
    for (auto cursor = tree.begin(); cursor.valid(); cursor.next()) {
      benchmark::DoNotOptimize(cursor.item().get());
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void map_scan(benchmark::State& state) {
  const Map map = make_map(make_items(make_keys(static_cast<std::size_t>(state.range(0)))));
  for (auto _ : state) {
    for (const auto& [key, item] : map) benchmark::DoNotOptimize(item.get());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(1'000)->Arg(100'000)->Arg(1'000'000);
}

BENCHMARK(tree_find)->Apply(sizes);
BENCHMARK(map_find)->Apply(sizes);
BENCHMARK(tree_put)->Apply(sizes);
BENCHMARK(map_put)->Apply(sizes);
BENCHMARK(tree_snapshot_and_put)->Apply(sizes);
BENCHMARK(tree_build)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(map_build)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(tree_scan)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK(map_scan)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace anchor::kv
