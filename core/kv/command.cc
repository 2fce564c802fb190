#include "core/kv/command.h"

namespace anchor::kv {

bool may_grow(const CommandBody& body) {
  if (const auto* transaction = std::get_if<Transaction>(&body)) return may_grow(*transaction);
  return std::holds_alternative<Put>(body) || std::holds_alternative<OpenSession>(body);
}

}  // namespace anchor::kv
