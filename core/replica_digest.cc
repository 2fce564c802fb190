#include "core/replica.h"

// How replicas find out that their states differ, and what they do then; the rest of it is in
// replica.cc.
namespace anchor {

// A leader whose own state is known to be wrong publishes nothing: it hands over.
void Replica::agree_on_digests() {
  if (!raft_.is_leader() || raft_.transferring() || raft_.state().needs_snapshot()) return;
  const bool alone = raft_.configuration().members.size() == 1 && serves();
  if (digest_agreement_.take_check_due(now_) && !alone) {
    const raft::Index index = raft_.log().last().index.next();
    // Refused, it is tried again after another interval.
    if (raft_.propose(kv::encode_command(kv::Command(kv::CheckDigest{index.value()})))) {
      digest_agreement_.published(index, now_);
    }
  }
  const auto verdict =
      digest_agreement_.take_verdict(raft_.configuration(), raft_.state().self.id, now_);
  if (verdict && !raft_.propose(kv::encode_command(kv::Command(*verdict)))) {
    digest_agreement_.state_changed();  // to be found out again
  }
}

std::optional<Instant> Replica::digest_due() const {
  if (raft_.transferring() || raft_.state().needs_snapshot()) return std::nullopt;
  return digest_agreement_.due();
}

void Replica::take_report(const raft::Message& message, const raft::DigestReport& report) {
  if (message.term != raft_.term()) return;
  digest_agreement_.report(message.from.id, report.index, report.digest);
}

// It may get lost: then the next point does it.
void Replica::report_digest() {
  if (!noted_) return;
  const raft::Index index(noted_->number);
  if (raft_.is_leader()) {
    digest_agreement_.report(raft_.state().self.id, index, noted_->digest);
  } else if (leader_) {
    raft_.send(leader_->peer, raft::DigestReport{index, noted_->digest});
  }
  noted_.reset();
}

void Replica::heed(const kv::DigestJudged& judged) {
  const bool served = serves();
  switch (judged.verdict) {
    case kv::DigestVerdict::kAgrees:
      raft_.set_no_majority(false);
      if (served) return;
      events_.push_back(raft::StateTrusted{raft_.term(), applied_index_});
      // Nobody could use a session, or keep a lease alive, meanwhile.
      if (raft_.is_leader()) {
        session_expiry_.begin(store_.sessions(), now_);
        lease_expiry_.begin(store_.leases(), now_);
      }
      return;
    case kv::DigestVerdict::kDiffers:
      raft_.set_no_majority(false);
      raft_.distrust_state(applied_index_);
      events_.push_back(
          raft::StateDistrusted{raft_.term(), applied_index_,
                                "it is not the majority's; it waits for a snapshot of theirs"});
      break;
    case kv::DigestVerdict::kNoMajority:
      if (!served) return;
      raft_.set_no_majority(true);
      events_.push_back(raft::StateDistrusted{
          raft_.term(), applied_index_,
          "no majority of the members has the same; remove whoever is known to be wrong"});
      break;
    case kv::DigestVerdict::kObsolete:
      return;
  }
  if (served) refuse_what_waits();
}

// What was handed over already is as it was: the leader it went to may be right.
void Replica::refuse_what_waits() {
  std::vector<RequestId> refused;
  for (const auto& [id, request] : requests_) {
    const auto* proposal = std::get_if<raft::Proposal>(&request.body);
    const bool administers =
        proposal != nullptr && std::holds_alternative<raft::AdminRequest>(*proposal);
    if (!request.handed_over && !administers) refused.push_back(id);
  }
  for (const RequestId id : refused) reply(id, NotApplied{Refusal::kStateDistrusted});
  stale_reads_.clear();
  locks_.distrust();
}

}  // namespace anchor
