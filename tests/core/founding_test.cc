#include "core/founding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <string>

#include "core/base/random.h"
#include "core/codec/founding_codec.h"

namespace anchor {
namespace {

// Servers that found, with a network that loses and delays, and starts that find again what was
// stored. Requests and replies pass the codec.
class Founders {
 public:
  explicit Founders(std::uint64_t seed) : random_(seed) {}

  void add(const std::string& id, std::uint32_t expect, std::vector<std::string> peers) {
    add(id, expect, std::move(peers), id + ":1");
  }
  void add(const std::string& id, std::uint32_t expect, std::vector<std::string> peers,
           const std::string& address) {
    Server server;
    server.options = {.self = {.id = raft::ServerId(id), .address = address, .http_address = ""},
                      .expect = expect,
                      .peers = std::move(peers)};
    start(servers_.emplace(address, std::move(server)).first->second);
  }

  void restart(const std::string& address) { start(servers_.at(address)); }
  void restart_any() {
    auto server = servers_.begin();
    std::advance(server, static_cast<std::ptrdiff_t>(random_.below(servers_.size())));
    start(server->second);
  }

  // `loss`: one message in so many is lost; zero: none.
  void run(int rounds, std::uint64_t loss = 0) {
    for (int round = 0; round < rounds; ++round) {
      now_ += 50ms;
      for (auto& [address, server] : servers_) {
        if (server.founding) carry_out(server, server.founding->step(now_));
      }
      deliver(loss);
    }
  }

  struct Server {
    Founding::Options options{};
    std::optional<Founding> founding{};
    // On its disk.
    std::optional<FoundingProposal> accepted{};
    std::optional<FoundingProposal> member{};
    std::optional<std::string> rejected{};
    std::vector<std::string> notes{};
  };
  const Server& server(const std::string& address) const { return servers_.at(address); }

  std::size_t member_count() const {
    std::size_t count = 0;
    for (const auto& [address, server] : servers_) count += server.member ? 1 : 0;
    return count;
  }
  // Servers that name one another are in the same cluster.
  void expect_one_cluster_each() const {
    std::map<raft::ServerId, raft::ClusterId> cluster_of;
    for (const auto& [address, server] : servers_) {
      if (!server.member) continue;
      EXPECT_EQ(server.member->founders.size(), server.options.expect);
      for (const Founder& founder : server.member->founders) {
        const auto [known, added] = cluster_of.emplace(founder.id, server.member->cluster_id);
        EXPECT_EQ(known->second, server.member->cluster_id) << founder.id.name();
      }
    }
  }

 private:
  void start(Server& server) {
    if (server.member) return;
    server.options.seed = random_.next();
    server.founding.emplace(server.options, server.accepted);
  }

  void carry_out(Server& server, Founding::Output output) {
    if (output.store) server.accepted = *output.store;
    std::ranges::move(output.notes, std::back_inserter(server.notes));
    if (output.founded) {
      server.member = output.founded;
      server.founding.reset();
    }
    if (output.rejected) {
      server.rejected = output.rejected;
      server.founding.reset();
    }
    for (const Founding::Call& call : output.calls) {
      calls_.push_back({server.options.self.address, call.address,
                        codec::encode_founding_request(call.request)});
    }
  }

  FoundingReply ask(Server& server, const FoundingRequest& request) {
    if (server.member) {
      return answer_as_member(server.member->cluster_id, server.options.self.id,
                              founding_configuration(*server.member), request);
    }
    Founding::Output output;
    FoundingReply reply = server.founding->answer(request, output);
    carry_out(server, std::move(output));
    return reply;
  }

  void deliver(std::uint64_t loss) {
    const auto lost = [&] { return loss != 0 && random_.one_in(loss); };
    std::deque<InFlight> later;
    while (!calls_.empty()) {
      const InFlight call = std::move(calls_.front());
      calls_.pop_front();
      if (lost()) continue;
      if (loss != 0 && random_.one_in(4)) {
        later.push_back(call);
        continue;
      }
      const auto to = servers_.find(call.to);
      if (to == servers_.end() || (!to->second.founding && !to->second.member)) continue;
      const auto reply = ask(to->second, codec::decode_founding_request(call.bytes).value());
      if (lost()) continue;
      Server& from = servers_.at(call.from);
      if (!from.founding) continue;
      const auto decoded = codec::decode_founding_reply(codec::encode_founding_reply(reply));
      carry_out(from, from.founding->replied(call.to, decoded.value()));
    }
    calls_ = std::move(later);
  }

  struct InFlight {
    std::string from;
    std::string to;
    Bytes bytes;
  };

