#include "tests/chaos/holders.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace anchor::chaos {
namespace {

using io::HttpMethod;
using nlohmann::json;

// Before asking elsewhere, when nothing listens there.
constexpr auto kPause = std::chrono::milliseconds(10);
// The longest lease is 4 s; there may be an election before it ends.
constexpr Duration kEndPatience = 20s;

// How many of these there are, as any server says; -1: it does not.
int count_of(AnyServer& servers, const std::string& target, const char* name) {
  const Told told = servers.ask(HttpMethod::kGet, target, 8s);
  if (told.status != 200) return -1;
  return static_cast<int>(json::parse(told.answer.body).at(name).size());
}

}  // namespace

Holders::Holders(const HoldersOptions& options, const Host& host,
                 std::vector<cluster::Endpoint> servers)
    : options_(options), host_(host), servers_(std::move(servers)) {
  std::uint64_t seed = options_.seed + 2000;
  for (std::uint32_t number = 0; number < options_.lease_holders; ++number) {
    lease_holders_.push_back(
        std::make_unique<LeaseHolder>(number, servers_, ++seed, lease_counts_));
    start(*lease_holders_.back());
  }
  for (std::uint32_t number = 0; number < options_.lock_holders; ++number) {
    lock_holders_.push_back(
        std::make_unique<LockHolder>(number, options_.locks, servers_, ++seed, lock_counts_));
    start(*lock_holders_.back());
  }
}

template <typename Holder>
void Holders::start(Holder& holder) {
  threads_.emplace_back([this, &holder] {
    host_.enter();
    while (!stopping_) {
      holder.live(stopping_);
      std::this_thread::sleep_for(kPause);
    }
  });
}

void Holders::stop() {
  if (stopping_.exchange(true)) return;
  for (std::thread& thread : threads_) thread.join();
  const auto add = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  for (const auto& holder : lease_holders_) add(violations_, holder->violations());
  for (const auto& holder : lock_holders_) {
    add(violations_, holder->violations());
    add(holdings_, holder->holdings());
  }
}

std::vector<std::string> Holders::see_all_end() {
  std::vector<std::string> wrong;
  std::thread([&] {
    host_.enter();
    AnyServer servers(servers_, options_.seed);
    const auto end = std::chrono::steady_clock::now() + kEndPatience;
    const std::pair<std::string, const char*> all[] = {
        {"/lease", "leases"},
        {"/kv/?prefix=" + std::string(LeaseHolder::kPrefix), "kvs"},
        {"/kv/?prefix=lock/", "kvs"}};
    for (const auto& [target, name] : all) {
      int left = -1;
      const auto patience = std::max<Duration>(
          1s, std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now()));
      cluster::eventually([&] { return (left = count_of(servers, target, name)) == 0; }, patience);
      if (left == 0) continue;
      wrong.push_back("GET " + target + " shows " + std::to_string(left) +
                      ", though nobody keeps a lease alive and nothing is broken");
    }
    for (std::uint32_t lock = 0; wrong.empty() && lock < options_.locks; ++lock) {
      const std::string path = LockHolder::path_of(lock);
      const Told told = servers.ask(HttpMethod::kPost, path + "?ttl=1s", 8s);
      if (told.status == 200) continue;
      wrong.push_back("POST " + path + " is answered with " + std::to_string(told.status) + " (" +
                      told.answer.body + "), though nobody has the lock and nothing is broken");
    }
  }).join();
  return wrong;
}

}  // namespace anchor::chaos
