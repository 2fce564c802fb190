#include "tests/chaos/clients.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace anchor::chaos {
namespace {

using Kind = Operation::Kind;
using Outcome = Operation::Outcome;

// A server answers before the longest, if it can be reached. Who gives up earlier leaves a request
// behind that is carried out later, or never; and asks others, whom it would not reach otherwise.
constexpr Duration kPatience[] = {200ms, 1s, 8s};
// Before asking elsewhere, when nothing listens there.
constexpr auto kPause = std::chrono::milliseconds(5);

// So often a write of a session is sent before it is given up, and the session with it.
constexpr int kTries = 6;

}  // namespace

Clients::Clients(const ClientsOptions& options, const Host& host,
                 std::vector<cluster::Endpoint> servers)
    : options_(options), host_(host), endpoints_(std::move(servers)) {
  for (std::uint32_t number = 0; number < options_.clients; ++number) {
    auto client = std::make_unique<Client>();
    client->number = number;
    client->random.seed(static_cast<std::uint32_t>(options_.seed + number));
    client->seen.resize(options_.keys);
    for (const auto& endpoint : endpoints_) client->servers.emplace_back(endpoint);
    clients_.push_back(std::move(client));
  }
  for (const auto& client : clients_)
    client->thread = std::thread([this, &client] { run(*client); });
}

void Clients::stop() {
  if (stopping_.exchange(true)) return;
  for (const auto& client : clients_) {
    client->thread.join();
    history_.insert(history_.end(), client->history.begin(), client->history.end());
    violations_.insert(violations_.end(), client->violations.begin(), client->violations.end());
    client->history.clear();
  }
}

void Clients::run(Client& client) {
  host_.enter();
  while (!stopping_) {
    Request request = choose(client);
    request.in_session = request.writes() && client.random() % 3 == 0 && open_session(client);
    const bool served = request.in_session ? carry_out_in_session(client, request)
                                           : carry_out(client, request, any_server(client));
    keep(client, request);
    // Who was not served comes back a little later, as clients do.
    if (!served) std::this_thread::sleep_for(kPause);
    const auto most = static_cast<std::uint64_t>(options_.think_most.count());
    std::this_thread::sleep_for(std::chrono::microseconds(client.random() % (most + 1)));
  }
}

Operation Clients::choose_write(Client& client) {
  Operation operation{.kind = client.random() % 9 == 0 ? Kind::kDelete : Kind::kPut,
                      .client = client.number};
  operation.key = static_cast<std::uint32_t>(client.random() % options_.keys);
  if (operation.kind == Kind::kPut) operation.value = ++last_value_;
  return operation;
}

// Of different keys, at most one of them under a condition.
Request Clients::choose_transaction(Client& client) {
  Request request{.form = Request::Form::kTransaction};
  std::set<std::uint32_t> keys;
  const std::uint64_t group = ++last_group_;
  for (std::size_t left = 2 + client.random() % 2; left > 0; --left) {
    Operation operation = choose_write(client);
    if (!keys.insert(operation.key).second) continue;
    operation.group = group;
    request.parts.push_back(operation);
  }
  Operation& first = request.parts.front();
  if (client.random() % 2 == 0) first.condition = client.seen[first.key];
  return request;
}

Request Clients::choose(Client& client) {
  Request request{.by_lease = client.random() % 3 == 0};
  const auto kind = client.random() % 20;
  if (kind < 2) return choose_transaction(client);
  if (kind == 2) {
    request.form = Request::Form::kList;
    const Kind reads = client.random() % 4 == 0 ? Kind::kStaleRead : Kind::kRead;
    for (std::uint32_t key = 0; key < options_.keys; ++key) {
      request.parts.push_back({.kind = reads, .client = client.number, .key = key});
    }
    return request;
  }
  Operation operation = choose_write(client);
  if (kind >= 10) {
    operation.kind = kind < 17 ? Kind::kRead : Kind::kStaleRead;
    operation.value = 0;
  } else if (operation.kind == Kind::kPut && kind < 6) {
    operation.condition = client.seen[operation.key];
  }
  request.parts.push_back(operation);
  return request;
}

std::uint32_t Clients::any_server(Client& client) {
  return static_cast<std::uint32_t>(client.random() % client.servers.size());
}

// None: there was no answer.
std::optional<cluster::HttpAnswer> Clients::send(Client& client, const Request& request,
                                                 std::uint32_t server) {
  cluster::HttpClient& connection = client.servers[server];
  connection.set_patience(kPatience[client.random() % std::size(kPatience)]);
  Sent sent = to_http(request);
  cluster::HttpExtra extra{.body = std::move(sent.body)};
  if (request.form == Request::Form::kTransaction) {
    extra.header_lines = "Content-Type: application/json\r\n";
  }
  if (request.in_session) {
    extra.header_lines += "Anchor-Session: " + std::to_string(client.session) + "\r\n" +
                          "Anchor-Sequence: " + std::to_string(client.sequence) + "\r\n";
  }
  auto answer = connection.request(sent.method, sent.target, extra);
  if (!answer) return std::nullopt;
  return *std::move(answer);
}

