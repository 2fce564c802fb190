#include "sim/session_checks.h"

#include <string>
#include <variant>

#include "sim/violation.h"

namespace anchor::sim {

bool uses_sequence(const kv::CommandResult& result) {
  return std::holds_alternative<kv::PutDone>(result) ||
         std::holds_alternative<kv::DeleteDone>(result) ||
         std::holds_alternative<kv::RangeDeleted>(result) ||
         std::holds_alternative<kv::TransactionDone>(result) ||
         std::holds_alternative<kv::ConditionFailed>(result);
}

bool SessionChecks::over(const Open& session, Instant now) const {
  constexpr std::int64_t kMillion = 1'000'000;
  return (now - session.used) * (kMillion - *max_drift_) >= session.ttl * kMillion;
}

void SessionChecks::committed(const kv::Command& command, const kv::CommandResult& result,
                              Instant now) {
  if (const auto* opened = std::get_if<kv::SessionOpened>(&result)) {
    open_[opened->id] = {.ttl = opened->ttl, .used = now};
  } else if (const auto* close = std::get_if<kv::CloseSession>(&command.body)) {
    open_.erase(close->id);
  } else if (command.session) {
    const auto session = open_.find(command.session->session);
    if (session == open_.end()) return;
    const bool ran =
        command.session->sequence == session->second.last_sequence + 1 && uses_sequence(result);
    // A retry need not keep it: the leader may have proposed its end before it saw that one.
    if (ran) session->second = {session->second.ttl, command.session->sequence, now};
  } else if (const auto* expire = std::get_if<kv::ExpireSessions>(&command.body)) {
    for (const auto& [id, last_sequence] : expire->sessions) {
      const auto session = open_.find(id);
      if (session == open_.end() || session->second.last_sequence != last_sequence) continue;
      check(!max_drift_ || over(session->second, now), "session-ends-too-early",
            "session " + std::to_string(id.value()));
      open_.erase(session);
    }
  }
}

}  // namespace anchor::sim
