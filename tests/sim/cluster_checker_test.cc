#include "sim/cluster_checker.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/stage.h"

namespace anchor::sim {
namespace {

kv::Command put_of(std::string_view value) {
  return kv::Put{"a", Bytes::copy_of(value), kv::Always{}};
}

raft::Message message_of(std::uint64_t term, raft::MessageBody body) {
  return {.from = {id_of(0), raft::Incarnation(0)},
          .from_boot = raft::Boot(1),
          .to = {id_of(1), raft::Incarnation(0)},
          .term = raft::Term(term),
          .body = std::move(body)};
}

raft::PersistBatch truncation_from(std::uint64_t index) {
  return {.id = raft::WriteId(1), .truncate_from = raft::Index(index)};
}

TEST(ClusterChecker, IsSatisfiedWithALeaderAndAFollowerThatCommitTheSame) {
  Stage stage;
  const Log log = with(founded(), 2);
  const auto act = [&] {
    stage.checker().booted(0, leader(2, founded()));
    stage.step(0, leader(2, founded()));
    stage.commit(log);
    stage.step(1, follower(2, log, 2));
  };
  EXPECT_EQ(violated_by(act), "none");
  EXPECT_EQ(stage.checker().commit_index(), raft::Index(2));
}

// --- Figure 3.2 of the dissertation -------------------------------------------------------------

TEST(ClusterChecker, FindsTwoLeadersInATerm) {
  Stage stage;
  stage.step(0, leader(2, founded()));
  EXPECT_EQ(violated_by([&] { stage.step(1, leader(2, founded())); }), "election-safety");
}

TEST(ClusterChecker, FindsALeaderThatCutsItsLog) {
  Stage stage;
  stage.step(0, leader(2, founded()));
  raft::Output output;
  output.persist = truncation_from(2);
  EXPECT_EQ(violated_by([&] { stage.step(0, leader(2, founded()), output); }),
            "leader-append-only");
}

TEST(ClusterChecker, FindsTwoEntriesWithOneIndexAndTerm) {
  Stage stage;
  stage.checker().booted(0, follower(2, with(founded(), 2, put_of("1"))));
  EXPECT_EQ(
      violated_by([&] { stage.checker().booted(1, follower(2, with(founded(), 2, put_of("2")))); }),
      "log-matching");
}

TEST(ClusterChecker, FindsTwoPastsOfOneIndexAndTerm) {
  Stage stage;
  stage.checker().booted(0, follower(3, with(with(founded(), 1), 3)));
  EXPECT_EQ(
      violated_by([&] { stage.checker().booted(1, follower(3, with(with(founded(), 2), 3))); }),
      "log-matching");
}

TEST(ClusterChecker, FindsANewLeaderThatLacksWhatWasCommitted) {
  Stage stage;
  stage.commit(with(founded(), 2));
  EXPECT_EQ(violated_by([&] { stage.step(2, leader(3, founded())); }), "leader-completeness");
}

TEST(ClusterChecker, FindsACommitThatALaterLeaderLacks) {
  Stage stage;
  stage.step(2, leader(3, founded()));
  EXPECT_EQ(violated_by([&] { stage.commit(with(founded(), 2)); }), "leader-completeness");
}

TEST(ClusterChecker, FindsOtherEntriesCommittedAtAnIndex) {
  Stage stage;
  stage.commit(with(founded(), 2));
  EXPECT_EQ(violated_by([&] { stage.step(2, follower(3, with(founded(), 3), 2)); }),
            "state-machine-safety");
}

// --- What only grows ----------------------------------------------------------------------------

TEST(ClusterChecker, FindsATermThatFalls) {
  Stage stage;
  stage.step(0, follower(5, founded()));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(4, founded())); }), "monotonic-term");
}

TEST(ClusterChecker, FindsATermThatFellOverARestart) {
  Stage stage;
  stage.checker().booted(0, follower(5, founded()));
  EXPECT_EQ(violated_by([&] { stage.checker().booted(0, follower(4, founded())); }),
            "monotonic-term");
}

// One that nobody was told may be lost with the process.
TEST(ClusterChecker, FindsATermThatFellOverARestartAfterItWasSaid) {
  Stage stage;
  stage.checker().booted(0, follower(4, founded()));
  stage.step(0, follower(6, founded()));
  stage.disk(0).stable.hard_state = {.term = raft::Term(5), .vote = {}};
  stage.checker().sending(0, message_of(5, raft::AppendEntries{}));
  EXPECT_EQ(violated_by([&] { stage.checker().booted(0, follower(5, founded())); }), "none");
  EXPECT_EQ(violated_by([&] { stage.checker().booted(0, follower(4, founded())); }),
            "monotonic-term");
}

