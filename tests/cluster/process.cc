#include "tests/cluster/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string_view>

#include "core/base/assert.h"

extern char** environ;

namespace anchor::cluster {
namespace {

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Without what would be taken for options.
std::vector<std::string> clean_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("ANCHOR_")) variables.emplace_back(*variable);
  }
  return variables;
}

[[noreturn]] void become(char* const* arguments, char* const* environment, int output,
                         const Surroundings& surroundings) {
  // Should the test program be killed, nobody else would end it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (surroundings.descriptor_limit > 0) {
    const rlimit limit{.rlim_cur = surroundings.descriptor_limit,
                       .rlim_max = surroundings.descriptor_limit};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (surroundings.network_namespace >= 0 &&
      ::setns(surroundings.network_namespace, CLONE_NEWNET) != 0) {
    ::_exit(127);
  }
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execve(ANCHOR_PROGRAM, arguments, environment);
  ::_exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::string& output_path,
                 const Surroundings& surroundings) {
  std::vector<std::string> argument_texts{"anchor"};
  argument_texts.insert(argument_texts.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment_texts = clean_environment();
  environment_texts.insert(environment_texts.end(), surroundings.environment.begin(),
                           surroundings.environment.end());
  const auto argument_pointers = pointers_to(argument_texts);
  const auto environment_pointers = pointers_to(environment_texts);
  const int output =
      ::open(output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  ANCHOR_ASSERT(output >= 0);
  pid_ = ::fork();
  if (pid_ == 0) {
    become(argument_pointers.data(), environment_pointers.data(), output, surroundings);
  }
  ANCHOR_ASSERT(pid_ > 0);
  ::close(output);
  // glibc's function of this name has no C linkage in C++ (2.36).
  descriptor_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  ANCHOR_ASSERT(descriptor_ >= 0);
}

Process::~Process() {
  if (!ended_) {
    signal(SIGKILL);
    wait();
  }
  ::close(descriptor_);
}

void Process::signal(int number) const {
  ANCHOR_ASSERT(!ended_);
  ::kill(pid_, number);
}

void Process::pause() {
  signal(SIGSTOP);
  siginfo_t what{};
  ::waitid(P_PID, static_cast<id_t>(pid_), &what, WSTOPPED | WEXITED | WNOWAIT);
}

void Process::limit_file_size(std::size_t bytes) const {
  const rlimit limit{.rlim_cur = bytes, .rlim_max = bytes};
  ANCHOR_ASSERT(::prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

std::optional<Ended> Process::wait(Duration patience) {
  if (ended_) return ended_;
  pollfd readable{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  if (::poll(&readable, 1, static_cast<int>(ms)) != 1) return std::nullopt;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = WIFEXITED(status) ? Ended{.exit_code = WEXITSTATUS(status)}
                             : Ended{.signal = WTERMSIG(status)};
  return ended_;
}

}  // namespace anchor::cluster
