#include "core/raft/types.h"

#include "core/raft/admin.h"
#include "core/raft/configuration.h"

namespace anchor::raft {
namespace {

// Index, term, and what a record adds to them on disk and on the wire.
constexpr std::uint64_t kEntryOverheadBytes = 48;
constexpr std::uint64_t kMemberBytes = 64;

}  // namespace

std::string names_of(const std::vector<ServerId>& ids) {
  std::string names;
  for (const ServerId& id : ids) names += (names.empty() ? "" : ", ") + id.name();
  return names;
}

bool operator==(const Entry& a, const Entry& b) {
  if (a.index != b.index || a.term != b.term || a.payload.index() != b.payload.index()) {
    return false;
  }
  const auto* configuration = std::get_if<SharedConfiguration>(&a.payload);
  if (configuration == nullptr) return a.payload == b.payload;
  return **configuration == *std::get<SharedConfiguration>(b.payload);
}

bool operator==(const ConfigurationChanged& a, const ConfigurationChanged& b) {
  return a.index == b.index && *a.configuration == *b.configuration;
}

std::uint64_t entry_bytes(const Entry& entry) {
  if (const auto* command = std::get_if<Command>(&entry.payload)) {
    return kEntryOverheadBytes + command->payload.size();
  }
  if (const auto* configuration = std::get_if<SharedConfiguration>(&entry.payload)) {
    return kEntryOverheadBytes + kMemberBytes * (*configuration)->members.size();
  }
  return kEntryOverheadBytes;
}

}  // namespace anchor::raft
