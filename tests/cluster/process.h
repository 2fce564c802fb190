#pragma once

#include <sys/types.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/cluster/eventually.h"

namespace anchor::cluster {

// How a process ended.
struct Ended {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;

  friend bool operator==(const Ended&, const Ended&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Ended& ended) {
    if (ended.exit_code < 0) return out << "ended by signal " << ended.signal;
    return out << "ended with exit code " << ended.exit_code;
  }
};

// Where and how a process runs; by default as the test program does.
struct Surroundings {
  std::size_t descriptor_limit = 0;        // of open files; zero: none of its own
  int network_namespace = -1;              // for setns(2)
  std::vector<std::string> environment{};  // "NAME=value", beside what it inherits
};

// The program `anchor`, run with arguments of the test's choice, its output appended to a file. It
// does not outlive this object, nor the test program.
class Process {
 public:
  Process(const std::vector<std::string>& arguments, const std::string& output_path,
          const Surroundings& surroundings = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // Requires: it has not been waited for.
  void signal(int number) const;
  // Until it is stopped (SIGSTOP) or has ended.
  void pause();
  // No file of it grows beyond `bytes` from now on: writes fail with EFBIG.
  void limit_file_size(std::size_t bytes) const;
  // None: it runs on, when the patience is at its end.
  std::optional<Ended> wait(Duration patience = kPatience);

 private:
  pid_t pid_ = -1;
  int descriptor_ = -1;  // readable when the process has ended
  std::optional<Ended> ended_;
};

}  // namespace anchor::cluster
