#include "server/start_up.h"

#include <algorithm>
#include <utility>

#include "core/codec/founding_codec.h"
#include "core/raft/configuration.h"
#include "server/system.h"

namespace anchor::server {
namespace {

constexpr std::string_view kFoundingFile = "founding";

Exit refused(int code, const std::string& message) {
  return {code, "anchor: " + message + "\n"};
}

// The newest configuration that the member's log holds.
const raft::Member* member_in_log(const raft::Recovered& recovered) {
  const raft::Configuration* newest = recovered.base_configuration.get();
  for (const raft::Entry& entry : recovered.entries) {
    if (const auto* shared = std::get_if<raft::SharedConfiguration>(&entry.payload)) {
      newest = shared->get();
    }
  }
  return newest == nullptr ? nullptr : newest->find(recovered.self.id);
}

// Flags that contradict what the directory says this member is.
std::optional<Exit> contradiction(const Options& options, const raft::Recovered& recovered) {
  const std::string& id = recovered.self.id.name();
  if (options.id_given && options.id != id) {
    return refused(kExitIdentity, "--id: " + options.dir + " is the directory of " + id +
                                      ", not of " + options.id + "; an id never changes");
  }
  const raft::Member* self = member_in_log(recovered);
  if (self == nullptr) return std::nullopt;
  const auto moved = [&](const char* what, const std::string& is, const std::string& was) {
    return refused(kExitUsage, id + " is known to its cluster at " + was + ", but " + what +
                                   " says " + is + "; start it with its old address");
  };
  if (options.advertise != self->address) {
    return moved("--advertise (or --listen and --port)", options.advertise, self->address);
  }
  if (options.http_advertise != self->http_address) {
    return moved("--http-advertise (or --http-port)", options.http_advertise, self->http_address);
  }
  return std::nullopt;
}

Founding::Options founding_options(const Options& options) {
  return {.self = {.id = raft::ServerId(options.id),
                   .address = options.advertise,
                   .http_address = options.http_advertise},
          .expect = static_cast<std::uint32_t>(options.bootstrap_expect.value_or(1)),
          .peers = options.peers,
          .seed = fresh_seed()};
}

std::expected<Beginning, Exit> begin_empty(const Options& options,
                                           const io::DataDirectory& directory) {
  const auto stored = directory.read_file(kFoundingFile);
  if (!stored) return std::unexpected(refused(kExitStorage, stored.error().message));
  FoundCluster found{.options = founding_options(options), .accepted = {}};
  if (*stored) {
    auto proposal = codec::decode_founding_proposal(**stored);
    if (!proposal) {
      return std::unexpected(
          refused(kExitStorage, directory.path_of(kFoundingFile) + ": " + proposal.error().message +
                                    "; this server has stored nothing yet: empty the directory"));
    }
    // It goes on with what it has accepted, whatever the flags say now.
    found.options.expect = static_cast<std::uint32_t>(proposal->founders.size());
    const auto self = std::ranges::find(proposal->founders, found.options.self.id, &Founder::id);
    if (self == proposal->founders.end()) {
      return std::unexpected(refused(
          kExitIdentity, "--id: " + options.dir + " has agreed to found a cluster that has no " +
                             options.id + "; start it with the id that it had"));
    }
    found.options.self = *self;
    found.accepted = std::move(*proposal);
  } else if (!options.peers.empty() && !options.bootstrap_expect) {
    return std::unexpected(refused(
        kExitUsage,
        "--peers: joining a running cluster is not supported by this version; to found one with "
        "these servers, start all of them with --bootstrap-expect and their number"));
  }
  return found;
}

}  // namespace

std::expected<StartUp, Exit> start_up(const Options& options) {
  auto directory = io::DataDirectory::open(options.dir);
  if (!directory) {
    if (const auto* in_use = std::get_if<io::DirectoryInUse>(&directory.error())) {
      return std::unexpected(refused(kExitFailed, in_use->message));
    }
    if (const auto* unusable = std::get_if<io::UnusablePath>(&directory.error())) {
      return std::unexpected(refused(kExitUsage, "--dir: " + unusable->message));
    }
    return std::unexpected(refused(kExitStorage, std::get<Error>(directory.error()).message));
  }
  auto opened = io::LogStore::open(*directory);
  if (!opened) return std::unexpected(refused(kExitStorage, opened.error().message));
  if (!*opened) {
    auto beginning = begin_empty(options, *directory);
    if (!beginning) return std::unexpected(beginning.error());
    return StartUp{std::move(*directory), std::move(*beginning), options.id};
  }
  if (const auto exit = contradiction(options, (*opened)->recovered)) return std::unexpected(*exit);
  std::string id = (*opened)->recovered.self.id.name();
  return StartUp{std::move(*directory), ResumeMember{std::move(**opened)}, std::move(id)};
}

Result<void> store_proposal(const io::DataDirectory& directory,
                            const std::optional<FoundingProposal>& accepted) {
  if (!accepted) return directory.remove_file(kFoundingFile);
  return directory.write_file_durably(kFoundingFile,
                                      codec::encode_founding_proposal(*accepted).view());
}

Result<io::OpenedLogStore> store_founder(const io::DataDirectory& directory, const std::string& id,
                                         const FoundingProposal& proposal) {
  const codec::StableState initial{.cluster_id = proposal.cluster_id,
                                   .self = {.id = raft::ServerId(id), .incarnation = {}},
                                   .boot = {},
                                   .hard_state = {.term = raft::Term(1), .vote = {}}};
  const raft::Entry first = founding_entry(proposal);
  auto opened = io::LogStore::create(directory, initial, std::span(&first, 1));
  if (!opened) return opened;
  if (auto removed = directory.remove_file(kFoundingFile); !removed) {
    return std::unexpected(removed.error());
  }
  return opened;
}

}  // namespace anchor::server