TEST(ClusterChecker, FindsAnEntryThatChangesWithoutTellingTheDisk) {
  Stage stage;
  stage.step(0, follower(3, with(founded(), 2)));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(3, with(founded(), 3))); }),
            "log-changes-unwritten");
}

TEST(ClusterChecker, FindsACommitIndexThatFalls) {
  Stage stage;
  stage.commit(with(founded(), 2));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(2, with(founded(), 2), 1)); }),
            "monotonic-commit");
}

TEST(ClusterChecker, FindsALogThatLosesEntriesWithoutTellingTheDisk) {
  Stage stage;
  stage.step(0, follower(2, with(founded(), 2)));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(2, founded())); }), "log-shrinks-unwritten");
}

TEST(ClusterChecker, FindsANodeThatCutsWhatItHasCommitted) {
  Stage stage;
  const Log log = with(founded(), 2);
  stage.commit(log);
  raft::Output output;
  output.persist = truncation_from(2);
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(3, log, 2), output); }),
            "truncates-committed");
}

TEST(ClusterChecker, FindsADiskThatCutsWhatIsCommitted) {
  Stage stage;
  stage.commit(with(founded(), 2));
  stage.disk(1).stable.hard_state.term = raft::Term(2);
  EXPECT_EQ(violated_by([&] { stage.checker().writing(1, truncation_from(2)); }),
            "truncates-committed");
  // What differs from it may go.
  stage.store(2, with(founded(), 1));
  EXPECT_EQ(violated_by([&] { stage.checker().writing(2, truncation_from(2)); }), "none");
}

// A follower that was paused and hears late of a leader that came before the one that committed.
TEST(ClusterChecker, LetsADiskCutWhatItHasNotAcknowledgedToTheLeaderThatCommittedIt) {
  Stage stage;
  stage.commit(with(founded(), 2));
  stage.disk(1).stable.hard_state.term = raft::Term(1);
  EXPECT_EQ(violated_by([&] { stage.checker().writing(1, truncation_from(2)); }), "none");
}

TEST(ClusterChecker, FindsACommitThatNoQuorumHasOnDisk) {
  Stage stage;
  stage.store(1, founded());
  stage.store(2, with(founded(), 1));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(2, with(founded(), 2), 2)); }),
            "committed-not-durable");
}

TEST(ClusterChecker, FindsANodeThatTakesForDurableWhatIsNot) {
  Stage stage;
  const Replica node = follower(2, with(founded(), 2));
  stage.store(0, founded());
  EXPECT_EQ(violated_by([&] { stage.checker().stepped(0, node, {}); }), "durable-index");
  stage.store(0, with(founded(), 1));
  EXPECT_EQ(violated_by([&] { stage.checker().stepped(0, node, {}); }), "durable-index");
}

TEST(ClusterChecker, FindsALeaderThatTakesForDurableWhatAFollowerHasNot) {
  Stage stage;
  const Replica leader = leader_of_two(200ms);
  stage.store(1, with(founded(2), 3));
  EXPECT_EQ(violated_by([&] { stage.step(0, leader); }), "none");
  stage.store(1, founded(2));
  EXPECT_EQ(violated_by([&] { stage.step(0, leader); }), "match-is-durable");
  stage.store(1, with(founded(2), 2));
  EXPECT_EQ(violated_by([&] { stage.step(0, leader); }), "match-is-durable");
}

// --- Changes of the members ---------------------------------------------------------------------

raft::SharedConfiguration members_of(std::vector<std::size_t> voters,
                                     std::vector<std::size_t> outgoing_voters = {}) {
  const auto ids = [](const std::vector<std::size_t>& nodes) {
    std::vector<raft::ServerId> named;
    for (const std::size_t node : nodes) named.push_back(id_of(node));
    return named;
  };
  raft::Configuration configuration = configuration_of(3);
  configuration.voters = ids(voters);
  configuration.outgoing_voters = ids(outgoing_voters);
  std::erase_if(configuration.members,
                [&](const raft::Member& member) { return !configuration.is_voter(member.id); });
  return std::make_shared<const raft::Configuration>(std::move(configuration));
}

