#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/core/raft/cluster.h"

// The properties of figure 3.2 of the dissertation, under messages that are lost, repeated and
// reordered, disks that are slow and servers that restart. One seed is one schedule.
namespace anchor::raft {
namespace {

// What a schedule has shown so far, and the properties that no later moment may break.
class Properties {
 public:
  void check(const Server& server) {
    if (server.leads()) check_leader(server);
    check_committed(server);
  }

  // Log Matching: logs that share a position are the same up to there.
  static void check_same_prefix(const std::vector<Entry>& a, const std::vector<Entry>& b) {
    std::size_t shared = std::min(a.size(), b.size());
    while (shared > 0 && a[shared - 1].term != b[shared - 1].term) --shared;
    ASSERT_TRUE(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(shared), b.begin()));
  }

  std::size_t terms_led() const { return leaders_.size(); }
  std::size_t committed() const { return committed_.size(); }

 private:
  struct Committed {
    Entry entry;
    // It was committed in this term or before.
    Term by;
  };

  void check_leader(const Server& server) {
    // Election Safety: at most one leader in a term.
    const ServerId& id = server.raft().state().self.id;
    ASSERT_EQ(leaders_.emplace(server.term(), id).first->second, id);
    // Leader Completeness: it has what was committed in earlier terms.
    const Log& log = server.raft().log();
    for (const Committed& committed : committed_) {
      if (committed.by >= server.term()) continue;
      ASSERT_TRUE(log.contains({committed.entry.index, committed.entry.term}));
    }
  }

  // State Machine Safety: nobody commits another entry at an index.
  void check_committed(const Server& server) {
    for (Index index(1); index <= server.raft().commit_index(); ++index) {
      const Entry& entry = server.raft().log().at(index);
      if (index.value() > committed_.size()) committed_.push_back({entry, server.term()});
      ASSERT_EQ(committed_[index.value() - 1].entry, entry);
    }
  }

  std::map<Term, ServerId> leaders_;
  std::vector<Committed> committed_;
};

// One random run of a cluster.
class Schedule {
 public:
  Schedule(int servers, std::uint64_t seed)
      : random_(seed), cluster_(servers, Options{.append_bytes = 200, .window_messages = 3}) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
      act();
      for (int number = 1; number <= cluster_.size(); ++number) {
        Server& server = cluster_[number];
        for (Message& message : server.take_sent()) {
          if (number != cut_off_) network_.push_back(std::move(message));
        }
        properties_.check(server);
      }
      if (i % 100 == 0) compare_logs();
    }
  }

  // From now on nothing is lost: a leader is elected, and all end with one log.
  void heal() {
    network_.clear();
    for (int round = 0; round < 500; ++round) {
      for (int number = 1; number <= cluster_.size(); ++number) {
        cluster_[number].wait(10ms);
        cluster_.settle();
      }
    }
    for (int number = 1; number <= cluster_.size(); ++number) {
      properties_.check(cluster_[number]);
      EXPECT_EQ(cluster_[number].log(), cluster_[1].log());
      EXPECT_EQ(cluster_[number].commit_index(), cluster_[number].last_index());
    }
  }

  const Properties& properties() const { return properties_; }

 private:
  Server& any_server() {
    return cluster_[1 +
                    static_cast<int>(random_.below(static_cast<std::uint64_t>(cluster_.size())))];
  }

  void act() {
    const std::uint64_t kind = random_.below(1'000);
    Server& server = any_server();
    if (kind < 650) {
      deliver(server);
    } else if (kind < 780) {
      if (!server.writes().empty()) server.complete_write();
    } else if (kind < 900) {
      server.wait(random_.between(1ms, 60ms));
    } else if (kind < 990) {
      if (server.leads()) static_cast<void>(server.propose(std::to_string(++proposals_)));
    } else if (kind < 994) {
      server.restart();
    } else if (kind < 998) {
      // What one server says is lost for a while, a leader's most of all.
      cut_off_ = static_cast<int>(random_.below(static_cast<std::uint64_t>(cluster_.size()) + 1));
    } else {
      network_.clear();
    }
  }

  // Some of what is under way, in any order, arrives in one step; some of it stays to arrive again.
  void deliver(Server& server) {
    const ServerId& id = server.raft().state().self.id;
    server.step([&](Raft& raft) {
      for (std::uint64_t left = random_.below(4); left > 0 && !network_.empty(); --left) {
        const auto chosen =
            network_.begin() + static_cast<std::ptrdiff_t>(random_.below(network_.size()));
        if (chosen->to.id != id) continue;
        if (!random_.one_in(10)) raft.receive(*chosen);
        if (!random_.one_in(10)) network_.erase(chosen);
      }
    });
  }

  void compare_logs() {
    for (int a = 1; a <= cluster_.size(); ++a) {
      for (int b = a + 1; b <= cluster_.size(); ++b) {
        Properties::check_same_prefix(cluster_[a].log(), cluster_[b].log());
      }
    }
  }

  Random random_;
  Cluster cluster_;
  Properties properties_;
  std::vector<Message> network_;
  // Zero: nobody.
  int cut_off_ = 0;
  int proposals_ = 0;
};

TEST(Safety, HoldsWhateverNetworkDisksAndCrashesDo) {
  std::size_t terms_led = 0;
  std::size_t committed = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Schedule schedule(seed % 2 == 0 ? 3 : 5, seed);
    schedule.run(5'000);
    if (HasFatalFailure()) return;
    terms_led += schedule.properties().terms_led();
    committed += schedule.properties().committed();
    schedule.heal();
  }
  // A schedule in which nothing happens proves nothing.
  EXPECT_GT(terms_led, 40U);
  EXPECT_GT(committed, 1'000U);
}

}  // namespace
}  // namespace anchor::raft
