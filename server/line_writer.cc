#include "server/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "core/base/assert.h"

namespace anchor::server {
namespace {

// How long the end of the process may wait for a reader of its log.
constexpr Duration kLastPatience = 1s;

// As far as it goes: nobody can be told that the log itself cannot be written.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(descriptor, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
    } else if (errno == EAGAIN) {
      // Somebody made the descriptor, which is not ours alone, non-blocking.
      pollfd writable{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return;
    }
  }
}

}  // namespace

LineWriter::LineWriter(int descriptor, std::size_t queue_bytes, TellLost tell_lost)
    : queue_bytes_(queue_bytes),
      shared_(std::make_shared<Shared>(descriptor, std::move(tell_lost))) {
  // Signals are the loop's; and a reader that has gone is no reason to die of SIGPIPE.
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  ANCHOR_ASSERT(::pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  thread_ = std::thread([shared = shared_] { run(*shared); });
  ANCHOR_ASSERT(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}

LineWriter::~LineWriter() {
  const bool written = flush(kLastPatience);
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->ended = true;
  }
  shared_->changed.notify_all();
  if (written) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void LineWriter::write(std::string_view line) {
  const std::scoped_lock lock(shared_->mutex);
  // Once lines are lost, none may pass them before that is said.
  if (shared_->lost_count > 0 || shared_->waiting.size() + line.size() >= queue_bytes_) {
    ++shared_->lost_count;
  } else {
    shared_->waiting.append(line).push_back('\n');
  }
  shared_->changed.notify_all();
}

bool LineWriter::flush(Duration patience) {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, patience, [&] { return shared_->idle(); });
}

void LineWriter::run(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    shared.changed.wait(lock, [&] { return shared.ended || !shared.idle(); });
    if (shared.ended) return;
    std::string batch = std::exchange(shared.waiting, {});
    const std::uint64_t lost_count = std::exchange(shared.lost_count, 0);
    shared.writing = true;
    lock.unlock();
    if (lost_count > 0) batch += shared.tell_lost(lost_count);
    write_all(shared.descriptor, batch);
    lock.lock();
    shared.writing = false;
    shared.changed.notify_all();
  }
}

}  // namespace anchor::server
