#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/chaos/machine.h"
#include "tests/chaos/wire.h"

namespace anchor::chaos {

using Machines = std::vector<std::unique_ptr<Machine>>;

// Breaks a cluster, in every way that comes to mind, and mends it again. The machines have the
// first hosts of the wire, in their order. All of it runs on the thread that calls, which has
// entered a host of its own.
class Nemesis {
 public:
  Nemesis(Wire& wire, Machines& machines, std::uint64_t seed)
      : wire_(wire), machines_(machines), random_(seed) {}

  // Several faults at a time, for so long.
  void disturb(Duration time);
  // Mends everything. What is wrong if all do not come to serve again; empty: nothing.
  std::string mend();

  // How often it did what.
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  // What no fault explains.
  const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  using TimePoint = Clock::time_point;

  void act();
  void kill();
  void restart();
  void pause();
  void partition();
  void spoil_network();
  void slow_a_disk();
  void transfer();
  void replace();

  void later(Duration delay, std::function<void()> action);
  void do_what_is_due();
  void watch();
  void cut(std::size_t from, std::size_t to, int more);
  void start(Machine& machine);
  void join_anew(Machine& machine);
  std::size_t any_victim();
  Machine& any_machine() { return *machines_[any_victim()]; }
  // Null: there is none.
  Machine* any_serving();
  // Of the servers, as the leader tells if it is asked, and no change is under way; empty: it did
  // not.
  std::vector<std::string> members();
  void rejoin_those_who_were_removed();

  std::uint64_t draw(std::uint64_t bound) { return random_() % bound; }
  Duration draw_duration(Duration least, Duration most);
  void count(const std::string& what) { ++counts_[what]; }

  Wire& wire_;
  Machines& machines_;
  std::mt19937_64 random_;
  std::multimap<TimePoint, std::function<void()>> due_;
  // How many partitions that last have cut the link.
  std::map<std::pair<std::size_t, std::size_t>, int> cuts_;
  std::map<const Machine*, TimePoint> joined_;  // anew, the last time
  // When a removal that may have been carried out has been, or never will be.
  TimePoint removal_settled_{};
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::string> troubles_;
};

}  // namespace anchor::chaos
