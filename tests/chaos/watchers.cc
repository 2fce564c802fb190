#include "tests/chaos/watchers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace anchor::chaos {
namespace {

constexpr Duration kConnectPatience = 1s;
// So often one that waits looks whether it is to stop.
constexpr Duration kLookAround = 200ms;
// Streams say within ten seconds that they are there; who is less patient goes elsewhere earlier.
constexpr Duration kSilence[] = {1s, 4s, 12s};
constexpr Duration kLongestSilence = 12s;
// Before asking elsewhere, when nothing listens there.
constexpr auto kPause = std::chrono::milliseconds(10);
// Each must hear within so long of what there is when nothing is broken.
constexpr Duration kHearPatience = 20s;

}  // namespace

Watchers::Watchers(std::size_t count, std::uint64_t seed, const Host& host,
                   std::vector<cluster::Endpoint> servers)
    : host_(host), servers_(std::move(servers)) {
  for (std::uint32_t number = 0; number < count; ++number) {
    auto watcher = std::make_unique<Watcher>();
    watcher->number = number;
    watcher->random.seed(static_cast<std::uint32_t>(seed + 1000 + number));
    watchers_.push_back(std::move(watcher));
  }
  for (const auto& watcher : watchers_)
    watcher->thread = std::thread([this, &watcher] { run(*watcher); });
}

std::vector<std::string> Watchers::hear_all(Revision last) {
  const auto behind = [last](const auto& watcher) { return watcher->heard < last; };
  cluster::eventually([&] { return std::ranges::none_of(watchers_, behind); }, kHearPatience);
  std::vector<std::string> deaf;
  for (const auto& watcher : watchers_) {
    const Revision heard = watcher->heard;
    if (heard >= last) continue;
    deaf.push_back("watcher " + std::to_string(watcher->number) + " has heard of revision " +
                   std::to_string(heard) + " at last, and not of " + std::to_string(last) +
                   ", though nothing is broken");
  }
  return deaf;
}

void Watchers::stop() {
  if (stopping_.exchange(true)) return;
  for (const auto& watcher : watchers_) {
    watcher->thread.join();
    std::ranges::move(watcher->connections, std::back_inserter(connections_));
    violations_.insert(violations_.end(), watcher->violations.begin(), watcher->violations.end());
  }
}

void Watchers::run(Watcher& watcher) {
  host_.enter();
  while (!stopping_) {
    watch(watcher);
    std::this_thread::sleep_for(kPause);
  }
}

// Now and then it goes back, as one that was restored, or to the beginning. After a resync it asks
// for about the oldest revision that is still there: it is there whole, or there is another resync.
Revision Watchers::choose_last_id(Watcher& watcher) {
  const Revision compacted = std::exchange(watcher.compacted, 0);
  if (!staying_ && compacted != 0) return compacted - 1 + watcher.random() % 4;
  const bool by_progress = watcher.random() % 2 == 0;
  const Revision last = by_progress ? watcher.heard.load() : watcher.last_id;
  const auto way = watcher.random() % 24;
  if (staying_ || way > 3) return last;
  const Revision back = 1 + watcher.random() % 400;
  return way < 2 || last <= back ? 0 : last - back;
}

void Watchers::watch(Watcher& watcher) {
  const auto server = static_cast<std::uint32_t>(watcher.random() % servers_.size());
  auto connection = cluster::Connection::open(servers_[server], kConnectPatience);
  if (!connection) return;
  // `from` counts only for who has no id yet.
  const Revision last = choose_last_id(watcher);
  std::string request =
      "GET /watch?prefix=k&prev=true&progress=true&from=1 HTTP/1.1\r\nHost: anchor\r\n";
  if (last != 0) request += "Last-Event-ID: " + std::to_string(last) + "\r\n";
  if (!connection->send(request + "\r\n")) return;
  WatchConnection seen{.watcher = watcher.number, .server = server, .from = last + 1};
  follow(watcher, *connection, seen);
  if (!seen.shown.empty()) watcher.connections.push_back(std::move(seen));
}

void Watchers::follow(Watcher& watcher, cluster::Connection& connection, WatchConnection& seen) {
  const Duration silence = kSilence[watcher.random() % std::size(kSilence)];
  Stay stay{.events_most = 1 + watcher.random() % 300,
            .leaves_within = watcher.random() % 2 == 0,
            .silence_most = silence};
  EventStream stream;
  auto heard_at = std::chrono::steady_clock::now();
  bool counted = false;
  while (!stopping_) {
    const auto received = connection.receive(kLookAround);
    if (received && received->empty()) return;
    if (received) {
      heard_at = std::chrono::steady_clock::now();
      stream.take(*received);
    }
    if (stream.status() == 200 && seen.from > 1 && !std::exchange(counted, true)) {
      ++counts_.resumptions;
    }
    if (!take(watcher, stream, seen, stay)) return;
    const auto most = staying_ ? kLongestSilence : stay.silence_most;
    if (std::chrono::steady_clock::now() - heard_at > most) return;
  }
}

// False: it goes on elsewhere.
bool Watchers::take(Watcher& watcher, EventStream& stream, WatchConnection& seen, Stay& stay) {
  while (const auto shown = stream.next()) {
    keep(watcher, *shown, seen);
    if (shown->kind != Shown::Kind::kEvent) continue;
    if (stay.events_most > 0) --stay.events_most;
    const bool within = !shown->last_of_revision;
    if (staying_ || stay.events_most > 0 || (stay.leaves_within && !within)) continue;
    counts_.within += within ? 1 : 0;
    return false;
  }
  const bool refused = stream.status() == 503 || stream.status() == 504;
  if (!stream.fault().empty() || (stream.status() != 0 && stream.status() != 200 && !refused)) {
    watcher.violations.push_back(describe(seen) + ": status " + std::to_string(stream.status()) +
                                 ", " + stream.fault());
    return false;
  }
  return !refused && !stream.ended();
}

void Watchers::keep(Watcher& watcher, const Shown& shown, WatchConnection& seen) {
  const bool progress = shown.kind == Shown::Kind::kProgress;
  const bool resync = shown.kind == Shown::Kind::kResync;
  if (progress) ++counts_.progress;
  if (resync) {
    ++counts_.resyncs;
    if (watcher.random() % 4 != 0) watcher.compacted = shown.previous_revision;
  }
  if (!progress && !resync) ++counts_.events;
  if (progress || resync || shown.last_of_revision) {
    watcher.heard = std::max(watcher.heard.load(), shown.revision);
  }
  if (resync || shown.last_of_revision) watcher.last_id = std::max(watcher.last_id, shown.revision);
  const bool goes_on = progress && !seen.shown.empty() &&
                       seen.shown.back().kind == Shown::Kind::kProgress &&
                       seen.shown.back().revision <= shown.revision;
  if (goes_on) {
    seen.shown.back() = shown;
  } else {
    seen.shown.push_back(shown);
  }
}

}  // namespace anchor::chaos
