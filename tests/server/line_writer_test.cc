#include "server/line_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <sstream>
#include <string>

namespace anchor::server {
namespace {

constexpr Duration kPatience = 60s;

// A pipe that is read when the test says so.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    close_reader();
    ::close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writer() const { return ends_[1]; }
  void close_reader() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }
  // All until a line that ends with `end`.
  std::string read_until(const std::string& end) const {
    std::string all;
    std::array<char, 4096> some{};
    while (!all.ends_with(end + "\n")) {
      const ssize_t size = ::read(ends_[0], some.data(), some.size());
      if (size <= 0) break;
      all.append(some.data(), static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string lost(std::uint64_t count) {
  return std::to_string(count) + " lost\n";
}

TEST(LineWriter, WritesLinesInTheirOrder) {
  const Pipe pipe;
  LineWriter writer(pipe.writer(), 1000, lost);
  writer.write("one");
  writer.write("two");
  EXPECT_TRUE(writer.flush(kPatience));
  EXPECT_EQ(pipe.read_until("two"), "one\ntwo\n");
}

TEST(LineWriter, WritesWhatWaitsBeforeItEnds) {
  const Pipe pipe;
  {
    LineWriter writer(pipe.writer(), 1 << 20, lost);
    for (int i = 0; i < 1000; ++i) writer.write("line " + std::to_string(i));
  }
  EXPECT_TRUE(pipe.read_until("line 999").starts_with("line 0\nline 1\n"));
}

TEST(LineWriter, LinesThatNobodyReadsAreCountedAndHoldNobodyUp) {
  const Pipe pipe;
  std::optional<LineWriter> writer(std::in_place, pipe.writer(), 100'000, lost);
  constexpr std::uint64_t kLines = 10'000;
  const std::string line(99, 'x');
  for (std::uint64_t i = 0; i < kLines; ++i) writer->write(line);
  EXPECT_FALSE(writer->flush(1ms));

  // Each is there, or counted where it is missing; that may be in more than one place.
  std::uint64_t written = 0;
  std::uint64_t counted = 0;
  while (written + counted < kLines) {
    std::istringstream lines(pipe.read_until(""));
    for (std::string text; std::getline(lines, text);) {
      if (text == line) {
        ++written;
      } else {
        ASSERT_TRUE(text.ends_with(" lost")) << text;
        counted += std::stoull(text);
      }
    }
  }
  EXPECT_EQ(written + counted, kLines);
  EXPECT_GT(counted, 0U);
  // From here on all is well again.
  EXPECT_TRUE(writer->flush(kPatience));
  writer->write("after");
  EXPECT_EQ(pipe.read_until("after"), "after\n");
}

TEST(LineWriter, ReaderThatHangsDoesNotKeepItFromEnding) {
  static Pipe& pipe = *new Pipe;  // for good: the thread that hangs still writes to it
  {
    LineWriter writer(pipe.writer(), 1 << 20, lost);
    writer.write(std::string(1 << 19, 'x'));
  }
  SUCCEED();
}

TEST(LineWriter, ReaderThatIsGoneIsNoReasonToEnd) {
  Pipe pipe;
  pipe.close_reader();
  LineWriter writer(pipe.writer(), 1000, lost);
  writer.write("nobody hears it");
  EXPECT_TRUE(writer.flush(kPatience));
}

}  // namespace
}  // namespace anchor::server