// False: it was not served.
bool Clients::carry_out(Client& client, Request& request, std::uint32_t server) {
  for (Operation& part : request.parts) part.outcome = Outcome::kUnknown;
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = send(client, request, server);
  if (answer) take(*answer, request);
  if (answer && request.in_session) check_session(client, request, *answer);
  const auto end = std::chrono::steady_clock::now();
  for (Operation& part : request.parts) {
    part.server = server;
    if (part.begin == TimePoint()) part.begin = begin;
    part.end = end;
  }
  return request.served();
}

// --- Sessions -----------------------------------------------------------------------------------

bool Clients::open_session(Client& client) {
  if (client.session != 0) return true;
  auto answer = client.servers[any_server(client)].request(io::HttpMethod::kPost, "/session");
  if (!answer || answer->status != 200) return false;
  client.session = nlohmann::json::parse(answer->body).at("id");
  client.sequence = 1;
  return true;
}

// Sent until it is answered, to one server after another; and sometimes once more.
bool Clients::carry_out_in_session(Client& client, Request& request) {
  bool served = false;
  for (int tries = 0; !served && tries < kTries; ++tries) {
    if (tries > 0) {
      ++counts_.retries;
      std::this_thread::sleep_for(kPause);
    }
    served = carry_out(client, request, any_server(client));
  }
  if (!served) {
    // A try may still be on its way, and then so is its number.
    for (Operation& part : request.parts) part.outcome = Outcome::kUnknown;
    client.session = 0;
    return false;
  }
  if (client.random() % 4 == 0) repeat(client, request);
  ++client.sequence;
  return true;
}

// It is open, and its numbers are in order.
void Clients::check_session(Client& client, const Request& request,
                            const cluster::HttpAnswer& answer) {
  constexpr int kTooManyRequests = 429;
  constexpr int kConditionFailed = 412;
  const bool fault = answer.status >= 400 && answer.status < 500 &&
                     answer.status != kConditionFailed && answer.status != kTooManyRequests;
  if (!fault) return;
  client.violations.push_back("a session's write was answered with " +
                              std::to_string(answer.status) + " (" + answer.body +
                              "): " + describe(request.parts.front()));
}

// Whatever it was answered it is answered again, and nothing happens.
void Clients::repeat(Client& client, const Request& request) {
  const auto again = send(client, request, any_server(client));
  if (!again) return;
  check_session(client, request, *again);
  Request second = request;
  for (Operation& part : second.parts) part.outcome = Outcome::kUnknown;
  take(*again, second);
  if (!second.served()) return;
  ++counts_.repeated;
  for (std::size_t i = 0; i < request.parts.size(); ++i) {
    const Operation& first = request.parts[i];
    const Operation& other = second.parts[i];
    if (first.outcome == other.outcome && first.revision == other.revision &&
        first.key_revision == other.key_revision && first.effective == other.effective) {
      continue;
    }
    client.violations.push_back("a session's write was answered otherwise the second time (" +
                                std::to_string(again->status) + "): " + describe(first) +
                                ", and then " + describe(other));
  }
}

// --- What they keep -----------------------------------------------------------------------------

void Clients::keep(Client& client, const Request& request) {
  const bool served = request.served();
  if (request.form == Request::Form::kTransaction) ++counts_.transactions;
  if (request.form == Request::Form::kList) ++counts_.lists;
  if (request.in_session) ++counts_.session_writes;
  if (served && request.writes() && request.outcome() == Outcome::kDone) ++write_count_;
  if (served && request.parts.front().kind == Kind::kRead) ++read_count_;
  for (const Operation& part : request.parts) {
    if (served) client.seen[part.key] = part.key_revision;
    // Of reads that nobody answered there is nothing to say.
    if (served || request.writes()) client.history.push_back(part);
  }
}

std::vector<std::string> Clients::read_everything() {
  std::vector<std::string> unread;
  std::thread([this, &unread] {
    host_.enter();
    Client client;
    client.number = static_cast<std::uint32_t>(options_.clients);
    client.seen.resize(options_.keys);
    for (const auto& endpoint : endpoints_) client.servers.emplace_back(endpoint);
    for (std::uint32_t server = 0; server < endpoints_.size(); ++server) {
      for (std::uint32_t key = 0; key < options_.keys; ++key) {
        Request read{.parts = {{.kind = Kind::kRead, .client = client.number, .key = key}}};
        bool served = false;
        for (int tries = 0; !served && tries < kTries; ++tries) {
          served = carry_out(client, read, server);
        }
        keep(client, read);
        if (served) continue;
        unread.push_back("k" + std::to_string(key) + " cannot be read on n" +
                         std::to_string(server + 1) + " though nothing is broken");
      }
    }
    history_.insert(history_.end(), client.history.begin(), client.history.end());
  }).join();
  return unread;
}

}  // namespace anchor::chaos
