#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "io/kj_stream.h"
#include "io/uv_support.h"

namespace anchor::io {

// Accepts TCP connections, until it is destroyed.
class TcpListener {
 public:
  // Port 0 is any free one. `open_handles` counts what the loop holds of it.
  static Result<std::unique_ptr<TcpListener>> listen(uv_loop_t* loop, HandleCount& open_handles,
                                                     const std::string& host, std::uint16_t port,
                                                     std::function<void(UvSocketPointer)> accepted);

  std::uint16_t port() const;

 private:
  struct Handle {
    Handle(uv_loop_t* loop, HandleCount& count);
    uv_handle_t* uv_handle() { return as_uv_handle(tcp); }

    HandleCount& open_handles;
    uv_tcp_t tcp{};
    std::function<void(UvSocketPointer)> accepted;
  };

  TcpListener(uv_loop_t* loop, HandleCount& open_handles)
      : handle_(new Handle(loop, open_handles)) {}
  static void accept(uv_stream_t* listener, int status);

  std::unique_ptr<Handle, CloseHandle<Handle>> handle_;
};

}  // namespace anchor::io
