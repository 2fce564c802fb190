#include "core/wire/flat_message.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace anchor::wire {
namespace {

constexpr std::size_t kWord = sizeof(capnp::word);

std::size_t round_up(std::size_t bytes) {
  return (bytes + kWord - 1) / kWord * kWord;
}

kj::ArrayPtr<capnp::word> words_of(Buffer& buffer, std::size_t offset_bytes) {
  return {reinterpret_cast<capnp::word*>(buffer.data() + offset_bytes),
          (buffer.size() - offset_bytes) / kWord};
}

}  // namespace

kj::ArrayPtr<capnp::word> SegmentBuilder::allocateSegment(capnp::uint minimum_size) {
  if (!std::exchange(first_taken_, true) && first_.size() >= minimum_size) return first_;
  const std::size_t size = std::max<std::size_t>(minimum_size, 1024);
  more_.push_back(std::make_unique<capnp::word[]>(size));
  std::memset(more_.back().get(), 0, size * kWord);
  return {more_.back().get(), size};
}

FlatBuilder::FlatBuilder(std::size_t header_bytes, std::size_t body_bytes)
    : header_bytes_(header_bytes),
      buffer_(header_bytes + round_up(body_bytes) + kWord),
      message_(words_of(buffer_, header_bytes)) {
  ANCHOR_ASSERT(header_bytes % kWord == 0);
}

Buffer FlatBuilder::finish(std::size_t* size_bytes) {
  const auto segments = message_.getSegmentsForOutput();
  ANCHOR_ASSERT(segments.size() > 0);
  const bool in_place =
      reinterpret_cast<const std::byte*>(segments[0].begin()) == buffer_.data() + header_bytes_;
  if (segments.size() > 1 || !in_place) {
    // The guess was too small. Once more, with room enough.
    std::size_t body_bytes = 0;
    for (const auto& segment : segments) body_bytes += segment.size() * kWord;
    Buffer larger(header_bytes_ + body_bytes + kWord);
    SegmentBuilder again(words_of(larger, header_bytes_));
    again.setRoot(message_.getRoot<capnp::AnyPointer>().asReader());
    const auto whole = again.getSegmentsForOutput();
    ANCHOR_ASSERT(whole.size() == 1);
    *size_bytes = header_bytes_ + whole[0].size() * kWord;
    return larger;
  }
  *size_bytes = header_bytes_ + segments[0].size() * kWord;
  return std::move(buffer_);
}

Bytes FlatBuilder::finish() {
  ANCHOR_ASSERT(header_bytes_ == 0);
  std::size_t size_bytes = 0;
  Buffer buffer = finish(&size_bytes);
  return std::move(buffer).freeze(size_bytes);
}

std::string describe_exception(const kj::Exception& exception) {
  return std::string(exception.getDescription().cStr());
}

}  // namespace anchor::wire