  Random random_;
  Instant now_{};
  std::map<std::string, Server> servers_;
  std::deque<InFlight> calls_;
};

const std::vector<std::string> kThree{"a:1", "b:1", "c:1"};

TEST(Founding, ThreeEmptyServersFoundOneCluster) {
  Founders founders(1);
  for (const char* id : {"a", "b", "c"}) founders.add(id, 3, kThree);
  founders.run(40);
  EXPECT_EQ(founders.member_count(), 3);
  founders.expect_one_cluster_each();
}

TEST(Founding, OneServerThatExpectsNobodyElseFoundsAtOnce) {
  Founders founders(1);
  founders.add("a", 1, {});
  founders.run(1);
  EXPECT_EQ(founders.member_count(), 1);
}

TEST(Founding, WaitsUntilAllWhoAreExpectedAreThere) {
  Founders founders(1);
  founders.add("a", 3, kThree);
  founders.add("b", 3, kThree);
  founders.run(100);
  EXPECT_EQ(founders.member_count(), 0);
  founders.add("c", 3, {"a:1"});
  founders.run(40);
  EXPECT_EQ(founders.member_count(), 3);
}

TEST(Founding, ServersThatDisagreeOnTheirNumberFoundNothingAndSaySo) {
  Founders founders(1);
  founders.add("a", 3, kThree);
  founders.add("b", 3, kThree);
  founders.add("c", 4, kThree);
  founders.run(200);
  EXPECT_EQ(founders.member_count(), 0);
  EXPECT_NE(founders.server("a:1").notes.back().find("must be the same on all"), std::string::npos);
}

TEST(Founding, OneServerTooManyStopsTheFounding) {
  Founders founders(1);
  for (const char* id : {"a", "b", "c", "d"}) founders.add(id, 3, {"a:1", "b:1", "c:1", "d:1"});
  founders.run(200);
  EXPECT_EQ(founders.member_count(), 0);
  EXPECT_NE(founders.server("a:1").notes.back().find("too many"), std::string::npos);
}

TEST(Founding, TwoServersWithOneIdAreToldOnceAndNotOnAndOn) {
  Founders founders(1);
  const std::vector<std::string> peers{"a:1", "a:2"};
  founders.add("a", 2, peers);
  founders.add("a", 2, peers, "a:2");
  founders.run(400);
  EXPECT_EQ(founders.member_count(), 0);
  for (const char* address : {"a:1", "a:2"}) {
    const auto& notes = founders.server(address).notes;
    EXPECT_EQ(notes.size(), 2U) << testing::PrintToString(notes);
    const auto tells = [](const std::string& note) { return note.contains("has the id a too"); };
    EXPECT_EQ(std::ranges::count_if(notes, tells), 1);
  }
}

TEST(Founding, OneThatComesLateIsToldToJoin) {
  Founders founders(1);
  for (const char* id : {"a", "b", "c"}) founders.add(id, 3, kThree);
  founders.run(40);
  founders.add("d", 3, kThree);
  founders.run(10);
  ASSERT_TRUE(founders.server("d:1").rejected);
  EXPECT_NE(founders.server("d:1").rejected->find("to join it"), std::string::npos);
}

TEST(Founding, AMemberThatLostItsDiskIsRejected) {
  Founders founders(1);
  for (const char* id : {"a", "b", "c"}) founders.add(id, 3, kThree);
  founders.run(40);
  const FoundingReply member =
      answer_as_member(founders.server("a:1").member->cluster_id, raft::ServerId("a"),
                       founding_configuration(*founders.server("a:1").member), FoundingHello{});
  Founding again({.self = {.id = raft::ServerId("c"), .address = "c:1", .http_address = ""},
                  .expect = 3,
                  .peers = kThree},
                 std::nullopt);
  const Founding::Output output = again.replied("a:1", member);
  ASSERT_TRUE(output.rejected);
  EXPECT_NE(output.rejected->find("removed from the cluster"), std::string::npos);
}

TEST(Founding, FoundsExactlyOnceWhateverIsLostAndWhoeverRestarts) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Founders founders(seed);
    Random random(seed);
    for (const char* id : {"a", "b", "c"}) founders.add(id, 3, kThree);
    // A fourth that sees some of them: it may take a founder's place, but not make a second
    // cluster.
    const bool fourth = random.one_in(2);
    if (fourth) founders.add("d", 3, {"b:1", "c:1"});
    for (int i = 0; i < 30; ++i) {
      founders.run(static_cast<int>(1 + random.below(6)), 3);
      if (random.one_in(3)) founders.restart_any();
      founders.expect_one_cluster_each();
    }
    if (!fourth) {
      founders.run(200);
      EXPECT_EQ(founders.member_count(), 3);
    }
    founders.expect_one_cluster_each();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace anchor
