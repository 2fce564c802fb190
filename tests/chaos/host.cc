#include "tests/chaos/host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <thread>

#include "core/base/assert.h"

namespace anchor::chaos {
namespace {

constexpr int kPacketBytesMost = 9000;

void must(int result) {
  ANCHOR_ASSERT(result >= 0);
}

ifreq request_for(const char* interface) {
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  return request;
}

void set_address(int socket, unsigned long what, const char* interface, const std::string& text) {
  ifreq request = request_for(interface);
  auto& address = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
  address.sin_family = AF_INET;
  must(::inet_pton(AF_INET, text.c_str(), &address.sin_addr));
  must(::ioctl(socket, what, &request));
}

void bring_up(int socket, const char* interface) {
  ifreq request = request_for(interface);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  must(::ioctl(socket, SIOCSIFFLAGS, &request));
}

int open_wire(const char* interface) {
  const int wire = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  must(wire);
  ifreq request = request_for(interface);
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  must(::ioctl(wire, TUNSETIFF, &request));
  return wire;
}

bool write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  return static_cast<bool>(file << text << std::flush);
}

}  // namespace

Host::Host(std::uint8_t number) : address_("10.77.0." + std::to_string(number)) {
  constexpr auto kInterface = "wire0";
  // A thread's namespace can be changed, and goes with it.
  std::thread([this] {
    must(::unshare(CLONE_NEWNET));
    namespace_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    must(namespace_);
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(socket);
    bring_up(socket, "lo");
    wire_ = open_wire(kInterface);
    set_address(socket, SIOCSIFADDR, kInterface, address_);
    set_address(socket, SIOCSIFNETMASK, kInterface, "255.255.255.0");
    ifreq request = request_for(kInterface);
    request.ifr_mtu = kPacketBytesMost;
    must(::ioctl(socket, SIOCSIFMTU, &request));
    bring_up(socket, kInterface);
    ::close(socket);
  }).join();
}

Host::~Host() {
  ::close(wire_);
  ::close(namespace_);
}

void Host::enter() const {
  must(::setns(namespace_, CLONE_NEWNET));
}

bool may_make_hosts() {
  if (::access("/dev/net/tun", R_OK | W_OK) != 0) return false;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  const bool root = user == 0;
  if (!root && ::unshare(CLONE_NEWUSER) != 0) return false;
  if (!root) {
    const bool mapped = write_file("/proc/self/setgroups", "deny") &&
                        write_file("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
                        write_file("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    if (!mapped) return false;
  }
  bool may = false;
  std::thread([&] { may = ::unshare(CLONE_NEWNET) == 0; }).join();
  return may;
}

}  // namespace anchor::chaos
