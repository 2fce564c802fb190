#include "core/kv/command.h"

namespace anchor::kv {
namespace {

struct CommandSize {
  static std::size_t of(const KeyRange& range) {
    return 32 + range.start.size() + (range.end ? range.end->size() : 0);
  }
  static std::size_t of(const std::vector<Operation>& operations) {
    std::size_t size = 0;
    for (const Operation& operation : operations) {
      size += 80;
      if (const auto* put = std::get_if<PutOperation>(&operation)) {
        size += put->key.size() + put->value.size();
      } else if (const auto* erase = std::get_if<DeleteOperation>(&operation)) {
        size += of(erase->range);
      } else {
        size += of(std::get<GetOperation>(operation).range);
      }
    }
    return size;
  }

  std::size_t operator()(const Put& put) const { return put.key.size() + put.value.size(); }
  std::size_t operator()(const Delete& erase) const { return erase.key.size(); }
  std::size_t operator()(const DeleteRange& erase) const { return of(erase.range); }
  std::size_t operator()(const Transaction& transaction) const {
    std::size_t size = 64 + of(transaction.success) + of(transaction.failure);
    for (const Compare& compare : transaction.compare) {
      const auto* bytes = std::get_if<Bytes>(&compare.with);
      size += 48 + compare.key.size() + (bytes == nullptr ? 0 : bytes->size());
    }
    return size;
  }
  std::size_t operator()(const GrantLease&) const { return 0; }
  std::size_t operator()(const RevokeLease&) const { return 0; }
  std::size_t operator()(const ExpireLeases& expire) const { return 32 + 8 * expire.leases.size(); }
  std::size_t operator()(const OpenSession&) const { return 0; }
  std::size_t operator()(const CloseSession&) const { return 0; }
  std::size_t operator()(const ExpireSessions& expire) const { return 16 * expire.sessions.size(); }
  std::size_t operator()(const ChangeSettings& change) const { return 64 * change.values.size(); }
  std::size_t operator()(const CheckDigest&) const { return 0; }
  std::size_t operator()(const JudgeDigest&) const { return 32; }
};

}  // namespace

bool may_grow(const CommandBody& body) {
  if (const auto* transaction = std::get_if<Transaction>(&body)) return may_grow(*transaction);
  return std::holds_alternative<Put>(body) || std::holds_alternative<OpenSession>(body) ||
         std::holds_alternative<GrantLease>(body);
}

bool only_leaders_propose(const CommandBody& body) {
  return std::holds_alternative<ExpireSessions>(body) ||
         std::holds_alternative<ExpireLeases>(body) || std::holds_alternative<CheckDigest>(body) ||
         std::holds_alternative<JudgeDigest>(body);
}

std::size_t command_bytes(const CommandBody& body) {
  return std::visit(CommandSize(), body);
}

}  // namespace anchor::kv
