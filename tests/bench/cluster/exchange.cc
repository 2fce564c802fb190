#include "tests/bench/cluster/exchange.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "tests/bench/cluster/figures.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kConnections = 4;
constexpr std::size_t kInFlight = 64;
constexpr std::size_t kKeyBytes = 32;

// All on one connection. What is to be sent again remains in `numbers`.
void exchange_some(std::uint16_t port, const Exchange& requests,
                   std::vector<std::size_t>& numbers) {
  cluster::HttpClient client(port);
  std::vector<std::size_t> again;
  for (std::size_t begin = 0; begin < numbers.size(); begin += kInFlight) {
    const std::size_t end = std::min(begin + kInFlight, numbers.size());
    for (std::size_t i = begin; i < end; ++i) {
      const auto method = requests.body ? io::HttpMethod::kPut : io::HttpMethod::kGet;
      cluster::HttpExtra extra;
      if (requests.body) extra.body = requests.body(numbers[i]);
      const auto sent = client.send(method, requests.target(numbers[i]), extra);
      if (!sent) give_up("a request could not be sent: " + sent.error().message);
    }
    for (std::size_t i = begin; i < end; ++i) {
      const auto answer = client.receive();
      if (!answer) give_up("a request had no answer: " + answer.error().message);
      if (!requests.take(numbers[i], *answer)) again.push_back(numbers[i]);
    }
  }
  numbers = std::move(again);
}

}  // namespace

void exchange(std::uint16_t port, std::size_t count, const Exchange& requests) {
  std::vector<std::thread> threads;
  for (std::size_t lane = 0; lane < kConnections; ++lane) {
    threads.emplace_back([&, lane] {
      std::vector<std::size_t> numbers;
      for (std::size_t i = lane; i < count; i += kConnections) numbers.push_back(i);
      for (int round = 0; !numbers.empty(); ++round) {
        if (round == 100) give_up("requests are refused again and again");
        if (round > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
        exchange_some(port, requests, numbers);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::string numbered_key(std::size_t number) {
  const std::string digits = std::to_string(number);
  return "k" + std::string(kKeyBytes - 1 - digits.size(), '0') + digits;
}

std::string value_of(const std::string& key, std::size_t bytes) {
  std::string value;
  while (value.size() < bytes) value.append(key).push_back(' ');
  value.resize(bytes);
  return value;
}

void fill(std::uint16_t port, std::size_t count, std::size_t value_bytes) {
  exchange(port, count,
           {.target = [](std::size_t i) { return "/kv/" + numbered_key(i); },
            .body = [&](std::size_t i) { return value_of(numbered_key(i), value_bytes); },
            .take = [](std::size_t,
                       const cluster::HttpAnswer& answer) { return answer.status == 200; }});
}

std::size_t count_wrong(std::uint16_t port, std::size_t count, std::size_t value_bytes) {
  std::atomic<std::size_t> wrong = 0;
  exchange(port, count,
           {.target = [](std::size_t i) { return "/kv/" + numbered_key(i); },
            .take =
                [&](std::size_t i, const cluster::HttpAnswer& answer) {
                  if (answer.status == 503) return false;
                  const bool right = answer.body == value_of(numbered_key(i), value_bytes);
                  if (!right) ++wrong;
                  return true;
                }});
  return wrong;
}

}  // namespace anchor::bench
