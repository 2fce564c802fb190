#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/choices.h"
#include "sim/cluster.h"
#include "sim/profile.h"

namespace anchor::sim {

// Changes the members, now and then, and moves leadership: asks any node, as a person or a script
// would, starts what was admitted (not always), and wipes what was removed (mostly).
class Operator {
 public:
  Operator(const Mix& mix, Cluster& cluster, Choices& choices, FaultCounts& counts);

  void start();
  // Nothing new; what was asked may still come about.
  void stop() { stopped_ = true; }

  // Has a server join, if there is one to spare, and lead, for as long as that is tried. Whoever is
  // down meanwhile is led afterwards by one of whom it has never heard. None: there is none to
  // spare.
  std::optional<std::size_t> let_newcomer_lead(Instant until);

 private:
  // A server that is to be added.
  struct Joiner {
    std::size_t node = 0;
    std::uint64_t token = 0;
    bool learner = false;
    std::uint64_t tries = 0;
  };

  void later();
  void act();
  void add(std::size_t number);
  void ask_to_join(const Joiner& joiner);
  void joined(const Joiner& joiner, const Outcome* outcome);
  raft::AddServer request_of(const Joiner& joiner) const;
  const raft::Configuration* admitted_to(const Joiner& joiner, const Outcome* outcome) const;
  void admit(const Joiner& newcomer, Instant until);
  void hand_over_to(std::size_t number, Instant until);
  const raft::Member& choose_leaving(const raft::Configuration& configuration);
  void remove();
  void removed(const raft::Member& member, const Outcome* outcome);
  void promote();
  void move();
  void transfer();
  // To any node that is up.
  void ask(raft::AdminRequest request, AdminCallback callback);
  std::uint64_t draw(std::uint64_t bound) { return choices_.below(bound, Stream::kOperator); }
  // Of the members as some node knows them; null: nobody is up.
  const raft::Configuration* any_configuration();

  const Mix& mix_;
  Cluster& cluster_;
  Choices& choices_;
  FaultCounts& counts_;
  // Those that are being added.
  std::vector<bool> joining_;
  bool stopped_ = false;
};

}  // namespace anchor::sim
