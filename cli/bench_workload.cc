#include "cli/bench_workload.h"

#include <string_view>

#include "core/base/assert.h"
#include "core/base/text.h"

namespace anchor::cli {
namespace {

// Of the same length for every key, so that requests are.
constexpr std::size_t kKeyDigits = 12;
constexpr std::uint64_t kSeed = 1;
constexpr std::string_view kJson = "Content-Type: application/json\r\n";

// The digits after each "bench-" in it.
void write_key(std::uint64_t key, std::string& text) {
  constexpr std::string_view kName = "bench-";
  for (std::size_t at = text.find(kName); at != std::string::npos;) {
    at += kName.size();
    std::uint64_t left = key;
    for (std::size_t i = kKeyDigits; i-- > 0; left /= 10) {
      text[at + i] = static_cast<char>('0' + left % 10);
    }
    at = text.find(kName, at + kKeyDigits);
  }
}

}  // namespace

BenchWorkload::BenchWorkload(const BenchCommand& plan) : plan_(plan), random_(kSeed) {
  if (plan.mode == BenchCommand::Mode::kKeepAlive) leases_.resize(plan.keys);
  const std::string key = "bench-" + std::string(kKeyDigits, '0');
  const std::string consistency =
      plan.consistency == "linearizable" ? "" : "consistency=" + plan.consistency;
  write_target_ = "/kv/" + key;
  read_target_ = write_target_ + (consistency.empty() ? "" : "?" + consistency);
  list_target_ = "/kv/?limit=1000&start=" + key + "&end=bench." +
                 (consistency.empty() ? "" : "&" + consistency);
  // Letters at random: nothing on the way can make the value smaller than it is.
  for (std::size_t i = 0; i < plan.value_bytes; ++i) {
    value_.push_back(static_cast<char>('a' + random_.below(26)));
  }
  const std::string put = R"({"op":"put","value":")" + value_ + R"(","key":")";
  transaction_ = R"({"compare":[{"key":")" + key +
                 R"(","target":"exists","op":"=","value":true}],"success":[)" + put + key +
                 R"("},)" + put + "other-" + key + R"("}],"failure":[]})";
}

bool BenchWorkload::needs_filling() const {
  return plan_.mode != BenchCommand::Mode::kPut && plan_.mode != BenchCommand::Mode::kGrant;
}

BenchRequest BenchWorkload::fill(std::uint64_t key) const {
  const bool leases = plan_.mode == BenchCommand::Mode::kKeepAlive;
  return {.key = key, .kind = leases ? BenchRequest::Kind::kGrant : BenchRequest::Kind::kPut};
}

// A lease is told as {"id":77,...}.
void BenchWorkload::filled(const BenchRequest& request, const io::HttpReply& reply) {
  if (request.kind != BenchRequest::Kind::kGrant) return;
  const std::string_view text = reply.body.text();
  const std::size_t begin = text.find(':') + 1;
  const auto id = parse_number(text.substr(begin, text.find_first_of(",}") - begin));
  leases_[request.key] = id.value_or(0);
}

BenchRequest BenchWorkload::draw() {
  using Kind = BenchRequest::Kind;
  BenchRequest request{.key = random_.below(plan_.keys)};
  switch (plan_.mode) {
    case BenchCommand::Mode::kPut:
      request.kind = Kind::kPut;
      break;
    case BenchCommand::Mode::kGet:
      break;
    case BenchCommand::Mode::kMixed:
      request.kind = random_.chance(plan_.read_ppm) ? Kind::kGet : Kind::kPut;
      break;
    case BenchCommand::Mode::kTransaction:
      request.kind = Kind::kTransaction;
      break;
    case BenchCommand::Mode::kGrant:
      request.kind = Kind::kGrant;
      break;
    case BenchCommand::Mode::kKeepAlive:
      request.kind = Kind::kKeepAlive;
      break;
    case BenchCommand::Mode::kList:
      // All of them long, as far as there are so many keys.
      constexpr std::uint64_t kListed = 1000;
      request.kind = Kind::kList;
      request.key = plan_.keys <= kListed ? 0 : request.key % (plan_.keys - kListed);
      break;
  }
  return request;
}

void BenchWorkload::append(const BenchRequest& request, io::HttpClientCodec& codec,
                           std::string& output) {
  ANCHOR_ASSERT(request.key < plan_.keys);
  const auto with_key = [&](std::string& text) -> const std::string& {
    write_key(request.key, text);
    return text;
  };
  switch (request.kind) {
    case BenchRequest::Kind::kGet:
      return codec.append_request(io::HttpMethod::kGet, with_key(read_target_), "", {}, output);
    case BenchRequest::Kind::kPut:
      return codec.append_request(io::HttpMethod::kPut, with_key(write_target_), "",
                                  as_bytes(value_), output);
    case BenchRequest::Kind::kTransaction:
      return codec.append_request(io::HttpMethod::kPost, "/txn", kJson,
                                  as_bytes(with_key(transaction_)), output);
    case BenchRequest::Kind::kList:
      return codec.append_request(io::HttpMethod::kGet, with_key(list_target_), "", {}, output);
    case BenchRequest::Kind::kGrant:
      return codec.append_request(io::HttpMethod::kPost, "/lease?ttl=10m", "", {}, output);
    case BenchRequest::Kind::kKeepAlive:
      return codec.append_request(io::HttpMethod::kPost,
                                  "/lease/" + std::to_string(leases_[request.key]) + "/keepalive",
                                  "", {}, output);
  }
}

}  // namespace anchor::cli
