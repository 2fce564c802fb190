#include "core/founding.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace anchor {
namespace {

// A server that was not heard for so many intervals is not there.
constexpr int kForgetAfter = 10;

std::vector<raft::ServerId> ids_of(const FoundingProposal& proposal) {
  std::vector<raft::ServerId> ids;
  for (const Founder& founder : proposal.founders) ids.push_back(founder.id);
  return ids;
}

std::string join(const std::vector<raft::ServerId>& ids) {
  std::string text;
  for (const raft::ServerId& id : ids) text += (text.empty() ? "" : ", ") + id.name();
  return text;
}

}  // namespace

bool valid(const FoundingProposal& proposal) {
  const auto not_ascending = [](const Founder& a, const Founder& b) { return a.id >= b.id; };
  return proposal.cluster_id != raft::ClusterId() && !proposal.founders.empty() &&
         std::ranges::adjacent_find(proposal.founders, not_ascending) == proposal.founders.end();
}

Founding::Founding(Options options, std::optional<FoundingProposal> accepted)
    : options_(std::move(options)),
      random_(options_.seed),
      nonce_(random_.next()),
      accepted_(std::move(accepted)) {
  ANCHOR_ASSERT(options_.expect > 0);
}

Founding::Output Founding::step(Instant now) {
  ANCHOR_ASSERT(now >= now_);
  now_ = now;
  Output output;
  if (now < due_) return output;
  due_ = now + options_.interval;
  std::erase_if(seen_, [&](const auto& entry) {
    return entry.second.heard + kForgetAfter * options_.interval < now;
  });
  for (const std::string& address : options_.peers) output.calls.push_back({address, hello()});
  if (accepted_) {
    for (const Founder& founder : accepted_->founders) {
      if (founder.id == options_.self.id) continue;
      output.calls.push_back({founder.address, OutcomeQuery{accepted_->cluster_id}});
    }
  }
  if (coordination_) {
    for (const Founder& founder : coordination_->proposal.founders) {
      if (founder.id == options_.self.id || coordination_->accepted[founder.id]) continue;
      output.calls.push_back({founder.address, coordination_->proposal});
    }
  }
  propose_if_complete(output);
  return output;
}

FoundingHello Founding::hello() const {
  return {.founder = options_.self,
          .nonce = nonce_,
          .expect = options_.expect,
          .seen = seen_ids(),
          .prepared = accepted_.has_value()};
}

std::vector<raft::ServerId> Founding::seen_ids() const {
  std::vector<raft::ServerId> ids{options_.self.id};
  for (const auto& [id, seen] : seen_) ids.push_back(id);
  std::ranges::sort(ids);
  return ids;
}

// --- Being asked --------------------------------------------------------------------------------

FoundingReply Founding::answer(const FoundingRequest& request, Output& output) {
  if (const auto* from = std::get_if<FoundingHello>(&request)) {
    take_hello(*from, output);
    return hello();
  }
  if (const auto* proposal = std::get_if<FoundingProposal>(&request)) {
    return consider(*proposal, output);
  }
  const raft::ClusterId asked = std::get<OutcomeQuery>(request).cluster_id;
  const bool open = (coordination_ && coordination_->proposal.cluster_id == asked) ||
                    (accepted_ && accepted_->cluster_id == asked);
  // Not being a member, it did not commit. Whether another did, only the coordinator knows, and
  // whose word this is the asker sees.
  return OutcomeAnswer{asked, options_.self.id,
                       open ? ProposalOutcome::kUndecided : ProposalOutcome::kAborted};
}

FoundingReply Founding::consider(const FoundingProposal& proposal, Output& output) {
  if (!valid(proposal)) return FoundingRefused{"the proposal contradicts itself"};
  if (accepted_) {
    if (*accepted_ == proposal) return ProposalAccepted{proposal.cluster_id, options_.self.id};
    return FoundingRefused{options_.self.id.name() + " has accepted another proposal"};
  }
  if (proposal.founders.size() != options_.expect) {
    return FoundingRefused{options_.self.id.name() + " expects " + std::to_string(options_.expect) +
                           " servers"};
  }
  const bool listed =
      std::ranges::find(proposal.founders, options_.self) != proposal.founders.end();
  if (!listed || proposal.coordinator() == options_.self.id || ids_of(proposal) != seen_ids()) {
    return FoundingRefused{options_.self.id.name() + " sees " + join(seen_ids())};
  }
  // Its own proposal, if it had one, is not committed and never will be.
  coordination_.reset();
  accepted_ = proposal;
  output.store = accepted_;
  note(Subject::kProposal,
       "accepted the founding of cluster " + hex16(proposal.cluster_id.value()) + " with " +
           join(ids_of(proposal)),
       output);
  return ProposalAccepted{proposal.cluster_id, options_.self.id};
}

// --- Being answered -----------------------------------------------------------------------------

Founding::Output Founding::replied(const std::string& address, const FoundingReply& reply) {
  Output output;
  if (const auto* from = std::get_if<FoundingHello>(&reply)) {
    take_hello(*from, output);
  } else if (const auto* member = std::get_if<AlreadyMember>(&reply)) {
    take_member(*member, address, output);
  } else if (const auto* refused = std::get_if<FoundingRefused>(&reply)) {
    // Views differ, or somebody is bound: begin anew when they have settled.
    coordination_.reset();
    note(Subject::kRefusal, "a proposal was refused: " + refused->reason, output);
  } else if (const auto* acceptance = std::get_if<ProposalAccepted>(&reply)) {
    take_acceptance(*acceptance, output);
  } else {
    take_outcome(std::get<OutcomeAnswer>(reply), output);
  }
  return output;
}

