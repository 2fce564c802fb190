#include "tests/bench/cluster/load.h"

#include <algorithm>
#include <random>
#include <utility>

#include "tests/bench/cluster/exchange.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {
namespace {

// After a refusal, before the next request: there may be no leader for a while.
constexpr auto kPause = std::chrono::milliseconds(1);

Outcome outcome_of(int status) {
  switch (status) {
    case 200:
      return Outcome::kAcknowledged;
    case 503:
      return Outcome::kRefused;
    case 504:
      return Outcome::kUnknown;
    default:
      return Outcome::kOther;
  }
}

// None: it was not sent.
std::optional<Outcome> put(cluster::HttpClient& server, const std::string& target,
                           const std::string& value) {
  // A request is small enough to be taken as a whole: of one that cannot be sent, nothing was.
  if (!server.send(io::HttpMethod::kPut, target, {.body = value})) return std::nullopt;
  const auto answer = server.receive();
  return answer ? outcome_of(answer->status) : Outcome::kLost;
}

}  // namespace

Load::Load(LoadOptions options) : options_(std::move(options)) {
  for (std::size_t i = 0; i < options_.clients; ++i) clients_.push_back(std::make_unique<Client>());
  for (std::uint32_t i = 0; i < options_.clients; ++i) {
    clients_[i]->thread = std::thread([this, i] { run(i); });
  }
}

void Load::wait_for_acknowledged(std::uint64_t more) const {
  const std::uint64_t wanted = acknowledged_count_ + more;
  if (!cluster::eventually([&] { return acknowledged_count_ >= wanted; })) {
    give_up("writes do not go on");
  }
}

bool Load::acknowledged_since(TimePoint begin) const {
  return newest_begin_.load() >= begin.time_since_epoch();
}

void Load::start_write(std::size_t server) {
  const auto number = static_cast<std::uint32_t>(options_.clients) + started_count_++;
  started_.push_back(std::make_unique<Client>());
  Client& client = *started_.back();
  client.thread = std::thread([this, number, port = options_.ports[server], &client] {
    std::vector<cluster::HttpClient> one;
    one.emplace_back(port);
    std::uint32_t turn = 0;
    const Write write{.client = number, .begin = Clock::now()};
    carry_out(write, write.key(), turn, one, client.writes);
  });
}

void Load::wait_for_started_writes() {
  for (const auto& client : std::exchange(started_, {})) {
    client->thread.join();
    writes_.insert(writes_.end(), client->writes.begin(), client->writes.end());
  }
}

void Load::stop() {
  if (stopping_.exchange(true)) return;
  wait_for_started_writes();
  for (const auto& client : clients_) client->thread.join();
  for (const auto& client : clients_) {
    writes_.insert(writes_.end(), client->writes.begin(), client->writes.end());
    client->writes = {};
  }
  std::ranges::sort(writes_, {}, &Write::end);
}

void Load::carry_out(Write write, const std::string& key, std::uint32_t& turn,
                     std::vector<cluster::HttpClient>& servers, std::vector<Write>& writes) {
  const std::string target = "/kv/" + key + (options_.keys == 0 ? "?cas=0" : "");
  const std::string value = value_of(key, options_.value_bytes);
  while (true) {
    write.server = turn++ % static_cast<std::uint32_t>(servers.size());
    const auto outcome = put(servers[write.server], target, value);
    write.outcome = outcome.value_or(Outcome::kRefused);
    if (write.outcome != Outcome::kRefused) break;
    // One that never left may go elsewhere, whatever the options say.
    if ((outcome && !options_.retry_refused) || stopping_) break;
    std::this_thread::sleep_for(kPause);
  }
  write.end = Clock::now();
  writes.push_back(write);
  if (write.outcome != Outcome::kAcknowledged) return;
  ++acknowledged_count_;
  auto newest = newest_begin_.load();
  const auto begin = write.begin.time_since_epoch();
  while (newest < begin && !newest_begin_.compare_exchange_weak(newest, begin)) {
  }
}

void Load::run(std::uint32_t number) {
  std::vector<Write>& writes = clients_[number]->writes;
  std::minstd_rand random(number + 1);
  std::vector<cluster::HttpClient> servers;
  for (const std::uint16_t port : options_.ports) servers.emplace_back(port);
  std::uint32_t turn = number;
  for (std::uint32_t i = 0; !stopping_; ++i) {
    const Write write{.client = number, .number = i, .begin = Clock::now()};
    const bool creates = options_.keys == 0;
    const std::string key = creates ? write.key() : numbered_key(random() % options_.keys);
    carry_out(write, key, turn, servers, writes);
    if (writes.back().outcome == Outcome::kRefused) std::this_thread::sleep_for(kPause);
  }
}

Sample latencies(const std::vector<Write>& writes, const Window& window) {
  std::vector<Duration> found;
  for (const Write& write : writes) {
    if (write.outcome != Outcome::kAcknowledged || !window.contains(write.begin)) continue;
    found.push_back(between(write.begin, write.end));
  }
  return Sample(std::move(found));
}

Duration longest_gap(const std::vector<Write>& writes, const Window& window) {
  Duration longest{};
  TimePoint last = window.begin;
  auto at = std::ranges::lower_bound(writes, window.begin, {}, &Write::end);
  for (; at != writes.end() && at->end <= window.end; ++at) {
    if (at->outcome != Outcome::kAcknowledged) continue;
    longest = std::max(longest, between(last, at->end));
    last = at->end;
  }
  return std::max(longest, between(last, window.end));
}

std::size_t count_of(const std::vector<Write>& writes, Outcome outcome) {
  return static_cast<std::size_t>(std::ranges::count(writes, outcome, &Write::outcome));
}

}  // namespace anchor::bench
