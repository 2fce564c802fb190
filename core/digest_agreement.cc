#include "core/digest_agreement.h"

#include <algorithm>

#include "core/raft/quorum.h"

namespace anchor {

void DigestAgreement::begin(Instant now) {
  leading_ = Leading{.next_check = now + interval_};
}

void DigestAgreement::state_changed() {
  if (leading_) leading_->compare = true;
}

bool DigestAgreement::voters_differ(const raft::Configuration& configuration) const {
  std::optional<std::uint64_t> first;
  return std::ranges::any_of(leading_->reports, [&](const auto& report) {
    return configuration.is_voter(report.first) &&
           report.second != *(first = first.value_or(report.second));
  });
}

std::optional<Instant> DigestAgreement::due() const {
  if (!leading_) return std::nullopt;
  return leading_->patience_ends.value_or(check_due());
}

// However short the interval is, a point has time to be judged.
Instant DigestAgreement::check_due() const {
  const Instant judged = leading_->open ? leading_->published + patience_ : Instant();
  return std::max(leading_->next_check, judged);
}

bool DigestAgreement::take_check_due(Instant now) {
  if (!leading_ || leading_->patience_ends || now < check_due()) return false;
  leading_->next_check = now + interval_;
  return leading_->compare;
}

void DigestAgreement::published(raft::Index index, Instant now) {
  leading_->open = index;
  leading_->published = now;
  leading_->reports.clear();
}

void DigestAgreement::report(const raft::ServerId& from, raft::Index index, std::uint64_t digest) {
  if (leading_ && leading_->open == index) leading_->reports[from] = digest;
}

std::optional<kv::JudgeDigest> DigestAgreement::take_verdict(
    const raft::Configuration& configuration, const raft::ServerId& self, Instant now) {
  if (!leading_ || !leading_->open) return std::nullopt;
  const auto& reports = leading_->reports;
  const auto judged = [&](std::optional<std::uint64_t> digest) {
    leading_->compare = !digest;
    leading_->patience_ends.reset();
    return kv::JudgeDigest{std::exchange(leading_->open, std::nullopt)->value(), digest};
  };
  bool possible = false;
  for (const auto& [reporter, digest] : reports) {
    const auto has_it = [&](const raft::ServerId& id) {
      const auto found = reports.find(id);
      return found != reports.end() && found->second == digest;
    };
    const auto may_have_it = [&](const raft::ServerId& id) {
      return has_it(id) || !reports.contains(id);
    };
    if (raft::is_quorum(configuration, has_it)) return judged(digest);
    possible = possible || raft::is_quorum(configuration, may_have_it);
  }
  if (!reports.contains(self) || !voters_differ(configuration)) {
    leading_->patience_ends.reset();
    return std::nullopt;
  }
  if (!leading_->patience_ends) leading_->patience_ends = now + patience_;
  if (possible && now < *leading_->patience_ends) return std::nullopt;
  return judged(std::nullopt);
}

}  // namespace anchor