// What is found when the node's log goes on like this, all before the last entry being committed.
std::string found_in(const Log& log) {
  Stage stage;
  Log committed = log;
  committed.pop_back();
  stage.commit(committed);
  return violated_by(
      [&] { stage.step(0, follower(log.back().term.value(), log, committed.size())); });
}

TEST(ClusterChecker, IsSatisfiedWithAChangeByWayOfAJointConfiguration) {
  const Log joint = with(founded(), 2, members_of({0, 1}, {0, 1, 2}));
  EXPECT_EQ(found_in(joint), "none");
  EXPECT_EQ(found_in(with(joint, 2, members_of({0, 1}))), "none");
}

TEST(ClusterChecker, FindsAChangeOfVotersWithoutAJointConfiguration) {
  EXPECT_EQ(found_in(with(founded(), 2, members_of({0, 1}))), "quorums-intersect");
  const Log joint = with(founded(), 2, members_of({0, 1}, {0, 1, 2}));
  EXPECT_EQ(found_in(with(joint, 2, members_of({0, 2}))), "quorums-intersect");
}

TEST(ClusterChecker, FindsASecondChangeBeforeTheFirstIsCommitted) {
  Stage stage;
  stage.commit(founded());
  const Log log = with(founded(), 2, members_of({0, 1}, {0, 1, 2}));
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(2, log, 1)); }), "none");
  EXPECT_EQ(violated_by([&] { stage.step(0, follower(2, with(log, 2, members_of({0, 1})), 1)); }),
            "one-change-at-a-time");
}

// --- Replicas' states ---------------------------------------------------------------------------

TEST(ClusterChecker, FindsReplicasWhoseStatesDiffer) {
  Stage stage;
  const Log log = with(founded(), 2, put_of("1"));
  stage.checker().issued(command_hash(kv::encode_command(put_of("1"))));
  stage.commit(log);
  stage.step(1, follower(2, log));
  // It has applied as much, and lost what it had.
  raft::Recovered forgetful = recovered(2, {});
  forgetful.base = {raft::Index(2), raft::Term(2)};
  forgetful.snapshots = {{.position = forgetful.base}};
  forgetful.base_configuration = std::make_shared<const raft::Configuration>(configuration_of(3));
  EXPECT_EQ(violated_by([&] { stage.checker().stepped(1, Replica({}, forgetful), {}); }), "digest");
}

// --- Commands -----------------------------------------------------------------------------------

TEST(ClusterChecker, FindsACommandThatIsCommittedTwice) {
  Stage stage;
  stage.checker().issued(command_hash(kv::encode_command(put_of("1"))));
  const Log twice = with(with(founded(), 2, put_of("1")), 2, put_of("1"));
  EXPECT_EQ(violated_by([&] { stage.commit(twice); }), "applied-twice");
}

TEST(ClusterChecker, FindsARefusedCommandThatIsCommittedLater) {
  Stage stage;
  const std::uint64_t command = command_hash(kv::encode_command(put_of("1")));
  stage.checker().issued(command);
  stage.checker().refused(command);
  EXPECT_EQ(violated_by([&] { stage.commit(with(founded(), 2, put_of("1"))); }),
            "not-applied-is-applied");
}

TEST(ClusterChecker, FindsACommandThatIsRefusedThoughItIsCommitted) {
  Stage stage;
  const std::uint64_t command = command_hash(kv::encode_command(put_of("1")));
  stage.checker().issued(command);
  stage.commit(with(founded(), 2, put_of("1")));
  EXPECT_EQ(violated_by([&] { stage.checker().refused(command); }), "not-applied-is-applied");
}

TEST(ClusterChecker, FindsAWriteThatIsForwardedAgainAndAgain) {
  Stage stage;
  stage.disk(0).stable.hard_state = {.term = raft::Term(4), .vote = {}};
  const Bytes command = kv::encode_command(put_of("1"));
  stage.checker().issued(command_hash(command));
  const auto forward = [&](std::uint64_t term) {
    const raft::ForwardRequest request{.sequence = 1,
                                       .leader_boot = raft::Boot(1),
                                       .leader_term = raft::Term(term),
                                       .proposal = raft::Command{command}};
    return violated_by([&] { stage.checker().sending(0, message_of(4, request)); });
  };
  EXPECT_EQ(forward(3), "none");
  EXPECT_EQ(forward(4), "none");
  EXPECT_EQ(forward(4), "forwards-once");
}

