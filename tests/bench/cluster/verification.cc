#include "tests/bench/cluster/verification.h"

#include <iostream>
#include <mutex>

#include "tests/bench/cluster/exchange.h"

namespace anchor::bench {
namespace {

void judge(const Write& write, const HttpAnswer& answer, std::size_t value_bytes,
           Verification& found) {
  const bool there = answer.status == 200;
  const bool right = answer.body == value_of(write.key(), value_bytes);
  if (there && !right) ++found.wrong_value;
  if (there && right && answer.header("Anchor-Version") != "1") ++found.twice;
  switch (write.outcome) {
    case Outcome::kAcknowledged:
      ++found.acknowledged;
      if (!there) ++found.lost;
      break;
    case Outcome::kRefused:
      ++found.refused;
      if (there) ++found.refused_applied;
      break;
    case Outcome::kUnknown:
      ++found.unknown;
      if (there) ++found.unknown_applied;
      break;
    case Outcome::kLost:
      ++found.cut_off;
      if (there) ++found.cut_off_applied;
      break;
    case Outcome::kOther:
      ++found.unexpected;
      break;
  }
}

}  // namespace

Verification verify(const Server& server, const Load& load) {
  const auto& writes = load.writes();
  Verification found;
  std::mutex mutex;
  exchange(server.http_port(), writes.size(),
           {.target = [&](std::size_t i) { return "/kv/" + writes[i].key(); },
            .take =
                [&](std::size_t i, const HttpAnswer& answer) {
                  if (answer.status != 200 && answer.status != 404) return false;
                  const std::scoped_lock lock(mutex);
                  judge(writes[i], answer, load.options().value_bytes, found);
                  return true;
                }});
  return found;
}

void Verification::print() const {
  const auto text = [](std::size_t count) { return std::to_string(count); };
  std::cout << "\nverified, every key, by linearizable reads:\n";
  Table table({"writes", "count", ""});
  table.add({"acknowledged", text(acknowledged), text(lost) + " lost"});
  table.add({"refused (503)", text(refused), text(refused_applied) + " applied all the same"});
  table.add({"unknown (504)", text(unknown), text(unknown_applied) + " turned out applied"});
  table.add({"connection lost", text(cut_off), text(cut_off_applied) + " turned out applied"});
  table.add({"answered otherwise", text(unexpected), ""});
  table.print();
  std::cout << "of all that are there, " << wrong_value << " have another value, " << twice
            << " were applied twice\n\n";
}

std::string verdict(bool sound) {
  return sound ? "nothing lost, nothing twice" : "WRONG: see above";
}

}  // namespace anchor::bench
