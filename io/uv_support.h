#pragma once

#include <uv.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/assert.h"

namespace anchor::io {

template <typename Handle>
uv_handle_t* as_uv_handle(Handle& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

inline uv_stream_t* as_uv_stream(uv_tcp_t& tcp) {
  return reinterpret_cast<uv_stream_t*>(&tcp);
}

inline std::string describe_uv_error(std::string_view what, int error) {
  return std::string(what) + ": " + uv_strerror(error);
}

// How many handles and requests a loop still holds of an owner, so that the owner can tell when it
// is closed. Must outlive them.
class HandleCount {
 public:
  void add() { ++count_; }
  void remove() {
    ANCHOR_ASSERT(count_ > 0);
    if (--count_ == 0 && none_left_) std::exchange(none_left_, nullptr)();
  }
  // Calls `none_left` once, when nothing is held any more; at once if that is so already.
  void when_none_left(std::function<void()> none_left) {
    if (count_ == 0) return none_left();
    none_left_ = std::move(none_left);
  }
  bool none() const { return count_ == 0; }

 private:
  std::size_t count_ = 0;
  std::function<void()> none_left_;
};

// A handle of libuv that its owner may let go at any time, though libuv holds it until it has
// closed it.
template <typename Handle>
struct CloseHandle {
  void operator()(Handle* handle) const {
    uv_close(handle->uv_handle(), [](uv_handle_t* closed) {
      auto* gone = static_cast<Handle*>(closed->data);
      HandleCount& count = gone->open_handles;
      delete gone;
      count.remove();
    });
  }
};

}  // namespace anchor::io
