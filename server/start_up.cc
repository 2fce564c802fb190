#include "server/start_up.h"

#include <algorithm>
#include <utility>

#include "core/codec/founding_codec.h"
#include "core/codec/joining_codec.h"
#include "core/raft/configuration.h"
#include "server/system.h"

namespace anchor::server {
namespace {

constexpr std::string_view kFoundingFile = "founding";
constexpr std::string_view kJoiningFile = "joining";

Exit refused(int code, const std::string& message) {
  return {code, "anchor: " + message + "\n"};
}

Exit wrong_id(const Options& options, const std::string& what) {
  return refused(kExitIdentity, "--id: " + options.dir + what);
}

Founding::Options founding_options(const Options& options) {
  return {.self = {.id = raft::ServerId(options.id),
                   .address = options.advertise,
                   .http_address = options.http_advertise},
          .expect = static_cast<std::uint32_t>(options.bootstrap_expect.value_or(1)),
          .peers = options.peers,
          .seed = fresh_seed()};
}

// It goes on with what it has accepted, whatever the flags say now.
std::expected<Beginning, Exit> go_on_founding(const Options& options, const std::string& path,
                                              const Bytes& stored) {
  auto proposal = codec::decode_founding_proposal(stored);
  if (!proposal) {
    return std::unexpected(
        refused(kExitStorage, path + ": " + proposal.error().message +
                                  "; this server has stored nothing yet: empty the directory"));
  }
  FoundCluster found{.options = founding_options(options), .accepted = {}};
  found.options.expect = static_cast<std::uint32_t>(proposal->founders.size());
  const auto self = std::ranges::find(proposal->founders, found.options.self.id, &Founder::id);
  if (self == proposal->founders.end()) {
    return std::unexpected(wrong_id(options, " has agreed to found a cluster that has no " +
                                                 options.id +
                                                 "; start it with the id that it had"));
  }
  found.options.self = *self;
  found.accepted = std::move(*proposal);
  return found;
}

std::expected<Beginning, Exit> join_with(const Options& options, const JoinToken& token) {
  std::vector<std::string> peers = options.peers;
  std::erase(peers, options.advertise);
  if (peers.empty()) {
    return std::unexpected(refused(
        kExitUsage, options.peers.empty()
                        ? "--peers: " + options.dir +
                              " belongs to a server that was about to join a cluster; name members "
                              "of it, or empty the directory"
                        : "--peers names this server alone; to join a cluster, name its members"));
  }
  const raft::AddServer request{.id = token.id,
                                .address = options.advertise,
                                .http_address = options.http_advertise,
                                .join_token = token.token};
  return JoinCluster{{.request = {.cluster_id = {}, .request = request},
                      .peers = std::move(peers),
                      .seed = fresh_seed()}};
}

// Members know it by its token: it asks the same as before.
std::expected<Beginning, Exit> go_on_joining(const Options& options, const std::string& path,
                                             const Bytes& stored) {
  const auto token = codec::decode_join_token(stored);
  if (!token) {
    return std::unexpected(
        refused(kExitStorage, path + ": " + token.error().message +
                                  "; this server has stored nothing else: empty the directory"));
  }
  if (options.id_given && options.id != token->id.name()) {
    return std::unexpected(wrong_id(options, " is that of " + token->id.name() +
                                                 ", which is about to join a cluster; start it "
                                                 "with that id, or empty the directory"));
  }
  return join_with(options, *token);
}

std::expected<Beginning, Exit> begin_joining(const Options& options,
                                             const io::DataDirectory& directory) {
  // Zero would be an operator's.
  const JoinToken token{.id = raft::ServerId(options.id), .token = fresh_seed() | 1};
  auto joining = join_with(options, token);
  if (!joining) return joining;
  const auto stored =
      directory.write_file_durably(kJoiningFile, codec::encode_join_token(token).view());
  if (!stored) return std::unexpected(refused(kExitStorage, stored.error().message));
  return joining;
}

std::expected<Beginning, Exit> begin_empty(const Options& options,
                                           const io::DataDirectory& directory) {
  for (const auto& [file, go_on] :
       {std::pair(kFoundingFile, &go_on_founding), std::pair(kJoiningFile, &go_on_joining)}) {
    const auto stored = directory.read_file(file);
    if (!stored) return std::unexpected(refused(kExitStorage, stored.error().message));
    if (*stored) return go_on(options, directory.path_of(file), **stored);
  }
  if (!options.peers.empty() && !options.bootstrap_expect) {
    return begin_joining(options, directory);
  }
  return FoundCluster{.options = founding_options(options), .accepted = {}};
}

// The name under which it begins: what it has agreed to counts, unless another is given.
std::string id_of(const Options& options, const Beginning& beginning) {
  const auto* join = std::get_if<JoinCluster>(&beginning);
  if (join == nullptr) return options.id;
  return std::get<raft::AddServer>(join->options.request.request).id.name();
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
    std::string id = id_of(options, *beginning);
    return StartUp{std::move(*directory), std::move(*beginning), std::move(id)};
  }
  std::string id = (*opened)->recovered.self.id.name();
  if (options.id_given && options.id != id) {
    return std::unexpected(wrong_id(options, " is the directory of " + id + ", not of " +
                                                 options.id + "; an id never changes"));
  }
  // What outlived the founding or the joining must not speak for a directory that lost everything
  // else.
  for (const std::string_view left : {kFoundingFile, kJoiningFile}) {
    if (auto removed = directory->remove_file(left); !removed) {
      return std::unexpected(refused(kExitStorage, removed.error().message));
    }
  }
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

Result<io::OpenedLogStore> store_joiner(const io::DataDirectory& directory, const Joined& joined) {
  auto opened = io::LogStore::create_joiner(
      directory,
      {.cluster_id = joined.cluster_id, .self = joined.self, .boot = {}, .hard_state = {}},
      *joined.configuration);
  if (!opened) return opened;
  if (auto removed = directory.remove_file(kJoiningFile); !removed) {
    return std::unexpected(removed.error());
  }
  return opened;
}

}  // namespace anchor::server
