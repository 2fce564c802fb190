// A connection that is fed whatever the fuzzer invents, in reads of its choice, against the same
// bytes in one read. What must hold: no more answers than requests and one refusal, nothing handled
// after a refusal or a close, the same requests and answers however the bytes are split, and
// bounds on what waits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/assert.h"
#include "io/http_client_codec.h"
#include "io/http_connection.h"

namespace anchor::io {
namespace {

class Checker : public HttpHandler {
 public:
  explicit Checker(const HttpLimits& limits)
      : limits_(limits), connection_(1, limits, no_lines_, *this, Instant{}) {}

  void read(std::string_view bytes) {
    if (!connection_.reads()) return;
    connection_.receive(Instant{}, bytes);
    write();
  }
  void end() {
    if (connection_.reads()) connection_.end_of_input();
    write();
  }

  void handle(const HttpRequest& request, HttpTicket ticket) override {
    ANCHOR_ASSERT(!refused_ && !closed_, "handled after the end");
    ANCHOR_ASSERT(request.target.starts_with('/'));
    ANCHOR_ASSERT(request.body.size() <= limits_.body_bytes);
    std::size_t host_count = 0;
    for (const HttpHeader& header : request.headers) {
      host_count += equals_ignoring_case(header.name, "host") ? 1 : 0;
      ANCHOR_ASSERT(header.value.find_first_of(std::string_view("\r\n\0", 3)) ==
                    std::string_view::npos);
    }
    ANCHOR_ASSERT(host_count == 1);
    closed_ = !request.keep_alive;
    // For the client's codec, which must know only whether the answer has a body.
    const bool head = request.method == HttpMethod::kHead;
    methods_.push_back(head ? HttpMethod::kHead : HttpMethod::kGet);
    log_ += std::string(method_name(request.method)) + ' ' + std::string(request.target) + ' ' +
            std::string(request.body.text()) + '\n';
    connection_.respond(ticket.sequence, {.body = "OK\n"});
  }
  HttpResponse refuse(const HttpRefusal& refusal, const HttpRequest* partial) override {
    ANCHOR_ASSERT(!refused_ && !closed_, "refused after the end");
    refused_ = true;
    const bool head = partial != nullptr && partial->method == HttpMethod::kHead;
    methods_.push_back(head ? HttpMethod::kHead : HttpMethod::kGet);
    log_ += std::to_string(refusal.status);
    if (partial != nullptr) log_ += partial->target;
    return {.status = refusal.status, .body = std::string(refusal.message)};
  }

  // A client must find as many answers as there were requests, each well-formed, and not a byte
  // more.
  void check_answers() const {
    HttpClientCodec client("a");
    std::string ignored;
    for (const HttpMethod method : methods_) client.append_request(method, "/", "", {}, ignored);
    std::string_view input = written_;
    std::size_t answers = 0;
    while (!input.empty()) {
      const auto parsed = client.parse(input);
      ANCHOR_ASSERT(!std::holds_alternative<Error>(parsed), "a malformed answer");
      answers += std::holds_alternative<HttpReply>(parsed) ? 1 : 0;
    }
    ANCHOR_ASSERT(answers == methods_.size());
  }

  const std::string& log() const { return log_; }

 private:
  void write() {
    HttpOutput output;
    std::vector<ByteView> pieces;
    while (connection_.has_output()) {
      connection_.take_output(Instant{}, output);
      output.collect(0, pieces);
      for (const ByteView piece : pieces) written_ += as_text(piece);
      output.clear();
      connection_.written(Instant{});
    }
  }

  const HttpLimits& limits_;
  const std::string no_lines_;
  HttpConnection connection_;
  bool refused_ = false;
  bool closed_ = false;
  std::vector<HttpMethod> methods_;
  std::string log_;
  std::string written_;
};

}  // namespace
}  // namespace anchor::io

// The first bytes say how long the reads are, in turn; the rest is what is read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLengths = 4;
  if (size < kLengths) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + kLengths, size - kLengths);
  anchor::io::HttpLimits limits;
  limits.target_bytes = 64;
  limits.header_bytes = 128;
  limits.header_count = 4;
  limits.body_bytes = 32;

  anchor::io::Checker whole(limits);
  whole.read(bytes);
  whole.end();
  whole.check_answers();

  anchor::io::Checker split(limits);
  std::string_view rest = bytes;
  for (std::size_t i = 0; !rest.empty(); ++i) {
    const auto part = rest.substr(0, 1 + data[i % kLengths]);
    split.read(part);
    rest.remove_prefix(part.size());
  }
  split.end();
  split.check_answers();
  ANCHOR_ASSERT(whole.log() == split.log(), "the same bytes, understood in two ways");
  return 0;
}
