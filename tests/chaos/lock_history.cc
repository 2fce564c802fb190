#include "tests/chaos/lock_history.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>

namespace anchor::chaos {
namespace {

using Of = std::vector<Holding>;  // one lock

void check_tokens_differ(Of holdings, std::vector<std::string>& found) {
  std::ranges::sort(holdings, {}, &Holding::token);
  for (std::size_t i = 1; i < holdings.size(); ++i) {
    if (holdings[i].token != holdings[i - 1].token) continue;
    found.push_back("two have the same token: " + describe(holdings[i - 1]) + ", and " +
                    describe(holdings[i]));
  }
}

void check_one_at_a_time(Of holdings, std::vector<std::string>& found) {
  std::erase_if(holdings, [](const Holding& h) { return h.sure_until <= h.acquired; });
  std::ranges::sort(holdings, {}, &Holding::acquired);
  const Holding* last = nullptr;
  for (const Holding& holding : holdings) {
    if (last != nullptr && holding.acquired < last->sure_until) {
      found.push_back("two have the lock: " + describe(*last) + ", and " + describe(holding));
    }
    if (last == nullptr || holding.sure_until > last->sure_until) last = &holding;
  }
}

void check_tokens_grow(const Of& holdings, std::vector<std::string>& found) {
  std::vector<const Holding*> by_acquired;
  std::vector<const Holding*> by_asked;
  for (const Holding& holding : holdings) {
    by_acquired.push_back(&holding);
    by_asked.push_back(&holding);
  }
  std::ranges::sort(by_acquired, {}, &Holding::acquired);
  std::ranges::sort(by_asked, {}, &Holding::asked);
  const Holding* highest = nullptr;  // of those that were told before
  std::size_t told = 0;
  for (const Holding* holding : by_asked) {
    for (; told < by_acquired.size() && by_acquired[told]->acquired < holding->asked; ++told) {
      const Holding* other = by_acquired[told];
      if (highest == nullptr || other->token > highest->token) highest = other;
    }
    if (highest == nullptr || holding->token > highest->token) continue;
    if (holding->token == highest->token) continue;  // which is told otherwise
    found.push_back("a token is lower than one that was told before it was asked for: " +
                    describe(*highest) + ", and " + describe(*holding));
  }
}

}  // namespace

std::string describe(const Holding& holding) {
  const auto since = [](TimePoint at) {
    return std::to_string(
        std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count());
  };
  return "lock " + std::to_string(holding.lock) + " by holder " + std::to_string(holding.holder) +
         ", token " + std::to_string(holding.token) + ", asked for at " + since(holding.asked) +
         ", had in [" + since(holding.acquired) + ", " + since(holding.sure_until) + "]";
}

std::vector<std::string> find_lock_violations(const std::vector<Holding>& holdings) {
  std::map<std::uint32_t, Of> locks;
  for (const Holding& holding : holdings) locks[holding.lock].push_back(holding);
  std::vector<std::string> found;
  for (const auto& [lock, of] : locks) {
    check_tokens_differ(of, found);
    check_one_at_a_time(of, found);
    check_tokens_grow(of, found);
  }
  return found;
}

}  // namespace anchor::chaos
