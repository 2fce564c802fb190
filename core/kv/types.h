#pragma once

#include <cstdint>

#include "core/base/strong.h"

namespace anchor::kv {

struct RevisionTag;
struct LeaseIdTag;
struct SessionIdTag;

// The store's count of write transactions that changed something, from 1 for the empty store.
using Revision = Strong<RevisionTag>;
// Zero: no lease.
using LeaseId = Strong<LeaseIdTag>;
// From one, and never given twice.
using SessionId = Strong<SessionIdTag>;

}  // namespace anchor::kv
