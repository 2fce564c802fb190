#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/cluster/api_document.h"
#include "tests/cluster/cluster.h"
#include "tests/cluster/openapi_exchanges.h"

// docs/openapi.yaml, held against real servers: what it says of each operation happens, and nothing
// else does.
namespace anchor::cluster {
namespace {

using io::HttpMethod;

constexpr std::array kMethods{HttpMethod::kGet, HttpMethod::kHead, HttpMethod::kPut,
                              HttpMethod::kPost, HttpMethod::kDelete};

constexpr std::string_view kNoBody = "Content-Length: 0\r\n";

HttpMethod method_of(const ApiOperation& operation) {
  return *std::ranges::find(kMethods, operation.method, io::method_name);
}

bool takes_body(std::string_view method) {
  return method == "PUT" || method == "POST";
}

std::string target_of(const ApiOperation& operation) {
  return operation.stem() + (operation.path.contains('{') ? "1" : "") + operation.ending();
}

// A request without a body.
std::string request_of(std::string_view method, std::string_view target,
                       std::string_view header_lines) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n" +
         std::string(header_lines) + "\r\n";
}

HttpExtra extra_of(HttpMethod method, const Exchange& exchange) {
  HttpExtra extra{.header_lines = exchange.header_lines + "Accept: application/json\r\n"};
  if (!takes_body(io::method_name(method))) return extra;
  extra.body = exchange.body;
  const bool json = !exchange.target.starts_with("/kv/") && !extra.body.empty();
  if (json && !extra.header_lines.contains("Content-Type:")) {
    extra.header_lines += "Content-Type: application/json\r\n";
  }
  return extra;
}

class OpenApi : public testing::Test {
 protected:
  // The election timeout is long, so that all that is asked meets one leader.
  bool start_cluster() {
    auto options = cluster_.founding_options();
    options.insert(options.end(), {"--election-timeout", "2s"});
    for (const auto& node : cluster_.nodes()) node->start(options);
    return cluster_.wait_until_ready();
  }
  // A server that waits for a cluster to join: it answers, and has nothing to tell.
  const Node& start_outside() {
    outside_[1].limit_descriptors(200);
    outside_[1].start({"--peers", outside_[0].peer_address()});
    EXPECT_TRUE(eventually([&] {
      const auto live = outside_[1].get("/livez");
      return live && live->status == 200;
    }));
    return outside_[1];
  }

  // Each request when the one before it is answered, or all before the first answer.
  enum class Pace { kInTurn, kAtOnce };
  void walk(const Node& node, const Exchanges& exchanges, Pace pace = Pace::kInTurn) {
    HttpClient client = node.client();
    if (pace == Pace::kAtOnce) {
      for_each(exchanges, [&](HttpMethod method, const Exchange& exchange) {
        ASSERT_TRUE(client.send(method, exchange.target, extra_of(method, exchange)));
      });
    }
    for_each(exchanges, [&](HttpMethod method, Exchange exchange) {
      exchange.target = std::regex_replace(exchange.target, std::regex("\\{token\\}"), token_);
      if (pace == Pace::kInTurn) {
        ASSERT_TRUE(client.send(method, exchange.target, extra_of(method, exchange)));
      }
      const std::string& until = exchange.until;
      const auto answer = until.empty() ? client.receive() : client.receive_until(until);
      ASSERT_TRUE(answer) << exchange.target << ": " << answer.error().message;
      take(method, exchange, *answer);
    });
  }

  // Every operation is asked in a way that a server refuses before it looks at what is asked.
  void walk_refusals(const Node& node) {
    for (const ApiOperation& operation : api_.operations()) {
      const std::string target = target_of(operation);
      const std::string length(takes_body(operation.method) ? kNoBody : "");
      const std::string long_text(16 << 10, 'x');
      const auto refused = [&](int status, const std::string& asked, const std::string& lines) {
        expect(node, operation, status, request_of(operation.method, asked, lines));
      };
      refused(400, target, "Host: another\r\n" + length);
      refused(413, target, "Content-Length: 3000000\r\n");
      refused(414, target + "?" + long_text, length);
      refused(417, target, "Expect: much\r\n" + length);
      refused(431, target, "X: " + long_text + "\r\n" + length);
      if (operation.method == "PUT" || operation.name() == "POST /kv/{key}") {
        refused(411, target, "");
      }
    }
  }

