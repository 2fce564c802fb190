#include "core/base/bytes.h"

namespace anchor {

Bytes Bytes::copy_of(ByteView source) {
  if (source.empty()) return {};
  Buffer buffer(source.size());
  std::memcpy(buffer.data(), source.data(), source.size());
  return std::move(buffer).freeze();
}

Bytes Bytes::slice(std::size_t offset, std::size_t size) const {
  ANCHOR_ASSERT(offset <= size_ && size <= size_ - offset);
  if (size == 0) return {};
  return {std::shared_ptr<const std::byte>(data_, data_.get() + offset), size};
}

Bytes Bytes::slice(ByteView part) const {
  if (part.empty()) return {};
  ANCHOR_ASSERT(part.data() >= data() && part.data() + part.size() <= data() + size_);
  return slice(static_cast<std::size_t>(part.data() - data()), part.size());
}

Buffer::Buffer(std::size_t size)
    : words_(std::make_shared<std::uint64_t[]>((size + 7) / 8)), size_(size) {}

Bytes Buffer::freeze(std::size_t size) && {
  ANCHOR_ASSERT(size <= size_);
  const std::byte* start = data();
  return {std::shared_ptr<const std::byte>(std::move(words_), start), size};
}

}  // namespace anchor
