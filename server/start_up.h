#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/result.h"
#include "core/founding.h"
#include "core/joining.h"
#include "io/data_directory.h"
#include "io/log_store.h"
#include "server/options.h"

namespace anchor::server {

// What the process ends with.
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitStorage = 10;
inline constexpr int kExitIdentity = 11;
inline constexpr int kExitMemory = 12;

// What a node begins as (the table in docs/architecture.md).
struct ResumeMember {
  io::OpenedLogStore opened;
};
// Founds a cluster together with others; alone, if it expects nobody else.
struct FoundCluster {
  Founding::Options options;
  // What an earlier start accepted and had not seen the end of.
  std::optional<FoundingProposal> accepted;
};
// Asks members of a cluster to be admitted.
struct JoinCluster {
  Joining::Options options;
};
using Beginning = std::variant<ResumeMember, FoundCluster, JoinCluster>;

struct StartUp {
  io::DataDirectory directory;
  Beginning beginning;
  // The directory's, or else the options'.
  std::string id;
};

// Opens the data directory and decides; the exit says why not.
std::expected<StartUp, Exit> start_up(const Options& options);

// What of a founding must survive a restart.
Result<void> store_proposal(const io::DataDirectory& directory,
                            const std::optional<FoundingProposal>& accepted);
// The cluster exists: makes the directory a founder's.
Result<io::OpenedLogStore> store_founder(const io::DataDirectory& directory, const std::string& id,
                                         const FoundingProposal& proposal);
// It was admitted: makes the directory a member's.
Result<io::OpenedLogStore> store_joiner(const io::DataDirectory& directory, const Joined& joined);

}  // namespace anchor::server
