#include "core/replica.h"

// How a replica applies commands, and as the leader seeds the settings and ends sessions that
// nobody uses; the rest of it is in replica.cc.
namespace anchor {

kv::CommandResult Replica::apply(const Bytes& payload, raft::Term term) {
  const auto command = kv::decode_command(payload);
  if (!command) return kv::InvalidCommand{};
  // Another leader's clock says nothing.
  const auto* expire = std::get_if<kv::ExpireLeases>(&command->body);
  if (expire != nullptr && expire->term != term.value()) return kv::InvalidCommand{};
  kv::CommandResult result = store_.apply(*command);
  note_leases(*command, result);
  if (const auto* opened = std::get_if<kv::SessionOpened>(&result)) {
    session_expiry_.used(opened->id, opened->ttl, now_);
  } else if (const auto* noted = std::get_if<kv::DigestNoted>(&result)) {
    noted_ = *noted;
    return result;
  } else if (const auto* judged = std::get_if<kv::DigestJudged>(&result)) {
    heed(*judged);
    return result;
  } else if (command->session) {
    const auto session = store_.sessions().find(command->session->session);
    if (session) session_expiry_.used(session->id, session->ttl, now_);
  }
  digest_agreement_.state_changed();
  return result;
}

// Whether more may be stored after it than before. Its session has been used, whatever becomes of
// it: none is to end because its writes are refused.
bool Replica::asks_for_room(const Bytes& payload) {
  const auto command = kv::decode_command(payload);
  if (!command || !kv::may_grow(command->body)) return false;
  if (command->session) {
    const auto session = store_.sessions().find(command->session->session);
    if (session) session_expiry_.used(session->id, session->ttl, now_);
  }
  return true;
}

// Before any client's command: a founder's log begins with the first entry.
void Replica::propose_first_settings() {
  const raft::Log& log = raft_.log();
  const bool founder = raft_.state().self.incarnation == raft::Incarnation();
  if (options_.first_settings.empty() || !founder || log.base().index > raft::Index()) return;
  for (raft::Index index(1); index <= log.last().index; ++index) {
    if (std::holds_alternative<raft::Command>(log.at(index).payload)) return;
  }
  // Refused it is not, with nothing else in the log.
  static_cast<void>(
      raft_.propose(kv::encode_command(kv::Command(kv::ChangeSettings{options_.first_settings}))));
}

std::optional<Instant> Replica::session_due() const {
  if (raft_.transferring() || !serves()) return std::nullopt;
  return session_expiry_.due();
}

void Replica::expire_sessions() {
  while (session_due() && *session_due() <= now_) {
    kv::ExpireSessions expire = session_expiry_.take_due(store_.sessions(), now_);
    if (expire.sessions.empty()) continue;
    if (!raft_.propose(kv::encode_command(kv::Command(expire)))) {
      session_expiry_.put_off(expire, now_ + options_.raft.election_timeout);
    }
  }
}

}  // namespace anchor
