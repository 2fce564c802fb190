#include "server/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace anchor::server {
namespace {

constexpr const char* kTime = "2024-05-06T07:08:09.010Z";

std::string logfmt(std::string_view message, const Fields& fields = {}) {
  return format_line(LogFormat::kLogfmt, kTime, "info", "n1", message, fields);
}
std::string json(std::string_view message, const Fields& fields = {}) {
  return format_line(LogFormat::kJson, kTime, "info", "n1", message, fields);
}

TEST(Log, LogfmtQuotesWhatIsMoreThanAWord) {
  Fields fields;
  fields.add("term", 7).add("why", "no leader").add("peer", "n2").add("empty", "");
  EXPECT_EQ(logfmt("elected", fields),
            "time=2024-05-06T07:08:09.010Z level=info node=n1 message=elected term=7 "
            "why=\"no leader\" peer=n2 empty=\"\"");
}

TEST(Log, JsonKeepsTheOrderOfTheFieldsAndTheirKinds) {
  Fields fields;
  fields.add("term", 18446744073709551615u).add("a", "7");
  EXPECT_EQ(json("elected", fields),
            "{\"time\":\"2024-05-06T07:08:09.010Z\",\"level\":\"info\",\"node\":\"n1\","
            "\"message\":\"elected\",\"term\":18446744073709551615,\"a\":\"7\"}");
}

// What peers and clients send must neither forge a line nor steer a terminal.
TEST(Log, LineIsOneLineOfPrintableTextWhateverItSays) {
  const std::string evil = "a\nlevel=error\r\x1b[2J\"=\\ \x7f\xff";
  for (const std::string& line : {logfmt(evil, Fields().add("from", evil)), json(evil)}) {
    for (const char c : line) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ') << line;
    }
  }
  EXPECT_FALSE(logfmt(evil).contains(" level=error"));
  EXPECT_EQ(nlohmann::json::parse(json("a\nb\"c")).at("message"), "a\nb\"c");
}

}  // namespace
}  // namespace anchor::server
