#pragma once

#include <cstddef>

namespace anchor::server {

// Raises this process's limit of open files to what the system allows it. Returns the limit.
std::size_t raise_descriptor_limit();

// How many of so many may be connections of HTTP clients: whatever they do, peers and the disk find
// one left.
std::size_t http_connection_count(std::size_t descriptor_limit);

}  // namespace anchor::server
