#include "tests/chaos/clients.h"

#include <charconv>
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

std::uint64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// An entity tag is the key's revision in quotation marks.
Revision tag_of(const cluster::HttpAnswer& answer) {
  const std::string tag = answer.header("ETag");
  return tag.size() < 2 ? 0 : number_in(std::string_view(tag).substr(1));
}

std::string target_of(const Operation& operation, bool by_lease) {
  std::string target = "/kv/k" + std::to_string(operation.key);
  if (operation.condition) target += "?cas=" + std::to_string(*operation.condition);
  if (operation.kind == Kind::kStaleRead) target += "?consistency=stale";
  if (operation.kind == Kind::kRead && by_lease) target += "?consistency=lease";
  return target;
}

io::HttpMethod method_of(Kind kind) {
  if (kind == Kind::kPut) return io::HttpMethod::kPut;
  return kind == Kind::kDelete ? io::HttpMethod::kDelete : io::HttpMethod::kGet;
}

bool reads(Kind kind) {
  return kind == Kind::kRead || kind == Kind::kStaleRead;
}

void take(const cluster::HttpAnswer& answer, Operation& operation) {
  operation.revision = number_in(answer.header("Anchor-Revision"));
  const std::string age = answer.header("Anchor-Age-Ms");
  if (!age.empty()) operation.age = std::chrono::milliseconds(number_in(age));
  if (answer.status == 503) {
    operation.outcome = Outcome::kRefused;
  } else if (answer.status == 412) {
    operation.outcome = Outcome::kConditionFailed;
    operation.key_revision = tag_of(answer);
  } else if (answer.status == 200 || (answer.status == 404 && reads(operation.kind))) {
    operation.outcome = Outcome::kDone;
    if (reads(operation.kind)) {
      operation.value = answer.status == 200 ? number_in(answer.body) : 0;
      operation.key_revision = answer.status == 200 ? tag_of(answer) : 0;
    } else {
      operation.effective = operation.kind == Kind::kPut || answer.header("Anchor-Deleted") == "1";
      operation.key_revision = operation.kind == Kind::kPut ? operation.revision : 0;
    }
  }
}

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
    client->history.clear();
  }
}

void Clients::run(Client& client) {
  host_.enter();
  while (!stopping_) {
    const bool by_lease = client.random() % 3 == 0;
    const Operation operation = choose(client);
    client.servers[operation.server].set_patience(
        kPatience[client.random() % std::size(kPatience)]);
    carry_out(client, operation, by_lease);
    const auto most = static_cast<std::uint64_t>(options_.think_most.count());
    std::this_thread::sleep_for(std::chrono::microseconds(client.random() % (most + 1)));
  }
}

Operation Clients::choose(Client& client) {
  Operation operation{.client = client.number};
  operation.server = static_cast<std::uint32_t>(client.random() % client.servers.size());
  operation.key = static_cast<std::uint32_t>(client.random() % options_.keys);
  const auto kind = client.random() % 20;
  if (kind < 8) {
    operation.kind = Kind::kPut;
    operation.value = ++last_value_;
    if (kind < 3) operation.condition = client.seen[operation.key];
  } else if (kind == 8) {
    operation.kind = Kind::kDelete;
  } else {
    operation.kind = kind < 17 ? Kind::kRead : Kind::kStaleRead;
  }
  return operation;
}

void Clients::carry_out(Client& client, Operation operation, bool by_lease) {
  cluster::HttpClient& server = client.servers[operation.server];
  cluster::HttpExtra extra;
  if (operation.kind == Kind::kPut) extra.body = std::to_string(operation.value);
  operation.begin = std::chrono::steady_clock::now();
  if (!server.send(method_of(operation.kind), target_of(operation, by_lease), extra)) {
    return std::this_thread::sleep_for(kPause);
  }
  if (const auto answer = server.receive()) take(*answer, operation);
  operation.end = std::chrono::steady_clock::now();
  const bool served =
      operation.outcome == Outcome::kDone || operation.outcome == Outcome::kConditionFailed;
  if (served) {
    client.seen[operation.key] = operation.key_revision;
    ++served_count_;
  }
  // Who was not served comes back a little later, as clients do.
  if (!served) std::this_thread::sleep_for(kPause);
  client.history.push_back(std::move(operation));
}

void Clients::read_everything() {
  std::thread([this] {
    host_.enter();
    Client client;
    client.number = static_cast<std::uint32_t>(options_.clients);
    client.seen.resize(options_.keys);
    for (const auto& endpoint : endpoints_) client.servers.emplace_back(endpoint);
    for (std::uint32_t server = 0; server < endpoints_.size(); ++server) {
      for (std::uint32_t key = 0; key < options_.keys; ++key) {
        Operation read{.kind = Kind::kRead, .client = client.number, .server = server, .key = key};
        carry_out(client, read, false);
      }
    }
    history_.insert(history_.end(), client.history.begin(), client.history.end());
  }).join();
}

}  // namespace anchor::chaos
