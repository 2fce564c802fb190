#include "tests/chaos/lock_holder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/chaos/lease_time.h"

namespace anchor::chaos {
namespace {

using io::HttpMethod;
using nlohmann::json;

std::chrono::milliseconds in_ms(Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time);
}

}  // namespace

void LockHolder::report(const std::string& what, const Told& told, const Holding& holding) {
  violations_.push_back(what + " (" + std::to_string(told.status) + ", " + told.answer.body +
                        "): " + describe(holding));
}

void LockHolder::live(const std::atomic<bool>& stopping) {
  // Each new leader gives those who are in line all of their time anew, also who has vanished: with
  // longer ones hardly anybody would get a lock.
  const Duration ttl = std::chrono::milliseconds(1000 + servers_.draw(1500));
  const Duration wait = std::chrono::milliseconds(servers_.draw(5000));
  // Who is less patient than it said gives its place up.
  const Duration patience = servers_.draw(4) == 0 ? wait / 2 + 100ms : wait + 8s;
  Holding holding{.lock = static_cast<std::uint32_t>(servers_.draw(locks_)), .holder = number_};
  const Told told =
      servers_.ask(HttpMethod::kPost,
                   path_of(holding.lock) + "?ttl=" + std::to_string(in_ms(ttl).count()) +
                       "ms&wait=" + std::to_string(in_ms(wait).count()) + "ms",
                   patience);
  holding.asked = told.sent;
  holding.acquired = told.answered;
  // Its lease was granted later than it was asked for.
  holding.sure_until = sure_end(told.sent, ttl);
  if (!told.served()) {
    ++counts_.not_served;
    return;
  }
  if (told.status == 409) {
    ++counts_.held_by_others;
    return;
  }
  if (told.status != 200) return report("a lock is neither given nor had by others", told, holding);
  ++counts_.acquired;
  const json lock = json::parse(told.answer.body);
  holding.token = lock.at("token");
  for (auto times = servers_.draw(3); times > 0 && !stopping; --times) {
    if (!keep_alive(holding, lock.at("lease"), ttl)) {
      ++counts_.lost;
      return holdings_.push_back(holding);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(
        servers_.draw(static_cast<std::uint64_t>(in_ms(ttl).count()) / 3)));
  }
  if (servers_.draw(5) == 0) {
    ++counts_.left;
  } else {
    release(holding);
  }
  holdings_.push_back(holding);
}

// False: it is lost.
bool LockHolder::keep_alive(Holding& holding, std::uint64_t lease, Duration ttl) {
  const Told told =
      servers_.ask(HttpMethod::kPost, "/lease/" + std::to_string(lease) + "/keepalive", ttl / 3);
  if (!told.served()) return true;
  if (told.status == 200) {
    ++counts_.kept_alive;
    holding.sure_until = std::max(holding.sure_until, sure_end(told.sent, ttl));
    return true;
  }
  if (told.status != 404) report("a lock's lease cannot be kept alive", told, holding);
  if (told.answered < holding.sure_until) {
    report("a lock's lease is gone before its time", told, holding);
  }
  return false;
}

void LockHolder::release(Holding& holding) {
  const Told told = servers_.ask(
      HttpMethod::kDelete, path_of(holding.lock) + "?token=" + std::to_string(holding.token), 8s);
  const TimePoint had_until = holding.sure_until;
  holding.sure_until = std::min(holding.sure_until, told.sent);
  if (!told.served()) {
    ++counts_.not_served;
  } else if (told.status == 200) {
    ++counts_.released;
  } else if (told.status == 404) {
    ++counts_.lost;
    if (told.answered < had_until) report("a lock is gone before its time", told, holding);
  } else {
    report("a lock cannot be released", told, holding);
  }
}

}  // namespace anchor::chaos
