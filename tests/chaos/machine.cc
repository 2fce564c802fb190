#include "tests/chaos/machine.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "core/base/assert.h"

namespace anchor::chaos {
namespace {

// For what is asked beside the load; a server that is cut off answers nothing.
constexpr Duration kPatience = 2s;
// A server that is told to end has clients and the disk to wait for.
constexpr Duration kEndPatience = 30s;

std::atomic<std::uint64_t>* map_shared(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  ANCHOR_ASSERT(file >= 0 && ::ftruncate(file, sizeof(std::uint64_t)) == 0);
  void* mapped =
      ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ANCHOR_ASSERT(mapped != MAP_FAILED);
  ::close(file);
  return static_cast<std::atomic<std::uint64_t>*>(mapped);
}

}  // namespace

Machine::Machine(std::size_t number, const Host& host, const std::string& directory)
    : id_("n" + std::to_string(number + 1)),
      host_(host),
      directory_(directory + "/" + id_),
      sync_delay_us_(map_shared(directory_ + ".disk")) {}

std::string Machine::peer_address() const {
  return host_.address() + ":" + std::to_string(kPeerPort);
}

void Machine::start(const std::vector<std::string>& options) {
  ANCHOR_ASSERT(!runs());
  std::vector<std::string> arguments{"--id",        id_,
                                     "--dir",       directory_,
                                     "--listen",    host_.address(),
                                     "--port",      std::to_string(kPeerPort),
                                     "--http-port", std::to_string(kHttpPort)};
  arguments.insert(arguments.end(), options.begin(), options.end());
  process_ = std::make_unique<cluster::Process>(
      arguments, directory_ + ".log",
      cluster::Surroundings{
          .network_namespace = host_.network_namespace(),
          // A sanitizer's library need not come before the one that is loaded.
          .environment = {"ASAN_OPTIONS=verify_asan_link_order=0", "LD_PRELOAD=" SLOW_DISK_LIBRARY,
                          "SLOW_DISK_FILE=" + directory_ + ".disk"}});
}

std::optional<cluster::Ended> Machine::ended() {
  return process_ ? process_->wait(0ms) : std::nullopt;
}

void Machine::kill() {
  process_.reset();
  paused_ = false;
}

void Machine::pause() {
  process_->pause();
  paused_ = true;
}

void Machine::resume() {
  process_->signal(SIGCONT);
  paused_ = false;
}

std::optional<cluster::Ended> Machine::terminate() {
  if (paused_) resume();
  process_->signal(SIGTERM);
  const auto how = process_->wait(kEndPatience);
  process_.reset();
  return how;
}

void Machine::wipe() const {
  std::filesystem::remove_all(directory_);
}

void Machine::slow_down(Duration sync) {
  *sync_delay_us_ = static_cast<std::uint64_t>(sync.count());
}

Result<cluster::HttpAnswer> Machine::get(std::string_view target) const {
  return cluster::HttpClient(http(), kPatience).get(target);
}

Result<cluster::HttpAnswer> Machine::post(std::string_view path, const nlohmann::json& body) const {
  return cluster::post_json(cluster::HttpClient(http(), kPatience), path, body);
}

std::optional<nlohmann::json> Machine::status() const {
  return cluster::status_of(cluster::HttpClient(http(), kPatience));
}

bool Machine::is_ready() const {
  return cluster::is_ready(cluster::HttpClient(http(), kPatience));
}

}  // namespace anchor::chaos
