#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/wire/flat_message.h"
#include "io/peer_wire.h"
#include "io/tcp_dialer.h"
#include "tests/io/peer_nodes.h"

namespace anchor::io {
namespace {

class PeerJoinTest : public PeerTransportTest {
 protected:
  void ask(Node& from, const std::string& address, const std::string& message,
           Duration timeout = 10s) {
    from.transport.call_join(address, Bytes::copy_of(message), timeout,
                             [this](Result<Bytes> answer) {
                               answers_.push_back(answer ? std::string(answer->text())
                                                         : "error: " + answer.error().message);
                             });
  }

  std::vector<std::string> answers_;
};

// --- Asking to join -----------------------------------------------------------------------------

TEST_F(PeerJoinTest, IsAnsweredWhenTheMemberKnowsTheOutcome) {
  Node& a = start("a");
  Node& b = start_member("b");
  ask(a, b.address(), "please");
  ASSERT_TRUE(run_until([&] { return b.join_replies.size() == 1; }));
  EXPECT_EQ(b.joining, std::vector<std::string>{"please"});
  EXPECT_TRUE(answers_.empty());
  b.join_replies[0](Bytes::copy_of("welcome"));
  ASSERT_TRUE(run_until([&] { return answers_.size() == 1; }));
  EXPECT_EQ(answers_[0], "welcome");
}

TEST_F(PeerJoinTest, MayWaitLongerThanAHandshakeMay) {
  Node& a = start("a");
  Node& b = start_member("b", {.handshake_timeout = 20ms});
  ask(a, b.address(), "please");
  ASSERT_TRUE(run_until([&] { return b.join_replies.size() == 1; }));
  // Another one that stays silent shows that the time is over.
  Stranger silent(b);
  ASSERT_TRUE(run_until([&] { return silent.turned_away(); }));
  EXPECT_EQ(b.cut_off.size(), 1U);
  b.join_replies[0](Bytes::copy_of("welcome"));
  ASSERT_TRUE(run_until([&] { return answers_.size() == 1; }));
  EXPECT_EQ(answers_[0], "welcome");
}

TEST_F(PeerJoinTest, AMemberThatDoesNotAnswerIsNotWaitedForLonger) {
  Node& a = start("a");
  Node& b = start_member("b");
  ask(a, b.address(), "please", 50ms);
  ASSERT_TRUE(run_until([&] { return answers_.size() == 1; }));
  EXPECT_TRUE(answers_[0].starts_with("error: no answer from " + b.address())) << answers_[0];
  // Its answer comes to nothing.
  ASSERT_EQ(b.join_replies.size(), 1U);
  b.join_replies[0](Bytes::copy_of("welcome"));
  ask(a, b.address(), "again");
  EXPECT_TRUE(run_until([&] { return b.joining.size() == 2; }));
  EXPECT_EQ(answers_.size(), 1U);
}

TEST_F(PeerJoinTest, ARequestThatIsTooLargeIsCutOff) {
  Node& a = start("a");
  Node& b = start_member("b");
  ask(a, b.address(), std::string(100 << 10, 'x'));
  ASSERT_TRUE(run_until([&] { return answers_.size() == 1; }));
  EXPECT_TRUE(answers_[0].starts_with("error: ")) << answers_[0];
  EXPECT_TRUE(b.joining.empty());
  EXPECT_EQ(b.cut_off.size(), 1U);
}

TEST_F(PeerJoinTest, WhoAsksAgainBeforeTheAnswerIsCutOff) {
  Node& b = start_member("b");
  HandleCount handles;
  bool ended = false;
  auto asking = dial_tcp(*port_, handles, b.address())
                    .then([&](kj::Own<KjStream>&& stream) {
                      auto connection =
                          kj::heap<GateConnection>(kj::mv(stream), PeerTransportOptions{});
                      auto first = connection->gate().joinRequest().send().ignoreResult();
                      auto second = connection->gate().joinRequest().send().ignoreResult();
                      return first.exclusiveJoin(kj::mv(second)).attach(kj::mv(connection));
                    })
                    .catch_([](kj::Exception&&) {})
                    .then([&] { ended = true; })
                    .eagerlyEvaluate(nullptr);
  ASSERT_TRUE(run_until([&] { return ended && b.cut_off.size() == 1; }));
  EXPECT_EQ(b.joining.size(), 1U);
  EXPECT_TRUE(run_until([&] { return handles.none(); }));
}

TEST_F(PeerJoinTest, EitherSideClosesWhileARequestWaits) {
  Node& a = start("a");
  Node& b = start_member("b");
  Node& c = start_member("c");
  ask(a, b.address(), "please");
  ask(a, c.address(), "please");
  ASSERT_TRUE(run_until([&] { return b.join_replies.size() + c.join_replies.size() == 2; }));
  const auto late = b.join_replies[0];
  stop(b);
  late(Bytes::copy_of("too late"));
  ASSERT_TRUE(run_until([&] { return answers_.size() == 1; }));
  EXPECT_TRUE(answers_[0].starts_with("error: ")) << answers_[0];
  stop(a);
  c.join_replies[0](Bytes::copy_of("too late"));
  EXPECT_EQ(answers_.size(), 1U);
}

// --- Being removed ------------------------------------------------------------------------------

TEST_F(PeerJoinTest, ARemovedServerIsToldByWhomAndSinceWhen) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  b.removed_at = raft::Index(17);
  a.transport.set_peers({{b.self.id, b.address()}});
  ASSERT_TRUE(run_until([&] { return !a.removals.empty(); }));
  EXPECT_EQ(a.removals[0], std::pair(b.self, raft::Index(17)));
  EXPECT_TRUE(a.refusals.empty());
}

TEST_F(PeerJoinTest, ANamesakeOfAMemberDoesNotSpeakForIt) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  b.removed_at = raft::Index(17);
  a.transport.set_peers({{id("c"), b.address()}});
  ASSERT_TRUE(run_until([&] { return !a.refusals.empty(); }));
  EXPECT_TRUE(a.removals.empty());
}

TEST_F(PeerJoinTest, AConnectionThatIsEndedIsMadeAgainAndRefused) {
  Node& a = start_member("a");
  Node& b = start_member("b");
  Node& c = start_member("c");
  introduce_all();
  ASSERT_TRUE(goes_through(a, b));
  ASSERT_TRUE(goes_through(c, b));
  b.transport.end_connections([&](const PeerHello& hello) { return hello.peer == a.self; });
  b.removed_at = raft::Index(17);
  ASSERT_TRUE(run_until([&] { return !a.removals.empty(); }));
  EXPECT_EQ(a.unreachable, std::vector<std::string>{"b"});
  EXPECT_TRUE(goes_through(c, b));
  EXPECT_TRUE(b.cut_off.empty());
}

}  // namespace
}  // namespace anchor::io
