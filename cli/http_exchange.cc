#include "cli/http_exchange.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <system_error>

#include "core/base/assert.h"

namespace anchor::cli {
namespace {

// Far above what a server of ours sends; below what would hurt.
constexpr std::size_t kMaxBodyBytes = 64 << 20;

struct CurlHandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct CurlListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlHandleDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlListDeleter>;

void initialise_curl() {
  // Once, and before any thread uses curl (a static's initialisation is guarded).
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  ANCHOR_ASSERT(result == CURLE_OK);
}

void append_header(CurlList& list, const std::string& line) {
  curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
  ANCHOR_ASSERT(longer != nullptr);  // out of memory
  static_cast<void>(list.release());
  list.reset(longer);
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* target) {
  std::string& body = static_cast<HttpReplyIn*>(target)->body;
  if (size > kMaxBodyBytes - body.size()) return 0;  // curl gives up
  body.append(data, size);
  return size;
}

std::size_t take_header(char* data, std::size_t, std::size_t size, void* target) {
  std::vector<std::string>& lines = static_cast<HttpReplyIn*>(target)->header_lines;
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  // Another status line: what came before was an interim reply.
  if (line.starts_with("HTTP/")) {
    lines.clear();
  } else if (!line.empty()) {
    lines.emplace_back(line);
  }
  return size;
}

long milliseconds(Duration duration) {
  // Zero would mean curl's default.
  return std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

void set_up(CURL* curl, const std::string& url, const HttpTimeouts& timeouts, HttpReplyIn& reply) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // "/kv/../a" is the key "../a"
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(timeouts.connect));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(timeouts.whole));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply);
}

CurlList set_request(CURL* curl, const HttpRequestOut& request) {
  CurlList headers;
  for (const std::string& line : request.headers) append_header(headers, line);
  if (request.method == io::HttpMethod::kPut || request.method == io::HttpMethod::kPost) {
    append_header(headers, "Content-Type: application/octet-stream");
    append_header(headers, "Expect:");  // would cost a round trip
    // A null pointer would mean that the body is read from a callback.
    const char* const body = request.body.empty() ? "" : as_text(request.body).data();
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  }
  if (request.method != io::HttpMethod::kGet) {
    ANCHOR_ASSERT(request.method != io::HttpMethod::kHead);
    const std::string method(io::method_name(request.method));
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());  // curl copies it
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  return headers;
}

bool connected(CURL* curl) {
  curl_off_t connect_time_us = 0;
  curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connect_time_us);
  return connect_time_us > 0;
}

// What the system said: "Connection refused" tells more than that curl could not connect.
std::optional<std::string> system_cause(CURL* curl, CURLcode result) {
  long error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
  if (result != CURLE_COULDNT_CONNECT || error == 0) return std::nullopt;
  return std::generic_category().message(static_cast<int>(error));
}

}  // namespace

std::optional<std::string_view> HttpReplyIn::header(std::string_view name) const {
  for (const std::string_view line : header_lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (!io::equals_ignoring_case(line.substr(0, colon), name)) continue;
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    return io::without_trailing_space(value);
  }
  return std::nullopt;
}

std::expected<HttpReplyIn, NoReply> exchange(const std::string& endpoint,
                                             const HttpRequestOut& request,
                                             const HttpTimeouts& timeouts) {
  initialise_curl();
  const CurlHandle curl(curl_easy_init());
  ANCHOR_ASSERT(curl != nullptr);  // out of memory
  HttpReplyIn reply;
  const std::string url = "http://" + endpoint + request.target;
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  set_up(curl.get(), url, timeouts, reply);
  const CurlList headers = set_request(curl.get(), request);

  const CURLcode result = curl_easy_perform(curl.get());
  if (result != CURLE_OK) {
    const std::string cause = detail[0] != '\0' ? detail.data() : curl_easy_strerror(result);
    return std::unexpected(NoReply{.cause = system_cause(curl.get(), result).value_or(cause),
                                   .maybe_sent = connected(curl.get())});
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

}  // namespace anchor::cli
