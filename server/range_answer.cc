#include "server/range_answer.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "io/json_bytes.h"
#include "server/kv_json.h"

namespace anchor::server {
namespace {

// A part is made in one go, while all else waits: about a millisecond.
constexpr std::size_t kPartBytes = 64 << 10;
constexpr std::size_t kPageBytes = 4 << 20;

class Page {
 public:
  Page(kv::RangeView view, const PageOptions& options)
      : view_(std::move(view)), options_(options), reader_(view_, options.reverse) {}

  std::optional<std::string> next() {
    if (ended_) return std::nullopt;
    std::string part;
    if (!std::exchange(begun_, true)) {
      part.push_back('{');
      append_number(part, "revision", view_.revision().value());
      part.append(",\"kvs\":[");
    }
    while (part.size() < kPartBytes && !full() && reader_.peek()) {
      if (count_++ > 0) part.push_back(',');
      last_ = reader_.next();
      append_item(part, *last_, options_.keys_only);
      if (bytes_ + part.size() >= kPageBytes) break;
    }
    bytes_ += part.size();
    if (full() || !reader_.peek()) end(part);
    return part;
  }

 private:
  bool full() const {
    return options_.count_only || (options_.limit > 0 && count_ >= options_.limit) ||
           bytes_ >= kPageBytes;
  }

  void end(std::string& part) {
    ended_ = true;
    part.append("],");
    append_number(part, "count", view_.count());
    const bool more = reader_.peek() && !options_.count_only;
    part.append(more ? ",\"more\":true," : ",\"more\":false}");
    if (more) {
      // From there on; or, backwards, what is below.
      const kv::ItemRef& next = options_.reverse ? last_ : reader_.peek();
      io::append_bytes(part, "next", "next_encoding", next->key());
      part.back() = '}';
    }
    part.push_back('\n');
  }

  const kv::RangeView view_;
  const PageOptions options_;
  kv::RangeView::Reader reader_;
  std::uint64_t count_ = 0;
  std::size_t bytes_ = 0;
  kv::ItemRef last_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

io::HttpParts list_parts(kv::RangeView view, const PageOptions& page) {
  // The reader points into the view, which must stay where it is.
  return [page = std::make_unique<Page>(std::move(view), page)] { return page->next(); };
}

}  // namespace anchor::server
