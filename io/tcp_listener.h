#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "io/uv_support.h"

namespace anchor::io {

// Makes a handle that is no connection yet the one that waits. Returns zero, or libuv's error.
using TcpAccept = std::function<int(uv_tcp_t&)>;

// Listens for TCP connections, until it is destroyed.
class TcpListener {
 public:
  struct Handlers {
    // A connection waits to be accepted, now or never.
    std::function<void(const TcpAccept&)> waiting;
    // One could not be had: most likely this process has too many files open.
    std::function<void(const Error&)> failed;
  };

  // Port 0 is any free one. `open_handles` counts what the loop holds of it.
  static Result<std::unique_ptr<TcpListener>> listen(uv_loop_t* loop, HandleCount& open_handles,
                                                     const std::string& host, std::uint16_t port,
                                                     Handlers handlers);

  std::uint16_t port() const;

  // Whoever has connected by now, though the loop has not seen it yet. The end of the listener
  // would reset those connections.
  void accept_waiting();

 private:
  struct Handle {
    Handle(uv_loop_t* loop, HandleCount& count);
    uv_handle_t* uv_handle() { return as_uv_handle(tcp); }

    HandleCount& open_handles;
    uv_tcp_t tcp{};
    Handlers handlers;
  };

  TcpListener(uv_loop_t* loop, HandleCount& open_handles)
      : handle_(new Handle(loop, open_handles)) {}
  static void connected(uv_stream_t* listener, int status);

  std::unique_ptr<Handle, CloseHandle<Handle>> handle_;
};

}  // namespace anchor::io
