#pragma once

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/core/raft/members.h"
#include "tests/core/raft/message_text.h"

// A few servers, told by lines of text what happens to them, that tell in lines of text what they
// do. Nothing happens by itself: messages wait until they are delivered, writes until the disk is
// told to be done.
namespace anchor::raft {

class Scenario {
 public:
  // What happens because of the command, a line each. Commands:
  //
  //   cluster 3 [1 1 2 / 1 1]    servers s1 to s3, with these terms of entries in their logs
  //   timeout s1                 s1's next deadline has come
  //   wait s1 300ms              so much time goes by for s1
  //   disk s1                    all that s1 has written is durable
  //   deliver [s1 s2]            what is on its way arrives, all of it or on one link
  //   drop [s1 s2]               and this does not
  //   settle [without s3]        disks and messages go on until nothing is left; s3 is cut off
  //   propose s1 TEXT            a client's command
  //   add s1 4 | learner s1 4 | remove s1 4 | promote s1 4     s1 is asked to change the members
  //   join s4 s1                 s4 starts, admitted by s1
  //   transfer s1 s2             s1 is asked to hand over
  //   snapshot s1 4              s1 has written a snapshot up to there
  //   read s1 7                  s1 is to serve a read, which it calls 7
  //   restart s1                 s1 crashes, and starts with what is durable
  //   show                       everybody's role, term, log and commit index
  std::string run(const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    words >> verb;
    std::vector<std::string> rest;
    for (std::string word; words >> word;) rest.push_back(word);
    out_.clear();
    const auto found = verbs().find(verb);
    if (found == verbs().end()) return "there is no command " + verb + "\n";
    (this->*found->second)(rest);
    return out_.empty() ? "nothing\n" : out_;
  }

 private:
  using Words = std::vector<std::string>;
  using Verb = void (Scenario::*)(const Words&);

  static const std::map<std::string, Verb>& verbs() {
    static const std::map<std::string, Verb> kVerbs{
        {"cluster", &Scenario::cluster}, {"timeout", &Scenario::timeout},
        {"wait", &Scenario::wait},       {"disk", &Scenario::disk},
        {"deliver", &Scenario::deliver}, {"drop", &Scenario::drop},
        {"settle", &Scenario::settle},   {"propose", &Scenario::propose},
        {"add", &Scenario::add_voter},   {"learner", &Scenario::add_learner_only},
        {"remove", &Scenario::take_out}, {"promote", &Scenario::promote},
        {"join", &Scenario::join},       {"transfer", &Scenario::transfer},
        {"snapshot", &Scenario::save},   {"read", &Scenario::read},
        {"restart", &Scenario::restart}, {"show", &Scenario::show}};
    return kVerbs;
  }

  static std::uint64_t number_of(const std::string& word) {
    std::uint64_t number = 0;
    const char* first = word.data() + (word.starts_with('s') ? 1 : 0);
    std::from_chars(first, word.data() + word.size(), number);
    return number;
  }
  Server& server(const std::string& word) { return servers_.at(static_cast<int>(number_of(word))); }

  // --- What happens -----------------------------------------------------------------------------

