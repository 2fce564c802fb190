#include "io/kj_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "io/socket_address.h"

namespace anchor::io {
namespace {

// Found out in about so long, that the other side is gone without a word: by probes when nothing is
// said, and by what stays unacknowledged.
constexpr unsigned kKeepAliveSeconds = 5;
constexpr unsigned kUnacknowledgedMs = 5000;

kj::Exception disconnected(kj::StringPtr what) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__, kj::str(what));
}

void configure(uv_tcp_t& tcp) {
  // All three are best effort: the connection works without them.
  uv_tcp_nodelay(&tcp, 1);
  uv_tcp_keepalive(&tcp, 1, kKeepAliveSeconds);
#ifdef TCP_USER_TIMEOUT
  uv_os_fd_t socket = -1;
  if (uv_fileno(as_uv_handle(tcp), &socket) == 0) {
    ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs,
                 sizeof(kUnacknowledgedMs));
  }
#endif
}

}  // namespace

UvSocket::UvSocket(uv_loop_t* loop, HandleCount& count) : open_handles(count) {
  uv_tcp_init(loop, &tcp);
  tcp.data = connect_request.data = write_request.data = shutdown_request.data = this;
  open_handles.add();
}

UvSocketPointer accept_socket(uv_loop_t* loop, const TcpAccept& accept, HandleCount& open_handles) {
  UvSocketPointer socket(new UvSocket(loop, open_handles));
  if (accept(socket->tcp) != 0) return nullptr;
  return socket;
}

// A read that waits for bytes. It is destroyed when it is done or cancelled; in either case nobody
// may touch its buffer any more.
class KjStream::Read {
 public:
  Read(kj::PromiseFulfiller<size_t>& fulfiller, KjStream& stream, char* buffer,
       std::size_t min_bytes, std::size_t max_bytes, std::size_t filled_bytes)
      : fulfiller_(fulfiller),
        stream_(&stream),
        buffer_(buffer),
        min_bytes_(min_bytes),
        max_bytes_(max_bytes),
        filled_bytes_(filled_bytes) {
    stream_->read_ = this;
  }
  ~Read() noexcept(false) { release(); }
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;

  void release() {
    if (stream_ != nullptr && stream_->read_ == this) stream_->read_ = nullptr;
    stream_ = nullptr;
  }
  uv_buf_t room() const {
    return uv_buf_init(buffer_ + filled_bytes_, static_cast<unsigned>(max_bytes_ - filled_bytes_));
  }
  // `size` more bytes are in the buffer.
  void filled(std::size_t size) {
    filled_bytes_ += size;
    if (filled_bytes_ >= min_bytes_) finish();
  }
  void finish() {
    release();
    fulfiller_.fulfill(kj::cp(filled_bytes_));
  }
  void reject(kj::Exception&& reason) {
    release();
    fulfiller_.reject(kj::mv(reason));
  }

 private:
  kj::PromiseFulfiller<size_t>& fulfiller_;
  KjStream* stream_;
  char* buffer_;
  std::size_t min_bytes_;
  std::size_t max_bytes_;
  std::size_t filled_bytes_;
};

KjStream::KjStream(KjEventPort& port, UvSocketPointer socket)
    : Flushable(port), socket_(std::move(socket)), when_disconnected_(nullptr) {
  socket_->stream = this;
  configure(socket_->tcp);
  auto pair = kj::newPromiseAndFulfiller<void>();
  disconnected_ = kj::mv(pair.fulfiller);
  when_disconnected_ = pair.promise.fork();
  // Read always, so that the end of a connection is noticed; but no further than the buffer.
  start_reading();
}

KjStream::~KjStream() noexcept(false) {
  if (read_ != nullptr) read_->release();
  if (!output_.empty() && socket_->writing.empty() && broken_ == nullptr) {
    uv_buf_t buffer = uv_buf_init(output_.data(), static_cast<unsigned>(output_.size()));
    uv_try_write(as_uv_stream(socket_->tcp), &buffer, 1);
  }
  socket_->stream = nullptr;
}

// --- Reading ----------------------------------------------------------------------------------

void KjStream::start_reading() {
  if (reading_ || input_ended_ || broken_ != nullptr) return;
  const int error = uv_read_start(
      as_uv_stream(socket_->tcp),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        *buffer = static_cast<UvSocket*>(handle->data)->stream->room();
      },
      [](uv_stream_t* handle, ssize_t size_or_error, const uv_buf_t* buffer) {
        static_cast<UvSocket*>(handle->data)->stream->received(size_or_error, *buffer);
      });
  if (error != 0) {
    broken_by_socket_ = true;
    return break_off(disconnected(uv_strerror(error)));
  }
  reading_ = true;
}

void KjStream::stop_reading() {
  if (!reading_) return;
  reading_ = false;
  uv_read_stop(as_uv_stream(socket_->tcp));
}

uv_buf_t KjStream::room() {
  // A large message goes straight to where KJ wants it.
  if (read_ != nullptr && read_->room().len >= kBufferBytes) return read_->room();
  // What is left moves down, or reads would shrink to the room at the buffer's end.
  if (begin_ == end_ || kBufferBytes - end_ < kLeastRoomBytes) {
    std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
    end_ -= std::exchange(begin_, 0);
  }
  return uv_buf_init(buffer_.data() + end_, static_cast<unsigned>(kBufferBytes - end_));
}