// --- Ack honesty: nothing is said that a crash could undo ---------------------------------------

TEST(ClusterChecker, FindsAMessageOfATermThatIsNotDurable) {
  Stage stage;
  stage.disk(0).stable.hard_state = {.term = raft::Term(4), .vote = {}};
  const auto send = [&](std::uint64_t term) {
    return violated_by(
        [&] { stage.checker().sending(0, message_of(term, raft::AppendEntries{})); });
  };
  EXPECT_EQ(send(4), "none");
  EXPECT_EQ(send(5), "ack-honesty-term");
}

TEST(ClusterChecker, FindsAVoteThatIsNotDurable) {
  Stage stage;
  raft::HardState& durable = stage.disk(0).stable.hard_state;
  const auto grant = [&] {
    const raft::VoteReply reply{.campaign_term = raft::Term(4), .granted = true};
    return violated_by([&] { stage.checker().sending(0, message_of(4, reply)); });
  };
  durable = {.term = raft::Term(4), .vote = {}};
  EXPECT_EQ(grant(), "ack-honesty-vote");
  durable.vote = raft::Peer{id_of(2), {}};
  EXPECT_EQ(grant(), "ack-honesty-vote");
  durable.vote = raft::Peer{id_of(1), {}};
  EXPECT_EQ(grant(), "none");
}

TEST(ClusterChecker, FindsACandidateWhoseVoteForItselfIsNotDurable) {
  Stage stage;
  raft::HardState& durable = stage.disk(0).stable.hard_state;
  const auto campaign = [&](bool pre_vote) {
    const raft::RequestVote request{
        .campaign_term = raft::Term(4), .pre_vote = pre_vote, .last = {}};
    return violated_by([&] { stage.checker().sending(0, message_of(4, request)); });
  };
  durable = {.term = raft::Term(4), .vote = {}};
  EXPECT_EQ(campaign(false), "ack-honesty-vote");
  EXPECT_EQ(campaign(true), "none");
  durable.vote = raft::Peer{id_of(0), {}};
  EXPECT_EQ(campaign(false), "none");
}

TEST(ClusterChecker, FindsAPromiseThatIsNotDurable) {
  Stage stage;
  raft::HardState& durable = stage.disk(0).stable.hard_state;
  const auto promise = [&](const raft::MessageBody& body) {
    return violated_by([&] { stage.checker().sending(0, message_of(2, body)); });
  };
  durable = {.term = raft::Term(2), .vote = {}, .longest_promise = 200ms};
  EXPECT_EQ(promise(raft::AppendAccepted{.match_index = {}, .round = {}, .promise = 200ms}),
            "none");
  EXPECT_EQ(promise(raft::AppendAccepted{.match_index = {}, .round = {}, .promise = 300ms}),
            "ack-honesty-promise");
  EXPECT_EQ(promise(raft::AppendRejected{
                .previous_index = {}, .hint = {}, .round = {}, .promise = 200ms}),
            "none");
  EXPECT_EQ(promise(raft::AppendRejected{
                .previous_index = {}, .hint = {}, .round = {}, .promise = 300ms}),
            "ack-honesty-promise");
}

TEST(ClusterChecker, FindsAnAcknowledgementOfWhatIsNotDurable) {
  Stage stage;
  stage.disk(0).stable.hard_state = {.term = raft::Term(2), .vote = {}};
  stage.store(0, founded());
  const raft::AppendAccepted accepted{raft::Index(2), raft::Round(1)};
  EXPECT_EQ(violated_by([&] { stage.checker().sending(0, message_of(2, accepted)); }),
            "ack-honesty-append");
}

TEST(ClusterChecker, FindsAnAcknowledgementOfWhatTheLeaderDoesNotHave) {
  Stage stage;
  const Log log = with(founded(), 2);
  stage.step(0, follower(2, log));
  stage.step(1, leader(3, founded()));
  stage.disk(0).stable.hard_state = {.term = raft::Term(3), .vote = {}};
  stage.store(0, log);
  const raft::AppendAccepted accepted{raft::Index(2), raft::Round(1)};
  EXPECT_EQ(violated_by([&] { stage.checker().sending(0, message_of(3, accepted)); }),
            "ack-honesty-append");
}

}  // namespace
}  // namespace anchor::sim
