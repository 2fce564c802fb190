// Loaded before the C library by a server under test: whatever waits for the disk waits longer, by
// the microseconds that stand in the file named by SLOW_DISK_FILE, as a 64-bit number.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

const std::atomic<std::uint64_t>* map_delay() {
  static const std::atomic<std::uint64_t> none = 0;
  const char* path = std::getenv("SLOW_DISK_FILE");
  if (path == nullptr) return &none;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return &none;
  void* mapped = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ, MAP_SHARED, file, 0);
  ::close(file);
  if (mapped == MAP_FAILED) return &none;
  return static_cast<const std::atomic<std::uint64_t>*>(mapped);
}

void wait_for_the_disk() {
  static const std::atomic<std::uint64_t>* delay_us = map_delay();
  const std::uint64_t us = delay_us->load();
  if (us == 0) return;
  timespec left{.tv_sec = static_cast<time_t>(us / 1'000'000),
                .tv_nsec = static_cast<long>(us % 1'000'000 * 1000)};
  while (::nanosleep(&left, &left) != 0) {
  }
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int file) {
  static auto* const real = next<int(int)>("fsync");
  wait_for_the_disk();
  return real(file);
}

int fdatasync(int file) {
  static auto* const real = next<int(int)>("fdatasync");
  wait_for_the_disk();
  return real(file);
}

int msync(void* address, size_t size, int flags) {
  static auto* const real = next<int(void*, size_t, int)>("msync");
  wait_for_the_disk();
  return real(address, size, flags);
}
}