void KjStream::received(ssize_t size_or_error, const uv_buf_t& where) {
  if (size_or_error == 0) return;
  if (size_or_error == UV_EOF) {
    input_ended_ = true;
    stop_reading();
    if (read_ != nullptr) read_->finish();
    return;
  }
  if (size_or_error < 0) {
    broken_by_socket_ = true;
    return break_off(disconnected(uv_strerror(static_cast<int>(size_or_error))));
  }
  const auto size = static_cast<std::size_t>(size_or_error);
  if (size > input_limit_bytes_) return break_off(disconnected("too many bytes arrived"));
  if (input_limit_bytes_ != kNoLimit) input_limit_bytes_ -= size;

  const bool direct = where.base < buffer_.data() || where.base >= buffer_.data() + kBufferBytes;
  if (direct) return read_->filled(size);
  end_ += size;
  if (read_ != nullptr) {
    const uv_buf_t room = read_->room();
    read_->filled(take(room.base, room.len));
  }
  if (!has_room()) stop_reading();
}

std::size_t KjStream::take(char* to, std::size_t max_bytes) {
  const std::size_t size = std::min(max_bytes, end_ - begin_);
  std::copy_n(buffer_.data() + begin_, size, to);
  begin_ += size;
  return size;
}

kj::Promise<size_t> KjStream::tryRead(void* buffer, size_t min_bytes, size_t max_bytes) {
  ANCHOR_ASSERT(read_ == nullptr, "one read at a time");
  auto* to = static_cast<char*>(buffer);
  const std::size_t taken = take(to, max_bytes);
  if (has_room()) start_reading();
  if (taken >= min_bytes || input_ended_) return taken;
  KJ_IF_MAYBE (reason, broken_) {
    return kj::cp(*reason);
  }
  return kj::newAdaptedPromise<size_t, Read>(*this, to, min_bytes, max_bytes, taken);
}

// --- Writing ----------------------------------------------------------------------------------

kj::Promise<void> KjStream::write(const void* buffer, size_t size) {
  const kj::ArrayPtr<const kj::byte> piece(static_cast<const kj::byte*>(buffer), size);
  return write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>(&piece, 1));
}

kj::Promise<void> KjStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  if (muted_) return kj::READY_NOW;
  KJ_IF_MAYBE (reason, broken_) {
    return kj::cp(*reason);
  }
  for (const auto& piece : pieces) output_.insert(output_.end(), piece.begin(), piece.end());
  mark_dirty();
  if (output_.size() + socket_->writing.size() <= kOutputBytes) return kj::READY_NOW;
  auto pair = kj::newPromiseAndFulfiller<void>();
  writer_ = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

void KjStream::flush() {
  if (broken_ != nullptr || !socket_->writing.empty()) return;
  if (!output_.empty()) {
    uv_buf_t buffer = uv_buf_init(output_.data(), static_cast<unsigned>(output_.size()));
    const int written = uv_try_write(as_uv_stream(socket_->tcp), &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) {
      broken_by_socket_ = true;
      return break_off(disconnected(uv_strerror(written)));
    }
    write_rest(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  output_progressed();
}

void KjStream::write_rest(std::size_t written_bytes) {
  std::vector<char>& writing = socket_->writing;
  if (written_bytes == output_.size()) {
    output_.clear();
    // One large message must not hold its room for ever.
    if (output_.capacity() > kOutputBytes) output_.shrink_to_fit();
    return;
  }
  writing = std::exchange(output_, {});
  uv_buf_t buffer = uv_buf_init(writing.data() + written_bytes,
                                static_cast<unsigned>(writing.size() - written_bytes));
  const int error = uv_write(&socket_->write_request, as_uv_stream(socket_->tcp), &buffer, 1,
                             [](uv_write_t* request, int status) {
                               auto& socket = *static_cast<UvSocket*>(request->data);
                               socket.writing = {};
                               if (socket.stream != nullptr) socket.stream->write_done(status);
                             });
  if (error != 0) {
    writing = {};
    broken_by_socket_ = true;
    break_off(disconnected(uv_strerror(error)));
  }
}

void KjStream::write_done(int status) {
  if (status != 0) {
    broken_by_socket_ = true;
    return break_off(disconnected(uv_strerror(status)));
  }
  if (!output_.empty()) mark_dirty();
  output_progressed();
}

void KjStream::output_progressed() {
  if (output_.size() + socket_->writing.size() <= kOutputBytes) {
    KJ_IF_MAYBE (writer, writer_) {
      (*writer)->fulfill();
      writer_ = nullptr;
    }
  }
  shut_down_if_flushed();
}

kj::Promise<void> KjStream::whenWriteDisconnected() {
  return when_disconnected_.addBranch();
}

void KjStream::shutdownWrite() {
  shut_down_wanted_ = true;
  mark_dirty();
}

void KjStream::shut_down_if_flushed() {
  if (!shut_down_wanted_ || !output_.empty() || broken_ != nullptr) return;
  shut_down_wanted_ = false;
  // It waits by itself for a write in flight. If it fails, the connection is broken, of which
  // reading tells.
  uv_shutdown(&socket_->shutdown_request, as_uv_stream(socket_->tcp), [](uv_shutdown_t*, int) {});
}

void KjStream::mute() {
  muted_ = true;
  output_.clear();
}

void KjStream::break_off(kj::Exception&& reason) {
  if (broken_ != nullptr) return;
  stop_reading();
  output_.clear();
  broken_ = kj::cp(reason);
  if (read_ != nullptr) read_->reject(kj::cp(reason));
  KJ_IF_MAYBE (writer, writer_) {
    (*writer)->reject(kj::cp(reason));
    writer_ = nullptr;
  }
  disconnected_->fulfill();
}

std::string KjStream::peer_name() const {
  sockaddr_storage address{};
  int size = sizeof(address);
  if (uv_tcp_getpeername(&socket_->tcp, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return "a closed connection";
  }
  return to_text(address);
}

}  // namespace anchor::io
