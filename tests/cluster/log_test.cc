#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/cluster/cluster.h"

namespace anchor::cluster {
namespace {

int count_of(const std::string& text, const std::string& words) {
  int count = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++count;
  return count;
}

TEST(LogOfAServer, RubbishOnThePeerPortDoesNotFloodIt) {
  Cluster cluster(1);
  Node& node = cluster[0];
  node.start();
  ASSERT_TRUE(cluster.wait_until_ready());
  for (int i = 0; i < 200; ++i) {
    auto connection = Connection::open(node.peer_port().number());
    ASSERT_TRUE(connection);
    // It may be cut off before its end.
    static_cast<void>(connection->send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    ASSERT_TRUE(connection->receive_all());
  }
  EXPECT_TRUE(eventually([&] { return node.output().contains("cut off more connections"); }));
  // Five in ten seconds; so many connections need not be made in one period.
  EXPECT_GE(count_of(node.output(), "cut off a connection"), 1);
  EXPECT_LE(count_of(node.output(), "cut off a connection"), 50) << node.output();
}

TEST(LogOfAServer, ServerWithoutAQuorumDoesNotFloodIt) {
  Cluster cluster;
  ASSERT_TRUE(cluster.start());
  Node& alone = cluster.follower();
  for (Node* other : cluster.others(alone)) other->kill();
  const std::size_t begin = alone.output().size();
  // Each write waits for a leader as long as a few elections take.
  for (int i = 0; i < 6; ++i) EXPECT_NE(alone.put("/kv/a", "1")->status, 200);
  const std::string output = alone.output().substr(begin);
  EXPECT_GE(count_of(output, "asks whether it would be elected"), 1) << output;
  EXPECT_LE(count_of(output, "asks whether it would be elected"), 6) << output;
  for (Node* other : cluster.others(alone)) {
    const std::string trouble = "no connection to " + other->id() + ": ";
    EXPECT_EQ(count_of(output, trouble), 1) << output;
  }
}

TEST(LogOfAServer, ReaderThatHangsDoesNotHoldUpTheServer) {
  Cluster cluster(1);
  Node& node = cluster[0];
  // Where its output goes is a pipe that is full, and that nobody empties.
  const std::string path = node.data_directory() + ".log";
  ASSERT_EQ(::mkfifo(path.c_str(), S_IRUSR | S_IWUSR), 0);
  const int pipe = ::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(pipe, 0);
  const std::string page(4096, '\n');
  while (::write(pipe, page.data(), page.size()) > 0) {
  }
  node.start();
  EXPECT_TRUE(cluster.wait_until_ready());
  EXPECT_EQ(node.put("/kv/a", "1")->status, 200);
  EXPECT_EQ(node.terminate(), Ended{.exit_code = 0});
  ::close(pipe);
}

}  // namespace
}  // namespace anchor::cluster
