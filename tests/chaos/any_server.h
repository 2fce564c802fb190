#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/chaos/history.h"
#include "tests/cluster/http_client.h"

namespace anchor::chaos {

// What a request was answered, and when it was sent and answered. No answer: status 0.
struct Told {
  int status = 0;
  cluster::HttpAnswer answer{};
  TimePoint sent{};
  TimePoint answered{};

  // Perhaps carried out, perhaps later, perhaps not; another try may be served.
  bool served() const { return status != 0 && status != 503 && status != 504; }
};

// One client's way to a cluster: each request goes to any server.
class AnyServer {
 public:
  AnyServer(const std::vector<cluster::Endpoint>& servers, std::uint64_t seed)
      : clients_(servers.begin(), servers.end()), random_(static_cast<std::uint32_t>(seed)) {}

  Told ask(io::HttpMethod method, std::string_view target, Duration patience,
           std::string_view body = {}) {
    cluster::HttpClient& client = clients_[draw(clients_.size())];
    client.set_patience(patience);
    Told told{.sent = std::chrono::steady_clock::now()};
    auto answer = client.request(method, target, {.body = std::string(body)});
    told.answered = std::chrono::steady_clock::now();
    if (!answer) return told;
    told.answer = *std::move(answer);
    told.status = told.answer.status;
    return told;
  }

  std::uint64_t draw(std::uint64_t bound) { return random_() % bound; }

 private:
  std::vector<cluster::HttpClient> clients_;
  std::minstd_rand random_;
};

}  // namespace anchor::chaos
