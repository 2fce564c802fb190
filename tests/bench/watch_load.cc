// Watchers of all keys of `anchorctl bench`, which somebody else writes: how many events they get a
// second, all together. It holds each stream to be without a gap, and prints the JSON of
// `anchorctl bench`.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace anchor::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string endpoint = "127.0.0.1:8001";
  std::size_t watchers = 100;
  double warmup = 2;
  double seconds = 8;
};

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "watch_load: " << what << '\n';
  std::exit(1);
}

// One stream. Its lines are looked at as they come; what is no line of an event is passed over,
// among it the chunks' own.
class Watcher {
 public:
  explicit Watcher(int socket) : socket_(socket) {}

  int socket() const { return socket_; }
  std::uint64_t events() const { return events_; }

  // False: the stream has ended.
  bool read(std::array<char, 64 << 10>& buffer) {
    const ssize_t size = ::read(socket_, buffer.data(), buffer.size());
    if (size <= 0) return false;
    std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    for (;;) {
      const std::size_t end = text.find('\n');
      if (end == std::string_view::npos) break;
      if (line_.empty()) {
        take(text.substr(0, end));
      } else {
        take(line_.append(text.substr(0, end)));
        line_.clear();
      }
      text.remove_prefix(end + 1);
    }
    line_.append(text);
    return true;
  }

 private:
  // Each revision is of one key of the load, or of two; and each has its id.
  void take(std::string_view line) {
    if (line.starts_with("event: ")) {
      if (line != "event: put") fail("an event that is no put: " + std::string(line));
      ++events_;
    } else if (line.starts_with("id: ")) {
      std::uint64_t id = 0;
      std::from_chars(line.data() + 4, line.data() + line.size(), id);
      if (last_id_ != 0 && id != last_id_ + 1) {
        fail("after revision " + std::to_string(last_id_) + " came " + std::to_string(id));
      }
      last_id_ = id;
    } else if (line.starts_with("HTTP/") && !line.starts_with("HTTP/1.1 200")) {
      fail("a watch was refused: " + std::string(line));
    }
  }

  int socket_;
  std::string line_;
  std::uint64_t events_ = 0;
  std::uint64_t last_id_ = 0;
};

int connect_to(const std::string& endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string::npos) fail("--endpoint takes address:port");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoul(endpoint.substr(colon + 1))));
  if (::inet_pton(AF_INET, endpoint.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    fail("--endpoint takes an IPv4 address");
  }
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect to " + endpoint);
  }
  const std::string request = "GET /watch?prefix=bench- HTTP/1.1\r\nHost: " + endpoint + "\r\n\r\n";
  if (::write(socket, request.data(), request.size()) != static_cast<ssize_t>(request.size())) {
    fail("cannot write to " + endpoint);
  }
  return socket;
}

std::uint64_t total(const std::vector<Watcher>& watchers) {
  std::uint64_t events = 0;
  for (const Watcher& watcher : watchers) events += watcher.events();
  return events;
}

void read_until(Clock::time_point end, int poll, std::vector<Watcher>& watchers) {
  std::array<epoll_event, 64> ready{};
  static std::array<char, 64 << 10> buffer;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return;
    const int count = ::epoll_wait(poll, ready.data(), ready.size(), static_cast<int>(left));
    for (int i = 0; i < count; ++i) {
      if (!watchers[ready[static_cast<std::size_t>(i)].data.u64].read(buffer)) {
        fail("a stream ended");
      }
    }
  }
}

int main(int argc, char** argv) {
  CLI::App app{"counts the events that watchers get"};
  Options options;
  app.add_option("--endpoint", options.endpoint)->capture_default_str();
  app.add_option("--watchers", options.watchers)->capture_default_str();
  app.add_option("--warmup", options.warmup, "seconds before it counts")->capture_default_str();
  app.add_option("--seconds", options.seconds, "for which it counts")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Watcher> watchers;
  for (std::size_t i = 0; i < options.watchers; ++i) {
    watchers.emplace_back(connect_to(options.endpoint));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, watchers.back().socket(), &event);
  }
  const auto seconds = [](double count) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
  };
  const auto begin = Clock::now() + seconds(options.warmup);
  read_until(begin, poll, watchers);
  const std::uint64_t before = total(watchers);
  read_until(begin + seconds(options.seconds), poll, watchers);
  const std::uint64_t events = total(watchers) - before;
  for (const Watcher& watcher : watchers) ::close(watcher.socket());
  std::cout << "{\"ops\":" << events
            << ",\"ops_per_second\":" << static_cast<double>(events) / options.seconds
            << ",\"p99_us\":0,\"errors\":0,\"unknown\":0,\"seconds\":" << options.seconds << "}\n";
  return events > 0 ? 0 : 1;
}

}  // namespace
}  // namespace anchor::bench

int main(int argc, char** argv) {
  return anchor::bench::main(argc, argv);
}