  // A server that has as many connections as it takes.
  void walk_crowd(const Node& node) {
    std::vector<Connection> crowd;
    for (int i = 0; i < 110; ++i) {
      crowd.push_back(Connection::open(node.http_port().number()).value());
    }
    for (const ApiOperation& operation : api_.operations()) {
      expect(node, operation, 503, request_of(operation.method, target_of(operation), ""));
    }
  }

  // A leader that falls silent. Another one leads then, and goes on.
  void walk_without_leader() {
    const Node& follower = cluster_.follower();
    Node& leader = cluster_.leader();
    leader.pause();
    walk(follower, kWithoutLeader);
    leader.resume();
    ASSERT_TRUE(cluster_.wait_until_ready());
  }

  // A leader whose followers fall silent. It leads on for a while.
  void walk_without_quorum() {
    const Node& leader = cluster_.leader();
    for (Node* other : cluster_.others(leader)) other->pause();
    walk(leader, kWithoutQuorum, Pace::kAtOnce);
  }

  // Requests whose heads do not end. They are waited for at the end of the walk.
  void begin_slow_requests(const Node& node) {
    for (const ApiOperation& operation : api_.operations()) {
      const std::string whole = request_of(operation.method, target_of(operation), "");
      slow_.emplace_back(&operation, node.client());
      ASSERT_TRUE(
          slow_.back().second.send_bytes(method_of(operation), whole.substr(0, whole.size() - 2)));
    }
  }
  void end_slow_requests() {
    for (auto& [operation, client] : slow_) take(*operation, 408, client.receive());
  }

  void expect_all_walked() {
    for (const ApiOperation& operation : api_.operations()) {
      const std::string name = operation.name();
      std::set<int> described;
      for (const auto& [status, unused] : operation.definition.at("responses").items()) {
        described.insert(std::stoi(status));
      }
      std::set<int> accounted = statuses_[name];
      const auto excepted = kExceptions.find(name);
      if (excepted != kExceptions.end()) {
        for (const int status : excepted->second) {
          EXPECT_TRUE(accounted.insert(status).second) << name << ": " << status << " is walked";
        }
      }
      EXPECT_EQ(described, accounted) << name;
      for (const auto& parameter : operation.definition.at("parameters")) {
        if (parameter.at("in") == "path") continue;
        EXPECT_TRUE(parameters_[name].contains(parameter.at("name")))
            << name << ": " << parameter.at("name") << " is in no request that was taken";
      }
    }
  }

  static std::string source_path(const std::string& name) {
    return std::string(ANCHOR_SOURCES) + "/" + name;
  }

  const ApiDocument api_{source_path("docs/openapi.yaml")};
  Cluster cluster_;

 private:
  static void for_each(const Exchanges& exchanges, const auto& visit) {
    for (const Exchange& exchange : exchanges) {
      for (const HttpMethod method : exchange.methods) visit(method, exchange);
    }
  }

  void take(HttpMethod method, const Exchange& exchange, const HttpAnswer& answer) {
    const ApiOperation* operation = api_.find(io::method_name(method), exchange.target);
    ASSERT_NE(operation, nullptr) << io::method_name(method) << " " << exchange.target;
    take(*operation, exchange.status, answer);
    if (answer.status >= 400) return;
    if (operation->name() == "POST /lock/{name}") {
      token_ = std::to_string(nlohmann::json::parse(answer.body).at("token").get<int>());
    }
    const HttpExtra extra = extra_of(method, exchange);
    EXPECT_EQ(api_.faults_in_request(*operation, exchange.target, extra), Faults())
        << operation->name() << ": " << exchange.target;
    for (std::string& name : parameters_of(exchange.target, extra.header_lines)) {
      parameters_[operation->name()].insert(std::move(name));
    }
  }
  void take(const ApiOperation& operation, int status, const Result<HttpAnswer>& answer) {
    ASSERT_TRUE(answer) << operation.name() << ": " << answer.error().message;
    EXPECT_EQ(answer->status, status) << operation.name() << ": " << answer->body;
    EXPECT_EQ(api_.faults_in(operation, *answer), Faults())
        << operation.name() << ": " << answer->status << " " << answer->body;
    statuses_[operation.name()].insert(answer->status);
  }
  void expect(const Node& node, const ApiOperation& operation, int status,
              const std::string& bytes) {
    HttpClient client = node.client();
    ASSERT_TRUE(client.send_bytes(method_of(operation), bytes)) << operation.name();
    take(operation, status, client.receive());
  }

