#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/chaos/host.h"
#include "tests/cluster/http_client.h"
#include "tests/cluster/process.h"

namespace anchor::chaos {

inline constexpr std::uint16_t kPeerPort = 9001;
inline constexpr std::uint16_t kHttpPort = 8001;

// A server on a host of its own, with a disk that can be made slow. All requests to it are made
// from the host that the calling thread has entered.
class Machine {
 public:
  // Its data and logs are in `directory`.
  Machine(std::size_t number, const Host& host, const std::string& directory);

  const std::string& id() const { return id_; }
  std::string peer_address() const;
  cluster::Endpoint http() const { return {.port = kHttpPort, .address = host_.address()}; }

  // Requires: it does not run.
  void start(const std::vector<std::string>& options);
  bool runs() const { return process_ != nullptr; }
  bool paused() const { return paused_; }
  // How it ended by itself, if it did.
  std::optional<cluster::Ended> ended();
  // Requires of these: it runs.
  void kill();
  void pause();
  void resume();
  // SIGTERM; how it ended. None: it did not in time, and was killed.
  std::optional<cluster::Ended> terminate();
  // Loses its disk. Requires: it does not run.
  void wipe() const;
  // So long each sync takes from now on.
  void slow_down(Duration sync);

  Result<cluster::HttpAnswer> get(std::string_view target) const;
  Result<cluster::HttpAnswer> post(std::string_view path, const nlohmann::json& body) const;
  std::optional<nlohmann::json> status() const;
  bool is_ready() const;

 private:
  std::string id_;
  const Host& host_;
  std::string directory_;
  std::atomic<std::uint64_t>* sync_delay_us_ = nullptr;  // shared with the process
  std::unique_ptr<cluster::Process> process_;
  bool paused_ = false;
};

}  // namespace anchor::chaos
