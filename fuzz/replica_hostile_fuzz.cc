// One replica of three, as in replica_step_fuzz.cc, but its peers say whatever decodes: of any
// server, in any life, term and order, with any number in any place. Nothing they say may end its
// process, or break what holds within it. (That it still agrees with the others is not promised:
// they lie.)

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "core/codec/message_codec.h"
#include "fuzz/peers.h"
#include "fuzz/replica_shell.h"
#include "fuzz/round_trip.h"

namespace anchor::fuzz {
namespace {

class HostilePeers {
 public:
  HostilePeers(const raft::Raft& replica, Decisions& decisions)
      : replica_(replica), decisions_(decisions) {}

  void lost_election(raft::Term) {}

  // None: what was decided does not decode.
  std::optional<raft::Message> speak() {
    const raft::Message message{.from = any_peer(),
                                .from_boot = any<raft::Boot>(1),
                                .to = decisions_.below(16) == 0 ? any_peer() : peer_of(1),
                                .term = any_term(),
                                .body = any_body()};
    const Bytes frame = codec::encode_message(kClusterId, message);
    if (auto decoded = codec::decode_message(kClusterId, frame)) return std::move(*decoded);
    return std::nullopt;
  }

 private:
  // Near to what would be right, and at the ends.
  std::uint64_t any_number(std::uint64_t right) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    switch (decisions_.below(16)) {
      case 0:
        return 0;
      case 1:
        return right + 1;
      case 2:
        return right - 1;
      case 3:
        return right + 2 + decisions_.below(64);
      case 4:
        return right - 2 - decisions_.below(64);
      case 5:
        return kMost - decisions_.below(2);
      case 6:
        return (kMost >> decisions_.below(64)) + decisions_.below(2);
      case 7:
        return decisions_.below(16);
      default:
        return right;
    }
  }
  template <typename Number>
  Number any(std::uint64_t right) {
    return Number(any_number(right));
  }
  raft::Term any_term() { return any<raft::Term>(replica_.term().value()); }
  Duration any_duration() { return Duration(static_cast<Duration::rep>(any_number(300'000))); }
  raft::Index any_index() {
    const raft::Index near =
        decisions_.coin() ? replica_.log().last().index : replica_.commit_index();
    return any<raft::Index>(near.value());
  }
  raft::LogPosition any_position() {
    const raft::Index index = any_index();
    const raft::Term right = replica_.log().term_at(index).value_or(replica_.term());
    return {index, any<raft::Term>(right.value())};
  }
  raft::Peer any_peer() {
    raft::Peer peer =
        peer_of(decisions_.below(8) == 0 ? decisions_.below(5) : 2 + decisions_.below(2));
    if (decisions_.below(16) == 0) peer.incarnation = raft::Incarnation(any_number(1));
    return peer;
  }

  raft::Entry any_entry(raft::Index index, raft::Term term) {
    raft::Entry entry{.index = index, .term = term, .payload = {}};
    switch (decisions_.below(8)) {
      case 0:
        entry.payload = raft::Command{Bytes::copy_of("no command")};
        break;
      case 3:
        entry.payload = raft::Command{kv::encode_command(kv::OpenSession{})};
        break;
      case 4:
        entry.payload = raft::Command{kv::encode_command(kv::CheckDigest{any_number(1)})};
        break;
      case 5:
        entry.payload =
            raft::Command{kv::encode_command(kv::JudgeDigest{any_number(1), any_number(1)})};
        break;
      case 1:
        entry.payload =
            raft::Command{kv::encode_command(kv::Put{"a", Bytes::copy_of("value"), kv::Always{}})};
        break;
      case 2:
        entry.payload = any_configuration(decisions_);
        break;
      default:
        break;
    }
    return entry;
  }

  raft::MessageBody append_entries() {
    raft::AppendEntries request{.previous = any_position(),
                                .commit_index = any_index(),
                                .round = any<raft::Round>(1),
                                .entries = {}};
    raft::LogPosition last = request.previous;
    for (std::uint64_t count = decisions_.below(5); count > 0; --count) {
      last.index = any<raft::Index>(last.index.next().value());
      last.term = any<raft::Term>(last.term.value());
      request.entries.push_back(any_entry(last.index, last.term));
    }
    if (decisions_.below(4) == 0) {
      request.dating = raft::Dating{
          .boot = any<raft::Boot>(1), .echo = Instant(any_duration()), .age = any_duration()};
    }
    return request;
  }
  raft::MessageBody append_accepted() {
    raft::AppendAccepted accepted{.match_index = any_index(),
                                  .round = any<raft::Round>(1),
                                  .promise = any_duration(),
                                  .sent = Instant(any_duration()),
                                  .snapshot_wanted = any_index()};
    // Of no byte of its own, so that older inputs mean what they did.
    accepted.short_of_disk = accepted.promise.count() % 2 != 0;
    return accepted;
  }
  raft::MessageBody digest_report() { return raft::DigestReport{any_index(), any_number(1)}; }
  raft::MessageBody append_rejected() {
    return raft::AppendRejected{.previous_index = any_index(),
                                .hint = any_position(),
                                .round = any<raft::Round>(1),
                                .promise = any_duration(),
                                .sent = Instant(any_duration())};
  }
  raft::MessageBody install_snapshot() {
    return raft::InstallSnapshot{.file = {.position = any_position(),
                                          .size_bytes = any_number(1000),
                                          .checksum = any_number(1)},
                                 .offset = any_number(0),
                                 .chunk = Bytes::copy_of("a part of it")};
  }
  raft::MessageBody snapshot_accepted() {
    return raft::SnapshotAccepted{.position = any_position(), .received_bytes = any_number(1000)};
  }
  raft::MessageBody request_vote() {
    return raft::RequestVote{.campaign_term = any_term(),
                             .pre_vote = decisions_.coin(),
                             .transfer = decisions_.coin(),
                             .last = any_position()};
  }
  raft::MessageBody vote_reply() {
    const raft::Term next = replica_.term().next();
    return raft::VoteReply{.campaign_term = decisions_.coin() ? next : any_term(),
                           .pre_vote = decisions_.coin(),
                           .granted = decisions_.below(4) != 0};
  }
  raft::MessageBody read_index_request() {
    return raft::ReadIndexRequest{.context = any_number(1), .lease = decisions_.coin()};
  }
  raft::MessageBody read_index_reply() {
    return raft::ReadIndexReply{.context = any_number(1),
                                .requester_boot = any<raft::Boot>(1),
                                .read_index = any_index(),
                                .by_lease = decisions_.coin()};
  }
  raft::MessageBody forward_request() {
    raft::Proposal proposal = raft::Command{Bytes::copy_of("no command")};
    if (decisions_.coin()) proposal = any_admin_request(decisions_);
    return raft::ForwardRequest{.sequence = any_number(1),
                                .leader_boot = any<raft::Boot>(1),
                                .leader_term = any_term(),
                                .proposal = std::move(proposal)};
  }
  raft::AdminAnswer any_answer() {
    switch (decisions_.below(3)) {
      case 0:
        return raft::ConfigurationChanged{.index = any_index(),
                                          .configuration = any_configuration(decisions_)};
      case 1:
        return raft::LeadershipTransferred{any_peer().id};
      default:
        return raft::AdminRefused{raft::AdminRefusal::kNotReady, "a reason"};
    }
  }
  raft::MessageBody forward_reply() {
    decltype(raft::ForwardReply::result) result = Bytes::copy_of("no result");
    if (decisions_.coin()) result = any_answer();
    return raft::ForwardReply{.requester_boot = any<raft::Boot>(1),
                              .sequence = any_number(1),
                              .outcome = static_cast<raft::ForwardOutcome>(decisions_.below(4)),
                              .result = std::move(result)};
  }

  raft::MessageBody any_body() {
    switch (decisions_.below(16)) {
      case 0:
        return request_vote();
      case 1:
        return vote_reply();
      case 2:
        return append_accepted();
      case 3:
        return append_rejected();
      case 4:
        return install_snapshot();
      case 5:
        return snapshot_accepted();
      case 6:
        return read_index_request();
      case 7:
        return read_index_reply();
      case 8:
        return forward_request();
      case 9:
        return forward_reply();
      case 10:
        return raft::TimeoutNow{};
      case 11:
        return raft::MembershipQuery{};
      case 12:
        return raft::NotMember{any_index()};
      case 13:
        return digest_report();
      default:
        return append_entries();
    }
  }

  const raft::Raft& replica_;
  Decisions& decisions_;
};

// So that the log is cut, and followers are sent snapshots.
Replica::Options with_snapshots() {
  Replica::Options options = tight_options();
  options.snapshot_bytes = 600;
  options.raft.trailing_bytes = 100;
  options.raft.log_bytes = 4000;
  options.raft.snapshot_chunk_bytes = 300;
  options.raft.snapshot_window_bytes = 600;
  return options;
}

}  // namespace
}  // namespace anchor::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anchor::fuzz;
  ReplicaShell<HostilePeers>(as_view(data, size), with_snapshots()).run();
  return 0;
}
