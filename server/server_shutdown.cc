#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "io/uv_support.h"
#include "server/server.h"
#include "server/system.h"

// How a server ends.
namespace anchor::server {
namespace {

using io::as_uv_handle;

// From the signal on, for clients and whoever balances them to hear that this node goes away.
constexpr Duration kDrainGrace = 1s;
// After that, for the requests of those who had just connected.
constexpr Duration kLastCall = 250ms;
// After that, for clients' requests in flight, before they are cut off.
constexpr Duration kDrainTimeout = 10s;

Server* server_of(const void* handle) {
  return static_cast<Server*>(static_cast<const uv_handle_t*>(handle)->data);
}

}  // namespace

void Server::watch_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is a failed write like any other.
  std::signal(SIGXFSZ, SIG_IGN);
  const auto handler = [](uv_signal_t* handle, int signal) {
    server_of(handle)->on_signal(signal);
  };
  uv_signal_start(&terminate_, handler, SIGTERM);
  uv_signal_start(&interrupt_, handler, SIGINT);
}

void Server::on_signal(int signal) {
  if (draining_) {
    log_.warn("stopped at once by a second signal");
    log_.flush();
    ::_exit(128 + signal);
  }
  log_.info("shutting down");
  begin_drain();
}

void Server::begin_drain() {
  draining_ = true;
  http_->begin_drain();
  if (node_) node_->end_waits();
  hand_over();
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->end_grace(); }, ceil_ms(kDrainGrace),
      0);
}

// The others need not find out that their leader is gone.
void Server::hand_over() {
  if (!node_ || !node_->raft().is_leader()) return;
  handing_over_ = true;
  node_->take(raft::TransferLeadership{}, [this](const Outcome& outcome) {
    handing_over_ = false;
    const auto* done = std::get_if<AdminDone>(&outcome);
    if (done != nullptr) {
      const auto* to = std::get_if<raft::LeadershipTransferred>(&done->answer);
      if (to != nullptr) log_.info("handed leadership over to " + to->leader.name());
    } else {
      log_.warn("leadership could not be handed over; the others will elect a leader");
    }
    if (grace_over_) stop_listening();
  });
}

void Server::end_grace() {
  grace_over_ = true;
  // It may have been elected, or handed the leadership, in the meantime.
  if (!handing_over_) hand_over();
  if (!handing_over_) return stop_listening();
  // It is over after one election timeout, unless the disk or the loop is stuck.
  const Duration longest = 2 * options_.election_timeout - kDrainGrace;
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->stop_listening(); },
      ceil_ms(std::max(longest, Duration())), 0);
}

void Server::stop_listening() {
  grace_over_ = false;
  http_->stop_listening();
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->drain(); }, ceil_ms(kLastCall), 0);
}

void Server::drain() {
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { server_of(timer)->close_all(); },
      ceil_ms(kDrainTimeout), 0);
  http_->drain([this] { close_all(); });
}

void Server::close_all() {
  if (uv_is_closing(as_uv_handle(drain_timer_)) != 0) return;
  for (uv_handle_t* handle : {as_uv_handle(terminate_), as_uv_handle(interrupt_),
                              as_uv_handle(drain_timer_), as_uv_handle(again_)}) {
    uv_close(handle, nullptr);
  }
  // Once there is a node, the founder is closed already.
  if (founder_ && !node_) founder_->close();
  if (joiner_) joiner_->close();
  const auto close_shell = [this] {
    http_->close([this] {
      transport_->close([this] {
        uv_close(as_uv_handle(prepare_), nullptr);
        uv_close(as_uv_handle(check_), nullptr);
        port_->close([] {});
      });
    });
  };
  if (node_) {
    node_->close(close_shell);
  } else {
    close_shell();
  }
}

void Server::fail(int code, const std::string& message) {
  log_.error(message);
  log_.flush();
  ::_exit(code);
}

}  // namespace anchor::server
