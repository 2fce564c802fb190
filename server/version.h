#pragma once

#include <string>

namespace anchor::server {

// "0.1.0"
std::string version();
// The version and the libraries that the program runs with, a line each.
std::string version_text();

}  // namespace anchor::server