  Cluster outside_{2};
  std::vector<std::pair<const ApiOperation*, HttpClient>> slow_;
  // By the operations' names.
  std::map<std::string, std::set<int>> statuses_;
  std::map<std::string, std::set<std::string>> parameters_;
  // Of the lock that was acquired last.
  std::string token_;
};

TEST_F(OpenApi, EveryStatusOfEveryOperationIsAnsweredAsItIsDescribed) {
  const Node& outside = start_outside();
  begin_slow_requests(outside);
  ASSERT_TRUE(start_cluster());
  walk_without_leader();
  const Node& node = cluster_.follower();
  EXPECT_EQ(node.status()->at("version"), api_.version());
  for (const Exchanges* exchanges : {&kReads, &kWrites, &kTransactions, &kWatches, &kLeases,
                                     &kLocks, &kBounds, &kAdministration}) {
    walk(node, *exchanges);
  }
  walk_refusals(node);
  walk(cluster_.leader(), kOnLeader);
  walk_without_quorum();
  walk(outside, kWithoutCluster);
  walk_crowd(outside);
  end_slow_requests();
  expect_all_walked();
}

// Whatever looks like a path in the server's sources is tried.
TEST_F(OpenApi, EveryRouteIsDescribed) {
  std::set<std::string> described;
  for (const ApiOperation& operation : api_.operations()) described.insert(operation.stem());
  std::set<std::string> candidates = described;
  candidates.insert({"/", "/kv", "/status/", "/nowhere"});
  const std::regex literal("\"(/[A-Za-z0-9_/]+)\"");
  for (const auto& entry : std::filesystem::directory_iterator(source_path("server"))) {
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (std::sregex_iterator found(text.begin(), text.end(), literal), end; found != end;
         ++found) {
      candidates.insert((*found)[1]);
    }
  }
  HttpClient client = start_outside().client();
  std::set<std::string> routed;
  for (const std::string& path : candidates) {
    const auto answer = client.get(path);
    ASSERT_TRUE(answer) << path;
    const bool absent = answer->status == 404 && answer->body.contains("no such route");
    if (!absent) routed.insert(path);
  }
  EXPECT_EQ(routed, described);
}

// A path that ends with a slash is one of those that begin so.
TEST_F(OpenApi, MethodThatIsNotDescribedIsNotAllowed) {
  std::map<std::string, std::string> allowed;
  for (const HttpMethod method : kMethods) {
    for (const ApiOperation& operation : api_.operations()) {
      const std::string stem = operation.stem();
      std::string& names = allowed[stem + (stem.ends_with('/') ? "1" : "") + operation.ending()];
      if (method_of(operation) != method || names.ends_with(operation.method)) continue;
      names += (names.empty() ? "" : ", ") + operation.method;
    }
  }
  const Node& node = start_outside();
  for (const auto& [target, names] : allowed) {
    for (const std::string method :
         {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
      if (names.contains(method)) continue;
      HttpClient client = node.client();
      const auto framed_as = method == "HEAD" ? HttpMethod::kHead : HttpMethod::kGet;
      ASSERT_TRUE(client.send_bytes(framed_as, request_of(method, target, kNoBody)));
      const auto answer = client.receive();
      ASSERT_TRUE(answer) << method << " " << target;
      EXPECT_EQ(answer->status, 405) << method << " " << target;
      EXPECT_EQ(answer->header("Allow"), names) << target;
    }
  }
}

}  // namespace
}  // namespace anchor::cluster
