#include <gtest/gtest.h>

#include <memory>

#include "core/replica.h"
#include "tests/core/replicas.h"

// What a founder's options say of the replicated settings.
namespace anchor {
namespace {

Replica::Options seeding(std::uint64_t quota) {
  Replica::Options options;
  options.first_settings = {{"quota_bytes", quota}};
  return options;
}

TEST(FirstSettings, AreThoseOfTheFounderThatLeadsFirst) {
  Servers servers = with_leader(seeding(5000));
  servers.heartbeat(1);
  for (int server = 1; server <= 3; ++server) {
    EXPECT_EQ(servers[server].store().settings().quota_bytes, 5000u);
  }
}

TEST(FirstSettings, DoNotComeBackAfterTheyWereChanged) {
  Servers servers = with_leader(seeding(5000));
  servers[1].ask(kv::Command(kv::ChangeSettings{{{"quota_bytes", 6000}}}), 10s);
  servers.settle();
  servers.heartbeat(1);
  servers.elect(2);
  servers.heartbeat(2);
  EXPECT_EQ(servers[3].store().settings().quota_bytes, 6000u);
}

TEST(FirstSettings, AreNotForAJoinerToSay) {
  const auto members = std::make_shared<const raft::Configuration>(
      raft::founding_configuration({{id_of(1), raft::Incarnation(5), "", ""}}));
  Server joiner(1, members, seeding(5000));
  while (!joiner.leads()) {
    joiner.wait_for_deadline();
    joiner.complete_writes();
  }
  joiner.complete_writes();
  EXPECT_EQ(joiner.store().settings(), kv::Settings());
}

}  // namespace
}  // namespace anchor
