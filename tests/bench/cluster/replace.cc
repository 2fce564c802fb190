#include <algorithm>
#include <iostream>
#include <iterator>
#include <vector>

#include "tests/bench/cluster/local_cluster.h"
#include "tests/bench/cluster/measurements.h"
#include "tests/bench/cluster/verification.h"
#include "tests/cluster/eventually.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kVoters = 5;
constexpr std::size_t kReplaced = 3;

void wait_for_voters(const Server& asked, std::size_t count) {
  if (!cluster::eventually([&] { return asked.voter_count() == count; })) {
    give_up("there are not " + std::to_string(count) + " voters");
  }
}

// The next change of members has to wait for the end of the one before it.
void remove(const Server& asked, const Server& old) {
  std::string answered;
  const bool removed = cluster::eventually([&] {
    const auto answer = asked.post("/remove", {{"id", old.id()}});
    answered = answer ? answer->body : answer.error().message;
    return answer && answer->status == 200;
  });
  if (!removed) give_up("it cannot be removed: " + answered);
}

bool failed(const Write& write) {
  // What was refused still when the load stopped would have been tried again.
  return write.outcome != Outcome::kAcknowledged && write.outcome != Outcome::kRefused;
}

// By the server that was asked. Returns how many there are.
std::size_t print_failures(const LocalCluster& cluster, const std::vector<Write>& writes) {
  Table table({"failed writes to", "504", "connection lost", "otherwise", "longest wait"});
  std::size_t total = 0;
  for (std::size_t i = 0; i < cluster.size(); ++i) {
    std::vector<Write> here;
    std::ranges::copy_if(writes, std::back_inserter(here),
                         [&](const Write& write) { return write.server == i && failed(write); });
    if (here.empty()) continue;
    Duration longest{};
    for (const Write& write : here) longest = std::max(longest, between(write.begin, write.end));
    const auto count = [&](Outcome outcome) { return std::to_string(count_of(here, outcome)); };
    table.add({cluster[i].id(), count(Outcome::kUnknown), count(Outcome::kLost),
               count(Outcome::kOther), in_ms(longest)});
    total += here.size();
  }
  if (total > 0) {
    table.print();
    std::cout << '\n';
  }
  return total;
}

}  // namespace

bool measure_replace(const ReplaceOptions& options) {
  LocalCluster cluster(options.directory, kVoters + kReplaced);
  cluster.found(kVoters);
  Load load({.ports = cluster.http_ports(), .clients = options.clients, .retry_refused = true});
  const Server& stays = cluster[kVoters - 1];
  Table table({"replaced", "voter after", "removed after", "stopped after", "longest gap"});
  struct Step {
    TimePoint begin{}, voter{}, removed{}, stopped{};
  };
  std::vector<Step> steps;
  for (std::size_t i = 0; i < kReplaced; ++i) {
    load.wait_for_acknowledged(200);
    Server& old = cluster[i];
    Server& fresh = cluster[kVoters + i];
    Step step{.begin = Clock::now()};
    fresh.start({"--peers", stays.peer_address()});
    wait_for_voters(stays, kVoters + 1);
    step.voter = Clock::now();
    remove(fresh, old);
    wait_for_voters(stays, kVoters);
    step.removed = Clock::now();
    old.terminate();
    step.stopped = Clock::now();
    steps.push_back(step);
  }
  load.wait_for_acknowledged(200);
  load.stop();
  cluster.wait_until_ready();
  cluster.wait_until_equal();

  for (std::size_t i = 0; i < kReplaced; ++i) {
    const Step& step = steps[i];
    table.add({cluster[i].id() + " by " + cluster[kVoters + i].id(),
               in_ms(between(step.begin, step.voter)), in_ms(between(step.begin, step.removed)),
               in_ms(between(step.begin, step.stopped)),
               in_ms(longest_gap(load.writes(), {step.begin, step.stopped}))});
  }
  table.print();
  const Verification found = verify(cluster[kVoters + kReplaced - 1], load);
  found.print();
  const std::size_t failures = print_failures(cluster, load.writes());
  std::cout << "replace: " << kReplaced << " of " << kVoters << " voters replaced, " << failures
            << " of " << load.writes().size()
            << " writes failed for clients that try elsewhere (aim: none); "
            << verdict(found.sound()) << '\n';
  return found.sound() && failures == 0;
}

}  // namespace anchor::bench
