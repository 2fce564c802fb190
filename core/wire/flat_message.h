#pragma once

#include <capnp/message.h>
#include <capnp/serialize.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace anchor::wire {

// Cap'n Proto messages of a single segment, without a segment table, in the library's own memory
// layout. They are built in place in the buffer that is stored or sent, and read by slicing it.

// A Cap'n Proto message whose first segment is the caller's memory. (The library's own builder of
// that kind zeroes the memory when it is done with it.)
class SegmentBuilder final : public capnp::MessageBuilder {
 public:
  // Requires: `first` is zeroed and outlives the builder.
  explicit SegmentBuilder(kj::ArrayPtr<capnp::word> first) : first_(first) {}

  kj::ArrayPtr<capnp::word> allocateSegment(capnp::uint minimum_size) override;

 private:
  kj::ArrayPtr<capnp::word> first_;
  bool first_taken_ = false;
  std::vector<std::unique_ptr<capnp::word[]>> more_;
};

// Builds one message into a buffer.
class FlatBuilder {
 public:
  // `header_bytes` (a multiple of 8) stay free before the message, for the caller to fill in.
  // `body_bytes` is a guess at the message's size; a good one saves a copy.
  FlatBuilder(std::size_t header_bytes, std::size_t body_bytes);

  template <typename Root>
  typename Root::Builder init_root() {
    return message_.initRoot<Root>();
  }

  // The header's room followed by the message. Call once; the builder is spent.
  Buffer finish(std::size_t* size_bytes);
  // The message without a header. Requires: header_bytes was zero.
  Bytes finish();

 private:
  std::size_t header_bytes_;
  Buffer buffer_;
  SegmentBuilder message_;
};

inline capnp::Data::Reader as_data(ByteView bytes) {
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}
inline capnp::Data::Reader as_data(std::string_view text) {
  return as_data(as_bytes(text));
}
inline ByteView as_view(capnp::Data::Reader data) {
  return {reinterpret_cast<const std::byte*>(data.begin()), data.size()};
}
inline capnp::Text::Reader as_capnp(const std::string& text) {
  return {text.c_str(), text.size()};
}
inline std::string_view as_text(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// What went wrong in reading, in words; for read_flat.
std::string describe_exception(const kj::Exception& exception);

// Reads a message that FlatBuilder built, from bytes that need not be trusted: `read` gets the
// root's reader, whose exceptions become errors, and the buffer that the reader's data are slices
// of. Misaligned bytes are copied first.
template <typename Root, typename Read>
auto read_flat(Bytes bytes, Read read)
    -> decltype(read(std::declval<typename Root::Reader>(), bytes)) {
  if (bytes.size() % sizeof(capnp::word) != 0 || bytes.empty()) {
    return failure("a message's size is not a whole number of words");
  }
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(capnp::word) != 0) {
    bytes = Bytes::copy_of(bytes.view());
  }
  const auto words = bytes.size() / sizeof(capnp::word);
  const kj::ArrayPtr<const capnp::word> segment(reinterpret_cast<const capnp::word*>(bytes.data()),
                                                words);
  const kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments(&segment, 1);
  capnp::ReaderOptions options;
  // A pointer may be followed more than once, but not so often that a small message costs a lot.
  options.traversalLimitInWords = 4 * words + 1024;
  options.nestingLimit = 16;
  std::optional<decltype(read(std::declval<typename Root::Reader>(), bytes))> result;
  try {
    capnp::SegmentArrayMessageReader reader(segments, options);
    result.emplace(read(reader.getRoot<Root>(), bytes));
  } catch (const kj::Exception& exception) {
    return failure(describe_exception(exception));
  }
  return std::move(*result);
}

}  // namespace anchor::wire
