#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/server/routes.h"

// Requests that are to be refused at once, in tables.
namespace anchor::server {

struct Bad {
  HttpMethod method;
  std::string target;
  Headers headers{};
  std::string body{};
  // How the answer begins, and what it names.
  std::string_view begins{};
  std::string_view names{};
};

inline constexpr auto kGet = HttpMethod::kGet;
inline constexpr auto kHead = HttpMethod::kHead;
inline constexpr auto kPut = HttpMethod::kPut;
inline constexpr auto kPost = HttpMethod::kPost;
inline constexpr auto kDelete = HttpMethod::kDelete;
inline constexpr auto kOther = HttpMethod::kOther;

inline void expect_refused(const std::vector<Bad>& table) {
  for (const Bad& bad : table) {
    const std::string answer = refusal(bad.method, bad.target, bad.headers, bad.body);
    const auto shown = bad.target + " " + std::string(bad.body.substr(0, 100)) + ": " + answer;
    EXPECT_TRUE(answer.starts_with(bad.begins)) << shown;
    EXPECT_TRUE(answer.contains(bad.names)) << shown;
  }
}

}  // namespace anchor::server
