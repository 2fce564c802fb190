#include "tests/bench/cluster/usage.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace anchor::bench {

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; file >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmRSS:" && file >> kib) return kib << 10;
  }
  return 0;
}

Duration cpu_time(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name, which is in parentheses, may have spaces in it.
  const std::size_t end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(line.substr(end + 1));
  constexpr int kBeforeUserTime = 11;
  std::string skipped;
  for (int i = 0; i < kBeforeUserTime; ++i) fields >> skipped;
  std::int64_t user = 0;
  std::int64_t system = 0;
  fields >> user >> system;
  return Duration((user + system) * 1'000'000 / ::sysconf(_SC_CLK_TCK));
}

}  // namespace anchor::bench
