#pragma once

#include <kj/async-io.h>
#include <uv.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "io/kj_event_port.h"
#include "io/tcp_listener.h"
#include "io/uv_support.h"

namespace anchor::io {

class KjStream;

// A TCP socket and what libuv may touch until it has closed it.
struct UvSocket {
  UvSocket(uv_loop_t* loop, HandleCount& count);
  uv_handle_t* uv_handle() { return as_uv_handle(tcp); }

  HandleCount& open_handles;
  uv_tcp_t tcp{};
  uv_connect_t connect_request{};
  std::function<void(int status)> on_connect;
  KjStream* stream = nullptr;  // null once that is gone
  uv_write_t write_request{};
  uv_shutdown_t shutdown_request{};
  std::vector<char> writing;  // empty unless a write is in flight
};
using UvSocketPointer = std::unique_ptr<UvSocket, CloseHandle<UvSocket>>;

// The connection that waits at a listener; null if it is gone already.
UvSocketPointer accept_socket(uv_loop_t* loop, const TcpAccept& accept, HandleCount& open_handles);

// KJ's streams have no virtual destructor: kj::Own destroys them by their own type.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"

// A connected TCP socket as KJ knows streams. What is written in a turn of the loop leaves in one
// write at its end; so KJ, which waits for one write before it makes the next, sees a write done
// as soon as it is in memory, while not too much is there.
class KjStream final : public kj::AsyncIoStream, private Flushable {
 public:
  // Requires: the socket is connected.
  KjStream(KjEventPort& port, UvSocketPointer socket);
  // Tries once to write what is left.
  ~KjStream() noexcept(false);

  // After so many bytes more the stream breaks off, until the limit is lifted.
  void limit_input(std::size_t bytes) { input_limit_bytes_ = bytes; }
  void lift_input_limit() { input_limit_bytes_ = kNoLimit; }
  // The other side closed or broke the connection.
  bool ended_by_peer() const { return input_ended_ || broken_by_socket_; }
  // Throws away what is not written yet and all that will be.
  void mute();
  // Who is at the other end, for people to read.
  std::string peer_name() const;

  kj::Promise<size_t> tryRead(void* buffer, size_t min_bytes, size_t max_bytes) override;
  kj::Promise<void> write(const void* buffer, size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;

 private:
  class Read;
  static constexpr std::size_t kBufferBytes = 64 << 10;
  // It is not read into less.
  static constexpr std::size_t kLeastRoomBytes = 8 << 10;
  // Beyond this a write is done only when the socket has taken it.
  static constexpr std::size_t kOutputBytes = 1 << 20;
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  void flush() override;
  void start_reading();
  void stop_reading();
  bool has_room() const { return kBufferBytes - (end_ - begin_) >= kLeastRoomBytes; }
  uv_buf_t room();
  void received(ssize_t size_or_error, const uv_buf_t& where);
  std::size_t take(char* to, std::size_t max_bytes);
  void write_rest(std::size_t written_bytes);
  void write_done(int status);
  void shut_down_if_flushed();
  void output_progressed();
  void break_off(kj::Exception&& reason);

  UvSocketPointer socket_;

  // Arrived and not read yet: [begin_, end_) of the buffer.
  std::array<char, kBufferBytes> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool reading_ = false;
  bool input_ended_ = false;
  std::size_t input_limit_bytes_ = kNoLimit;
  Read* read_ = nullptr;  // the one that waits, if one does

  std::vector<char> output_;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> writer_;  // waits for room
  bool muted_ = false;
  bool shut_down_wanted_ = false;

  kj::Maybe<kj::Exception> broken_;
  bool broken_by_socket_ = false;
  kj::Own<kj::PromiseFulfiller<void>> disconnected_;
  kj::ForkedPromise<void> when_disconnected_;
};

#pragma GCC diagnostic pop

}  // namespace anchor::io