  void cluster(const Words& words) {
    const int count = static_cast<int>(number_of(words.at(0)));
    std::vector<std::vector<std::uint64_t>> logs(1);
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "/") {
        logs.emplace_back();
      } else {
        logs.back().push_back(number_of(words[i]));
      }
    }
    logs.resize(static_cast<std::size_t>(count));
    for (int number = 1; number <= count; ++number) {
      servers_.try_emplace(number, Start{.self = number,
                                         .configuration = configuration_of(count),
                                         .log_terms = logs[static_cast<std::size_t>(number - 1)],
                                         .options = kOptions,
                                         .seed = 100U + static_cast<unsigned>(number)});
      tell(number);
    }
  }
  void timeout(const Words& words) {
    server(words.at(0)).wait_for_deadline();
    tell_all();
  }
  void wait(const Words& words) {
    server(words.at(0)).wait(std::chrono::milliseconds(number_of(words.at(1))));
    tell_all();
  }
  void disk(const Words& words) {
    server(words.at(0)).complete_writes();
    tell_all();
  }
  void deliver(const Words& words) {
    std::deque<Message> arriving;
    std::erase_if(on_its_way_, [&](const Message& message) {
      if (!is_on(message, words)) return false;
      arriving.push_back(message);
      return true;
    });
    for (const Message& message : arriving) arrive(message);
  }
  void drop(const Words& words) {
    std::erase_if(on_its_way_, [&](const Message& message) { return is_on(message, words); });
  }
  void settle(const Words& words) {
    const std::string cut_off = words.size() == 2 ? words[1] : "";
    const auto reaches = [&](const Message& message) {
      return message.from.id.name() != cut_off && message.to.id.name() != cut_off;
    };
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& [number, each] : servers_) {
        if (each.writes().empty() || id_of(number).name() == cut_off) continue;
        each.complete_writes();
        tell(number);
        moved = true;
      }
      while (!on_its_way_.empty()) {
        const Message message = on_its_way_.front();
        on_its_way_.pop_front();
        if (!reaches(message)) continue;
        arrive(message);
        moved = true;
      }
    }
  }
  void propose(const Words& words) {
    const auto position = server(words.at(0)).propose(words.at(1));
    if (!position) say(words[0] + " refuses it");
    tell_all();
  }
  void change(const std::string& who, const AdminRequest& request) {
    const auto position = server(who).change(request);
    if (!position) say(who + " refuses: " + position.error().message);
    tell_all();
  }
  void add_voter(const Words& words) {
    change(words.at(0), add(static_cast<int>(number_of(words.at(1)))));
  }
  void add_learner_only(const Words& words) {
    change(words.at(0), add_learner(static_cast<int>(number_of(words.at(1)))));
  }
  void take_out(const Words& words) {
    change(words.at(0), raft::remove(static_cast<int>(number_of(words.at(1)))));
  }
  void promote(const Words& words) {
    change(words.at(0), PromoteServer{id_of(static_cast<int>(number_of(words.at(1))))});
  }
  void join(const Words& words) {
    const int number = static_cast<int>(number_of(words.at(0)));
    const Configuration& told = server(words.at(1)).raft().configuration();
    servers_.insert_or_assign(number,
                              Server(Start{.self = number,
                                           .incarnation = told.find(id_of(number))->incarnation,
                                           .configuration = told,
                                           .options = kOptions,
                                           .seed = 200U + static_cast<unsigned>(number)}));
    tell(number);
  }
  void transfer(const Words& words) {
    const auto target = server(words.at(0)).transfer(static_cast<int>(number_of(words.at(1))));
    if (!target) say(words[0] + " refuses: " + target.error().message);
    tell_all();
  }
  void save(const Words& words) {
    Server& saver = server(words.at(0));
    const Index index(number_of(words.at(1)));
    const SnapshotFile file{.position = {index, *saver.raft().log().term_at(index)},
                            .size_bytes = 250,
                            .checksum = index.value()};
    configured_[index] = saver.raft().log().configuration_at(index);
    saver.step([&](Raft& raft) { raft.snapshot_saved(file); });
    tell_all();
  }
  void read(const Words& words) {
    server(words.at(0)).ask_to_read(number_of(words.at(1)));
    reads_.insert(number_of(words[1]));
    tell_all();
  }
  void restart(const Words& words) {
    server(words.at(0)).restart();
    tell_all();
  }
  void show(const Words& /*words*/) {
    for (const auto& [number, each] : servers_) {
      std::string line = id_of(number).name() + (each.leads()       ? " leads"
                                                 : each.campaigns() ? " campaigns"
                                                                    : " follows");
      line += " in term " + std::to_string(each.term().value()) + ", log";
      const Log& log = each.raft().log();
      if (log.base().index > Index()) line += " after " + text_of(log.base());
      for (Index index = log.base().index.next(); index <= log.last().index; ++index) {
        line += " " + text_of(LogPosition{index, log.at(index).term});
      }
      say(line + ", committed " + std::to_string(each.commit_index()));
    }
  }

  // --- What comes of it -------------------------------------------------------------------------

  static bool is_on(const Message& message, const Words& link) {
    return link.empty() ||
           (message.from.id.name() == link.at(0) && message.to.id.name() == link.at(1));
  }
  void arrive(const Message& message) {
    const auto to = servers_.find(static_cast<int>(number_of(message.to.id.name())));
    if (to == servers_.end()) return;
    to->second.hear(message);
    install(to->second);
    tell(to->first);
  }
  // What the shell does with parts of a snapshot.
  void install(Server& receiver) {
    for (const InstallSnapshot& part : receiver.take_parts()) {
      const std::uint64_t end =
          std::min(part.offset + kOptions.snapshot_chunk_bytes, part.file.size_bytes);
      receiver.step([&](Raft& raft) { raft.snapshot_written(part.file, end); });
      if (end < part.file.size_bytes) continue;
      receiver.step([&](Raft& raft) {
        raft.install_snapshot(part.file, configured_.at(part.file.position.index));
      });
    }
  }
  void say(const std::string& line) { out_ += line + "\n"; }
  void tell_all() {
    for (const auto& [number, each] : servers_) tell(number);
  }
  void tell(int number) {
    Server& each = servers_.at(number);
    for (const Event& event : each.take_events()) {
      say(id_of(number).name() + ": " + describe(event));
    }
    std::vector<Message> sent = each.take_sent();
    for (const SnapshotChunk& chunk : each.take_chunks()) sent.push_back(chunk.message);
    for (const Message& message : sent) {
      say("  " + text_of(message));
      on_its_way_.push_back(message);
    }
    std::erase_if(reads_, [&](std::uint64_t context) {
      const auto index = each.confirmed_read(context);
      if (index) {
        say(id_of(number).name() + ": read " + std::to_string(context) + " may be served from " +
            text_of(*index));
      }
      return index.has_value();
    });
  }

  static constexpr Options kOptions{.snapshot_chunk_bytes = 100,
                                    .snapshot_window_bytes = 200,
                                    .snapshot_bytes_per_second = 1 << 30,
                                    .trailing_bytes = 0};
  std::map<int, Server> servers_;
  std::deque<Message> on_its_way_;
  std::set<std::uint64_t> reads_;
  std::map<Index, Log::Configured> configured_;
  std::string out_;
};

}  // namespace anchor::raft