void Founding::take_acceptance(const ProposalAccepted& acceptance, Output& output) {
  if (!coordination_ || coordination_->proposal.cluster_id != acceptance.cluster_id) return;
  const auto founder = coordination_->accepted.find(acceptance.from);
  if (founder == coordination_->accepted.end()) return;
  founder->second = true;
  const auto yes = [](const auto& entry) { return entry.second; };
  if (std::ranges::all_of(coordination_->accepted, yes)) output.founded = coordination_->proposal;
}

void Founding::take_outcome(const OutcomeAnswer& answer, Output& output) {
  if (!accepted_ || accepted_->cluster_id != answer.cluster_id) return;
  if (answer.outcome == ProposalOutcome::kCommitted) {
    output.founded = accepted_;
  } else if (answer.outcome == ProposalOutcome::kAborted &&
             answer.from == accepted_->coordinator()) {
    note(Subject::kProposal,
         "the founding of cluster " + hex16(answer.cluster_id.value()) + " was given up", output);
    accepted_.reset();
    output.store = std::optional<FoundingProposal>();
  }
}

void Founding::take_hello(const FoundingHello& from, Output& output) {
  const raft::ServerId& id = from.founder.id;
  if (id == options_.self.id) {
    if (from.nonce != nonce_) {
      note(Subject::kSameId,
           "another server at " + from.founder.address + " has the id " + id.name() +
               " too: give each its own --id",
           output);
    }
    return;
  }
  seen_[id] = {from, now_};
  propose_if_complete(output);
}

void Founding::take_member(const AlreadyMember& member, const std::string& address,
                           Output& output) {
  if (accepted_ && accepted_->cluster_id == member.cluster_id) {
    output.founded = accepted_;
    return;
  }
  const bool lists_me = std::ranges::find(member.members, options_.self.id) != member.members.end();
  const std::string there = member.id.name() + " at " + address + " belongs to cluster " +
                            hex16(member.cluster_id.value());
  if (lists_me) {
    output.rejected = there + ", which has a member " + options_.self.id.name() +
                      " whose data this directory does not hold; it may have voted, so it must be "
                      "removed from the cluster, and then join it again";
  } else {
    output.rejected =
        there + " already; to join it, start with --peers and without " + "--bootstrap-expect";
  }
}

// --- Coordinating -------------------------------------------------------------------------------

// Exactly those who are expected are here, and all of them see and expect the same.
bool Founding::views_agree(Output& output) {
  const std::vector<raft::ServerId> ids = seen_ids();
  const std::string expected = std::to_string(options_.expect);
  if (ids.size() > options_.expect) {
    note(Subject::kView,
         "sees " + join(ids) + ", but expects " + expected +
             " servers: stop those that are too many",
         output);
    return false;
  }
  for (const auto& [id, seen] : seen_) {
    if (seen.hello.expect == options_.expect) continue;
    note(Subject::kView,
         id.name() + " expects " + std::to_string(seen.hello.expect) + " servers, and this one " +
             expected + ": --bootstrap-expect must be the same on all",
         output);
    return false;
  }
  if (ids.size() < options_.expect) {
    note(Subject::kView, "waits for " + expected + " servers, sees " + join(ids), output);
    return false;
  }
  return std::ranges::all_of(seen_, [&](const auto& entry) {
    return !entry.second.hello.prepared && entry.second.hello.seen == ids;
  });
}

void Founding::propose_if_complete(Output& output) {
  if (accepted_ || coordination_ || !views_agree(output)) return;
  if (!seen_.empty() && seen_.begin()->first < options_.self.id) return;
  FoundingProposal proposal{.cluster_id = raft::ClusterId(random_.next() | 1),
                            .founders = {options_.self}};
  coordination_.emplace();
  for (const auto& [id, seen] : seen_) {
    proposal.founders.push_back(seen.hello.founder);
    coordination_->accepted[id] = false;
  }
  for (const auto& [id, seen] : seen_) {
    output.calls.push_back({seen.hello.founder.address, proposal});
  }
  note(Subject::kProposal,
       "proposes cluster " + hex16(proposal.cluster_id.value()) + " with " + join(ids_of(proposal)),
       output);
  // Alone it need not ask.
  if (seen_.empty()) output.founded = proposal;
  coordination_->proposal = std::move(proposal);
}

void Founding::note(Subject subject, std::string text, Output& output) {
  std::string& last = last_notes_[subject];
  if (text == last) return;
  last = text;
  output.notes.push_back(std::move(text));
}

// --- Members ------------------------------------------------------------------------------------

FoundingReply answer_as_member(raft::ClusterId cluster_id, const raft::ServerId& self,
                               const raft::Configuration& configuration,
                               const FoundingRequest& request) {
  const auto* query = std::get_if<OutcomeQuery>(&request);
  if (query != nullptr) {
    const bool same = query->cluster_id == cluster_id;
    return OutcomeAnswer{query->cluster_id, self,
                         same ? ProposalOutcome::kCommitted : ProposalOutcome::kAborted};
  }
  AlreadyMember member{.cluster_id = cluster_id, .id = self};
  for (const raft::Member& each : configuration.members) member.members.push_back(each.id);
  return member;
}

raft::Configuration founding_configuration(const FoundingProposal& proposal) {
  std::vector<raft::Member> members;
  for (const Founder& founder : proposal.founders) {
    members.push_back({.id = founder.id,
                       .incarnation = {},
                       .address = founder.address,
                       .http_address = founder.http_address});
  }
  return raft::founding_configuration(std::move(members));
}

raft::Entry founding_entry(const FoundingProposal& proposal) {
  raft::Entry entry{.index = raft::Index(1), .term = raft::Term(1), .payload = {}};
  entry.payload = std::make_shared<const raft::Configuration>(founding_configuration(proposal));
  return entry;
}

}  // namespace anchor
