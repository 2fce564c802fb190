#include "tests/chaos/lease_holder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/chaos/lease_time.h"
#include "tests/chaos/requests.h"

namespace anchor::chaos {
namespace {

using io::HttpMethod;
using nlohmann::json;

constexpr Duration kPatience[] = {300ms, 1s, 8s};
// Between two looks at a key.
constexpr auto kLookInterval = std::chrono::milliseconds(100);

std::string path_of_lease(std::uint64_t id) {
  return "/lease/" + std::to_string(id);
}

}  // namespace

void LeaseHolder::report(const std::string& what, const Told& told, const Lease& lease) {
  const auto us = [](TimePoint at) {
    return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  };
  violations_.push_back(what + " (" + std::to_string(told.status) + ", " + told.answer.body +
                        "): lease " + std::to_string(lease.id) + ", key " + lease.key +
                        ", asked in [" + std::to_string(us(told.sent)) + ", " +
                        std::to_string(us(told.answered)) + "], alive until " +
                        std::to_string(us(lease.sure_until)));
}

void LeaseHolder::live(const std::atomic<bool>& stopping) {
  const std::string name = std::to_string(number_) + "/" + std::to_string(++last_key_);
  Lease lease{.key = std::string(kPrefix) + name, .value = name};
  lease.ttl = std::chrono::seconds(2 + servers_.draw(3));
  if (!(servers_.draw(3) == 0 ? grant_with_key(lease) : grant(lease))) return;
  for (auto times = servers_.draw(6); times > 0 && !stopping && !lease.gone; --times) {
    const auto next = std::chrono::steady_clock::now() + lease.ttl / 3;
    while (!stopping && std::chrono::steady_clock::now() < next) {
      look_at(lease);
      std::this_thread::sleep_for(kLookInterval);
    }
    keep_alive(lease);
  }
  if (lease.gone) return keep_alive(lease);
  if (stopping) return;
  if (servers_.draw(2) == 0) return revoke(lease);
  ++counts_.left;
  wait_for_end(lease, stopping);
}

bool LeaseHolder::grant(Lease& lease) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lease.ttl).count();
  const Told told = servers_.ask(HttpMethod::kPost, "/lease?ttl=" + std::to_string(seconds) + "s",
                                 kPatience[servers_.draw(std::size(kPatience))]);
  if (told.status == 200) {
    ++counts_.granted;
    lease.id = json::parse(told.answer.body).at("id");
    lease.sure_until = sure_end(told.sent, lease.ttl);
    put(lease);
    return true;
  }
  if (told.served()) report("a lease is not granted", told, lease);
  ++counts_.not_served;
  return false;
}

bool LeaseHolder::grant_with_key(Lease& lease) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lease.ttl).count();
  const Told told =
      servers_.ask(HttpMethod::kPut, "/kv/" + lease.key + "?ttl=" + std::to_string(seconds) + "s",
                   kPatience[servers_.draw(std::size(kPatience))], lease.value);
  if (told.status == 200) {
    ++counts_.granted;
    ++counts_.granted_with_key;
    lease.id = number_in(told.answer.header("Anchor-Lease"));
    lease.sure_until = sure_end(told.sent, lease.ttl);
    lease.put = true;
    return true;
  }
  if (told.served()) report("a key with a lease of its own is not written", told, lease);
  ++counts_.not_served;
  return false;
}

void LeaseHolder::put(Lease& lease) {
  const Told told =
      servers_.ask(HttpMethod::kPut, "/kv/" + lease.key + "?lease=" + std::to_string(lease.id),
                   kPatience[servers_.draw(std::size(kPatience))], lease.value);
  if (told.status == 200) {
    lease.put = true;
  } else if (told.status == 404) {
    if (told.answered < lease.sure_until) report("a lease is not there to put with", told, lease);
    lease.gone = true;
  } else if (told.served()) {
    report("a key is not written with a lease", told, lease);
  } else {
    ++counts_.not_served;
  }
}

// A reading that began and ended while the lease was alive for certain must find the key.
void LeaseHolder::look_at(Lease& lease) {
  if (!lease.put) return;
  const bool by_lease = servers_.draw(4) == 0;
  const Told told =
      servers_.ask(HttpMethod::kGet, "/kv/" + lease.key + (by_lease ? "?consistency=lease" : ""),
                   kPatience[servers_.draw(std::size(kPatience))]);
  if (!told.served()) return;
  const bool alive = told.answered < lease.sure_until;
  if (alive) ++counts_.reads;
  if (told.status == 404 && alive) return report("a key is gone before its lease", told, lease);
  if (told.status == 404) return;
  if (told.status != 200 || told.answer.body != lease.value) {
    return report("a key with a lease is not what was put", told, lease);
  }
  if (number_in(told.answer.header("Anchor-Lease")) != lease.id) {
    report("a key has another lease", told, lease);
  }
}

// Once it was told to be gone it must not come back.
void LeaseHolder::keep_alive(Lease& lease) {
  const Told told = servers_.ask(HttpMethod::kPost, path_of_lease(lease.id) + "/keepalive",
                                 kPatience[servers_.draw(std::size(kPatience))]);
  if (told.status == 200) {
    ++counts_.kept_alive;
    lease.sure_until = std::max(lease.sure_until, sure_end(told.sent, lease.ttl));
    if (lease.gone) report("a lease came back", told, lease);
  } else if (told.status == 404) {
    if (!lease.gone && told.answered < lease.sure_until) {
      report("a lease is gone before its time", told, lease);
    }
    lease.gone = true;
  } else if (told.served()) {
    report("a lease cannot be kept alive", told, lease);
  }
}

void LeaseHolder::revoke(Lease& lease) {
  const Told told = servers_.ask(HttpMethod::kDelete, path_of_lease(lease.id), 8s);
  if (told.status == 404 && told.answered < lease.sure_until) {
    report("a lease is not there to be revoked", told, lease);
  }
  if (!told.served()) {
    ++counts_.not_served;
    return;
  }
  if (told.status != 200) {
    if (told.status != 404) report("a lease cannot be revoked", told, lease);
    return;
  }
  ++counts_.revoked;
  const auto deleted = json::parse(told.answer.body).at("deleted").get<int>();
  if (deleted > 1 || (lease.put && deleted != 1)) {
    report("a lease had other keys than were put with it", told, lease);
  }
  const Told read = servers_.ask(HttpMethod::kGet, "/kv/" + lease.key, 8s);
  if (read.status == 200) report("a key outlives its lease", read, lease);
}

// Each new leader gives it all of its time anew; when it must be over is seen once all is mended.
void LeaseHolder::wait_for_end(Lease& lease, const std::atomic<bool>& stopping) {
  if (!lease.put) return;
  const auto end = std::chrono::steady_clock::now() + 3 * lease.ttl;
  bool gone = false;
  while (!stopping && !gone && std::chrono::steady_clock::now() < end) {
    look_at(lease);
    const Told told = servers_.ask(HttpMethod::kGet, "/kv/" + lease.key, 2s);
    gone = told.status == 404;
    std::this_thread::sleep_for(kLookInterval);
  }
  if (!gone) return;
  ++counts_.ended;
  lease.gone = true;
  keep_alive(lease);
}

}  // namespace anchor::chaos
