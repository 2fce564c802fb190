#include "tests/chaos/nemesis.h"

#include <algorithm>
#include <sstream>
#include <thread>

namespace anchor::chaos {
namespace {

constexpr Duration kMendPatience = 60s;
constexpr Duration kJoinPatience = 20s;
// For so long a server may go on to try what it was asked for, though its answer did not come.
constexpr auto kRemovalSettles = 6s;

std::string as_text(const cluster::Ended& ended) {
  std::ostringstream text;
  text << ended;
  return text.str();
}

}  // namespace

Duration Nemesis::draw_duration(Duration least, Duration most) {
  const auto span = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<Duration::rep>(draw(span + 1)));
}

void Nemesis::later(Duration delay, std::function<void()> action) {
  due_.emplace(Clock::now() + delay, std::move(action));
}

void Nemesis::do_what_is_due() {
  while (!due_.empty() && due_.begin()->first <= Clock::now()) {
    const auto action = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    action();
  }
}

// A server that ends by itself has met a fault that it does not bear.
void Nemesis::watch() {
  for (const auto& machine : machines_) {
    const auto ended = machine->ended();
    if (!ended) continue;
    troubles_.push_back(machine->id() + " " + as_text(*ended) + " by itself");
    machine->kill();
  }
}

void Nemesis::disturb(Duration time) {
  const TimePoint end = Clock::now() + time;
  TimePoint next = Clock::now();
  while (Clock::now() < end) {
    do_what_is_due();
    watch();
    if (Clock::now() >= next) {
      act();
      next = Clock::now() + draw_duration(50ms, 1200ms);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Nemesis::act() {
  switch (draw(16)) {
    case 0:
    case 1:
    case 2:
      return kill();
    case 3:
      return restart();
    case 4:
    case 5:
      return pause();
    case 6:
    case 7:
    case 8:
    case 9:
      return partition();
    case 10:
    case 11:
      return spoil_network();
    case 12:
    case 13:
      return slow_a_disk();
    case 14:
      return transfer();
    default:
      return replace();
  }
}

// --- Processes ----------------------------------------------------------------------------------

// The leader more often than not: what happens to it matters most.
std::size_t Nemesis::any_victim() {
  const std::size_t any = draw(machines_.size());
  Machine* asked = draw(2) == 0 ? any_serving() : nullptr;
  const auto status = asked == nullptr ? std::nullopt : asked->status();
  if (!status) return any;
  const auto leader = std::ranges::find_if(
      machines_, [&](const auto& machine) { return status->at("leader_id") == machine->id(); });
  return leader == machines_.end() ? any : static_cast<std::size_t>(leader - machines_.begin());
}

// As a service manager does: always with the same options, whether it is a member or was killed
// while it joined.
void Nemesis::start(Machine& machine) {
  if (machine.runs()) return;
  std::string peers;
  for (const auto& other : machines_) {
    if (other.get() != &machine) peers += (peers.empty() ? "" : ",") + other->peer_address();
  }
  machine.start({"--snapshot-bytes", "64KiB", "--peers", peers});
}

void Nemesis::kill() {
  Machine& machine = any_machine();
  if (!machine.runs()) return;
  count("kill -9");
  machine.kill();
  later(draw_duration(0ms, 3s), [this, &machine] { start(machine); });
}

void Nemesis::restart() {
  Machine& machine = any_machine();
  // Who has only just been started may not listen to it yet.
  if (!machine.runs() || machine.paused() || !machine.get("/livez")) return;
  count("SIGTERM");
  const auto ended = machine.terminate();
  if (ended != cluster::Ended{.exit_code = 0}) {
    troubles_.push_back(machine.id() + " " + (ended ? as_text(*ended) : "did not end") +
                        " on SIGTERM");
  }
  later(draw_duration(0ms, 1s), [this, &machine] { start(machine); });
}

void Nemesis::pause() {
  Machine& machine = any_machine();
  if (!machine.runs() || machine.paused()) return;
  count("SIGSTOP");
  machine.pause();
  later(draw_duration(100ms, 4s), [&machine] {
    if (machine.runs() && machine.paused()) machine.resume();
  });
}

// --- The network and the disks ------------------------------------------------------------------

// As many cuts as there are of a link, so many must end.
void Nemesis::cut(std::size_t from, std::size_t to, int more) {
  int& cuts = cuts_[{from, to}];
  cuts += more;
  Link link = wire_.link(from, to);
  link.cut = cuts > 0;
  wire_.set_link(from, to, link);
}

void Nemesis::partition() {
  std::vector<bool> one_side(machines_.size());
  const std::uint64_t shape = draw(4);
  if (shape < 3) {
    one_side[any_victim()] = true;
  } else {
    for (auto&& side : one_side) side = draw(2) == 0;
  }
  const std::uint64_t how = draw(4);
  constexpr const char* kNames[] = {"partition", "partition, one way", "partition, the other way",
                                    "partition, partial"};
  count(kNames[how]);
  std::vector<std::pair<std::size_t, std::size_t>> links;
  for (std::size_t from = 0; from < machines_.size(); ++from) {
    for (std::size_t to = 0; to < machines_.size(); ++to) {
      if (from == to || one_side[from] == one_side[to]) continue;
      if (how == 1 && one_side[from]) continue;
      if (how == 2 && one_side[to]) continue;
      if (how == 3 && draw(2) == 0) continue;
      cut(from, to, 1);
      links.emplace_back(from, to);
    }
  }
  later(draw_duration(300ms, 6s), [this, links] {
    for (const auto& [from, to] : links) cut(from, to, -1);
  });
}

// Also the clients' ways.
void Nemesis::spoil_network() {
  count("loss, delay and duplicates");
  const Link spoilt{.loss_ppm = static_cast<std::uint32_t>(draw(50'000)),
                    .duplicate_ppm = static_cast<std::uint32_t>(draw(50'000)),
                    .delay_most = draw_duration(0ms, 30ms)};
  const auto set_all = [this](const Link& quality) {
    for (std::size_t from = 0; from < wire_.size(); ++from) {
      for (std::size_t to = 0; to < wire_.size(); ++to) {
        Link link = quality;
        link.cut = wire_.link(from, to).cut;
        wire_.set_link(from, to, link);
      }
    }
  };
  set_all(spoilt);
  later(draw_duration(1s, 5s), [set_all] { set_all({}); });
}

void Nemesis::slow_a_disk() {
  Machine& machine = any_machine();
  const bool stalls = draw(3) == 0;
  count(stalls ? "stalled disk" : "slow disk");
  machine.slow_down(stalls ? draw_duration(1s, 3s) : draw_duration(5ms, 150ms));
  later(draw_duration(500ms, 5s), [&machine] { machine.slow_down(0ms); });
}

// --- Administration -----------------------------------------------------------------------------

Machine* Nemesis::any_serving() {
  const std::size_t first = draw(machines_.size());
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    Machine& machine = *machines_[(first + i) % machines_.size()];
    if (machine.runs() && !machine.paused()) return &machine;
  }
  return nullptr;
}

void Nemesis::transfer() {
  Machine* asked = any_serving();
  if (asked == nullptr) return;
  const auto answer = asked->post("/transfer", nlohmann::json::object());
  count(answer && answer->status == 200 ? "transfer" : "transfer, not done");
}

std::vector<std::string> Nemesis::members() {
  Machine* asked = any_serving();
  if (asked == nullptr) return {};
  const auto answer = asked->get("/members");
  if (!answer || answer->status != 200) return {};
  const auto known = nlohmann::json::parse(answer->body);
  if (!known.at("change").is_null()) return {};
  std::vector<std::string> ids;
  // Others may lag, and not know of who has joined anew since.
  bool leads = false;
  for (const auto& member : known.at("members")) {
    ids.push_back(member.at("id"));
    leads = leads || (member.at("leader") && member.at("id") == asked->id());
  }
  return leads ? ids : std::vector<std::string>();
}

void Nemesis::join_anew(Machine& machine) {
  machine.kill();
  machine.wipe();
  start(machine);
  joined_[&machine] = Clock::now();
}

void Nemesis::replace() {
  Machine& machine = any_machine();
  Machine* asked = any_serving();
  if (asked == nullptr) return;
  const auto answer = asked->post("/remove", {{"id", machine.id()}});
  if (!answer || answer->status == 504) removal_settled_ = Clock::now() + kRemovalSettles;
  if (!answer || answer->status != 200) return count("removal, not done");
  count("removed and joined anew");
  join_anew(machine);
}

// --- Mending ------------------------------------------------------------------------------------

// A removal whose answer was lost may have been carried out all the same.
void Nemesis::rejoin_those_who_were_removed() {
  const auto known = members();
  if (known.empty()) return;
  for (const auto& machine : machines_) {
    if (std::ranges::find(known, machine->id()) != known.end()) continue;
    // Who joins is no member yet.
    const auto joined = joined_.find(machine.get());
    if (joined != joined_.end() && Clock::now() < joined->second + kJoinPatience) continue;
    count("joined anew");
    join_anew(*machine);
  }
}

std::string Nemesis::mend() {
  due_.clear();
  cuts_.clear();
  for (std::size_t from = 0; from < wire_.size(); ++from) {
    for (std::size_t to = 0; to < wire_.size(); ++to) wire_.set_link(from, to, {});
  }
  for (const auto& machine : machines_) {
    machine->slow_down(0ms);
    if (machine->paused()) machine->resume();
    start(*machine);
  }
  const bool whole = cluster::eventually(
      [&] {
        watch();
        const auto is_ready = [](const auto& machine) { return machine->is_ready(); };
        if (std::ranges::all_of(machines_, is_ready)) return Clock::now() >= removal_settled_;
        rejoin_those_who_were_removed();
        return false;
      },
      kMendPatience);
  if (whole && troubles_.empty()) return {};
  std::string wrong = whole ? "" : "the cluster does not come back:";
  for (const auto& machine : machines_) {
    if (whole || machine->is_ready()) continue;
    const auto readiness = machine->get("/readyz");
    wrong += " " + machine->id() + ": " + (readiness ? readiness->body : readiness.error().message);
  }
  for (const std::string& trouble : troubles_) wrong += (wrong.empty() ? "" : "; ") + trouble;
  return wrong;
}

}  // namespace anchor::chaos
