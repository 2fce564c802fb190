// One replica of three, with a disk that is slow, clients and an administrator, a clock that leaps,
// and two peers that say whatever correct servers could. What must hold: Raft's invariants after
// every step, writes numbered in order, every request answered once and in time, and a deadline
// that lies ahead.

#include "fuzz/peers.h"
#include "fuzz/replica_shell.h"
#include "fuzz/round_trip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anchor::fuzz;
  ReplicaShell<Peers>(as_view(data, size), tight_options()).run();
  return 0;
}
