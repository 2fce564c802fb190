#include "tests/bench/cluster/server.h"

#include <csignal>
#include <fstream>
#include <iterator>

#include "core/base/assert.h"
#include "tests/bench/cluster/figures.h"

namespace anchor::bench {
namespace {

constexpr std::size_t kFirstPeerPort = 18100;
constexpr std::size_t kFirstHttpPort = 18200;

std::uint16_t free_port(std::size_t number) {
  const auto port = static_cast<std::uint16_t>(number);
  if (cluster::Connection::open(port)) {
    give_up("port " + std::to_string(port) + " is taken; does another measurement run?");
  }
  return port;
}

}  // namespace

Server::Server(std::size_t number, const std::string& directory)
    : id_("n" + std::to_string(number)),
      directory_(directory + "/" + id_),
      peer_port_(free_port(kFirstPeerPort + number)),
      http_port_(free_port(kFirstHttpPort + number)) {
  ANCHOR_ASSERT(number >= 1 && number <= 99);
}

void Server::start(const std::vector<std::string>& options) {
  ANCHOR_ASSERT(!runs());
  std::vector<std::string> arguments{"--id",        id_,
                                     "--dir",       directory_,
                                     "--port",      std::to_string(peer_port_),
                                     "--http-port", std::to_string(http_port_)};
  arguments.insert(arguments.end(), options.begin(), options.end());
  process_ = std::make_unique<cluster::Process>(arguments, directory_ + ".log");
}

void Server::terminate() {
  process_->signal(SIGTERM);
  const auto ended = process_->wait();
  if (ended != cluster::Ended{.exit_code = 0}) give_up(id_ + " did not end well on SIGTERM");
  process_.reset();
}

std::string Server::output() const {
  std::ifstream file(directory_ + ".log", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<HttpAnswer> Server::get(std::string_view target) const {
  return cluster::HttpClient(http_port_).get(target);
}

Result<HttpAnswer> Server::post(std::string_view path, const nlohmann::json& body) const {
  return cluster::post_json(cluster::HttpClient(http_port_), path, body);
}

std::optional<nlohmann::json> Server::status() const {
  return cluster::status_of(cluster::HttpClient(http_port_));
}

bool Server::is_ready() const {
  return cluster::is_ready(cluster::HttpClient(http_port_));
}

std::size_t Server::voter_count() const {
  const auto answer = get("/members");
  if (!answer || answer->status != 200) return 0;
  const auto known = nlohmann::json::parse(answer->body);
  if (!known.at("change").is_null()) return 0;
  std::size_t count = 0;
  for (const auto& member : known.at("members")) count += member.at("learner").get<bool>() ? 0 : 1;
  return count;
}

}  // namespace anchor::bench
