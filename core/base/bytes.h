#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/assert.h"

namespace anchor {

using ByteView = std::span<const std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An immutable, reference-counted slice of a buffer. Copying one shares the buffer, also between
// threads: a payload that arrived once is the one that the log, the messages and the disk thread
// use.
class Bytes {
 public:
  Bytes() = default;

  static Bytes copy_of(ByteView source);
  static Bytes copy_of(std::string_view source) { return copy_of(as_bytes(source)); }

  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  ByteView view() const { return {data_.get(), size_}; }
  std::string_view text() const { return as_text(view()); }

  // Shares this buffer. Requires: offset + size <= this->size().
  Bytes slice(std::size_t offset, std::size_t size) const;
  // The slice that `part` is. Requires: part lies within this.
  Bytes slice(ByteView part) const;

  // Equal contents.
  friend bool operator==(const Bytes& a, const Bytes& b) { return a.text() == b.text(); }

 private:
  friend class Buffer;
  Bytes(std::shared_ptr<const std::byte> data, std::size_t size)
      : data_(std::move(data)), size_(size) {}

  std::shared_ptr<const std::byte> data_;
  std::size_t size_ = 0;
};

// A buffer while it is being filled: aligned to 8 bytes, zeroed, owned by one writer, then frozen.
class Buffer {
 public:
  explicit Buffer(std::size_t size);

  std::byte* data() { return reinterpret_cast<std::byte*>(words_.get()); }
  std::size_t size() const { return size_; }
  std::span<std::byte> span() { return {data(), size_}; }

  // The first `size` bytes, from now on immutable. Requires: size <= this->size().
  Bytes freeze(std::size_t size) &&;
  Bytes freeze() && { return std::move(*this).freeze(size_); }

 private:
  std::shared_ptr<std::uint64_t[]> words_;
  std::size_t size_;
};

}  // namespace anchor
