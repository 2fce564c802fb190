#pragma once

#include <expected>

#include "core/kv/transaction.h"
#include "io/http_message.h"
#include "server/http_error.h"

namespace anchor::server {

// The transaction that a body describes, which the store will take; or what is wrong with it.
std::expected<kv::Transaction, ApiError> parse_transaction(const io::HttpRequest& request);

}  // namespace anchor::server
