#pragma once

#include <gtest/gtest.h>

#include <string>

#include "server/start_up.h"
#include "tests/io/temporary_directory.h"

namespace anchor::server {

inline const FoundingProposal kProposal{
    .cluster_id = raft::ClusterId(77),
    .founders = {{raft::ServerId("n0"), "127.0.0.1:9000", "127.0.0.1:8000"},
                 {raft::ServerId("n1"), "127.0.0.1:9001", "127.0.0.1:8001"},
                 {raft::ServerId("n2"), "127.0.0.1:9002", "127.0.0.1:8002"}}};

// A data directory, and the options with which n1 is started on it.
class StartUpTest : public testing::Test {
 protected:
  StartUpTest() {
    options_.id = "n1";
    options_.id_given = true;
    options_.dir = temporary_.path_of("data");
    options_.advertise = "127.0.0.1:9001";
    options_.http_advertise = "127.0.0.1:8001";
  }

  io::DataDirectory directory() const { return *io::DataDirectory::open(options_.dir); }
  void become_member() const { ASSERT_TRUE(store_founder(directory(), "n1", kProposal)); }
  std::string path_of(const std::string& name) const { return options_.dir + "/" + name; }

  // "11 anchor: ...": how the process ends.
  std::string refusal() const {
    const auto begun = start_up(options_);
    if (begun) return "started";
    return std::to_string(begun.error().code) + " " + begun.error().text;
  }

  io::TemporaryDirectory temporary_;
  Options options_;
};

}  // namespace anchor::server
