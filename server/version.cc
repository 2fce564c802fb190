#include "server/version.h"

#include <capnp/common.h>
#include <llhttp.h>
#include <lmdb.h>
#include <spdlog/version.h>
#include <uv.h>

namespace anchor::server {

std::string version() {
  return ANCHOR_VERSION;
}

std::string version_text() {
  const auto dotted = [](int major, int minor, int patch) {
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  };
  return "anchor " + version() + "\n" + "libuv " + uv_version_string() + "\n" + "capnproto " +
         dotted(CAPNP_VERSION_MAJOR, CAPNP_VERSION_MINOR, CAPNP_VERSION_MICRO) + "\n" +
         mdb_version(nullptr, nullptr, nullptr) + "\n" + "llhttp " +
         dotted(LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH) + "\n" +
         "spdlog " + dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH) + "\n";
}

}  // namespace anchor::server
