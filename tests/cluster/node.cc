#include "tests/cluster/node.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/assert.h"

namespace anchor::cluster {

Node::Node(std::string id, std::string directory)
    : id_(std::move(id)), directory_(std::move(directory)), output_path_(directory_ + ".log") {}

void Node::wipe() const {
  ANCHOR_ASSERT(!runs());
  std::filesystem::remove_all(directory_);
}

std::vector<std::string> Node::arguments() const {
  return {"--id",        id_,
          "--dir",       directory_,
          "--port",      std::to_string(peer_port_.number()),
          "--http-port", std::to_string(http_port_.number())};
}

void Node::start(const std::vector<std::string>& more) {
  std::vector<std::string> all = arguments();
  all.insert(all.end(), more.begin(), more.end());
  // Tests' directories are small, and many.
  if (std::ranges::find(all, "--disk-reserve") == all.end()) {
    all.insert(all.end(), {"--disk-reserve", "1MiB"});
  }
  start_with(all);
}

void Node::start_with(const std::vector<std::string>& arguments) {
  ANCHOR_ASSERT(!runs());
  process_ = std::make_unique<Process>(arguments, output_path_,
                                       Surroundings{.descriptor_limit = descriptor_limit_});
}

void Node::pause() {
  process_->pause();
  paused_ = true;
}

void Node::resume() {
  process_->signal(SIGCONT);
  paused_ = false;
}

void Node::kill() {
  process_.reset();
  paused_ = false;
}

std::optional<Ended> Node::terminate() {
  process_->signal(SIGTERM);
  return wait();
}

std::optional<Ended> Node::wait() {
  const auto ended = process_->wait();
  if (ended) process_.reset();
  return ended;
}

std::string Node::output() const {
  std::ifstream file(output_path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<HttpAnswer> Node::request(io::HttpMethod method, std::string_view target,
                                 const HttpExtra& extra) const {
  return client().request(method, target, extra);
}

Result<HttpAnswer> Node::get(std::string_view target) const {
  return client().get(target);
}

Result<HttpAnswer> Node::put(std::string_view target, std::string body) const {
  return client().put(target, std::move(body));
}

std::optional<nlohmann::json> Node::status() const {
  return cluster::status_of(client());
}

bool Node::is_ready() const {
  return cluster::is_ready(client());
}

}  // namespace anchor::cluster
