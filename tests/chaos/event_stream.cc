#include "tests/chaos/event_stream.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/chaos/requests.h"

namespace anchor::chaos {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEndOfLine = "\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::string_view kEndOfBlock = "\n\n";

// One event, line by line.
struct Block {
  std::string_view id{};
  std::string_view event{};
  std::string_view data{};
};

// None: a line that is not known.
std::optional<Block> split(std::string_view text) {
  Block block;
  const std::pair<std::string_view, std::string_view*> fields[] = {
      {"id: ", &block.id}, {"event: ", &block.event}, {"data: ", &block.data}};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line == ":") continue;
    const auto field =
        std::ranges::find_if(fields, [&](const auto& f) { return line.starts_with(f.first); });
    if (field == std::end(fields) || !field->second->empty()) return std::nullopt;
    *field->second = line.substr(field->first.size());
  }
  return block;
}

// Zero: it is not there, or no number.
std::uint64_t number(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string text(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool read_key(const Json& json, std::uint32_t& key) {
  const std::string name = text(json, "key");
  if (!name.starts_with('k') || name.size() == 1) return false;
  key = static_cast<std::uint32_t>(number_in(std::string_view(name).substr(1)));
  return true;
}

bool read_event(const Json& json, bool put, Shown& shown) {
  const auto previous = json.find("prev");
  if (!read_key(json, shown.key) || previous == json.end()) return false;
  shown.revision = number(json, "mod_revision");
  if (put) shown.value = number_in(text(json, "value"));
  if (shown.revision == 0 || put != (shown.value != 0)) return false;
  if (previous->is_null()) return true;
  std::uint32_t same = 0;
  shown.previous_revision = number(*previous, "mod_revision");
  shown.previous_value = number_in(text(*previous, "value"));
  return read_key(*previous, same) && same == shown.key && shown.previous_revision != 0 &&
         shown.previous_value != 0;
}

}  // namespace

void EventStream::take(std::string_view bytes) {
  raw_ += bytes;
  if (status_ == 0) take_head();
  if (status_ == 200) take_chunks();
}

void EventStream::take_head() {
  const std::size_t end = raw_.find(kEndOfHead);
  if (end == std::string::npos) return;
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  if (!raw_.starts_with(kVersion)) fail("no answer of HTTP: " + raw_);
  status_ = static_cast<int>(number_in(std::string_view(raw_).substr(kVersion.size())));
  if (status_ == 200 && !raw_.contains("Transfer-Encoding: chunked")) fail("no chunks: " + raw_);
  raw_.erase(0, end + kEndOfHead.size());
}

void EventStream::take_chunks() {
  text_.erase(0, std::exchange(at_, 0));
  std::string_view rest = raw_;
  while (fault_.empty() && !ended_) {
    const std::size_t line = rest.find(kEndOfLine);
    if (line == std::string_view::npos) break;
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + line, size, 16);
    if (error != std::errc() || end != rest.data() + line) {
      fail("a bad size of a chunk: " + std::string(rest.substr(0, line)));
      break;
    }
    const std::size_t begin = line + kEndOfLine.size();
    if (rest.size() < begin + size + kEndOfLine.size()) break;
    if (rest.substr(begin + size, kEndOfLine.size()) != kEndOfLine) fail("a chunk without an end");
    text_ += rest.substr(begin, size);
    ended_ = size == 0;
    rest.remove_prefix(begin + size + kEndOfLine.size());
  }
  raw_.erase(0, raw_.size() - rest.size());
  if (ended_ && !text_.empty() && !text_.ends_with(kEndOfBlock)) fail("an end within an event");
}

std::optional<Shown> EventStream::next() {
  while (fault_.empty()) {
    const std::size_t end = text_.find(kEndOfBlock, at_);
    if (end == std::string::npos) return std::nullopt;
    const std::string_view block = std::string_view(text_).substr(at_, end - at_);
    at_ = end + kEndOfBlock.size();
    if (block != ":") return read(block);
  }
  return std::nullopt;
}

std::optional<Shown> EventStream::read(std::string_view block) {
  const auto fields = split(block);
  const Json json = fields ? Json::parse(fields->data, nullptr, false) : Json();
  if (!json.is_object()) return fail("a block that is no event: " + std::string(block));
  Shown shown;
  bool good = false;
  if (fields->event == "progress" || fields->event == "resync") {
    const bool resync = fields->event == "resync";
    shown.kind = resync ? Shown::Kind::kResync : Shown::Kind::kProgress;
    shown.revision = number(json, "revision");
    shown.previous_revision = number(json, "compacted_revision");
    good = shown.revision != 0 && fields->id.empty() && resync == (shown.previous_revision != 0);
  } else {
    const bool put = fields->event == "put";
    shown.last_of_revision = !fields->id.empty();
    good = (put || fields->event == "delete") && read_event(json, put, shown) &&
           (fields->id.empty() || fields->id == std::to_string(shown.revision));
  }
  if (!good) return fail("an event that says something wrong: " + std::string(block));
  return shown;
}

std::optional<Shown> EventStream::fail(std::string what) {
  if (fault_.empty()) fault_ = std::move(what);
  return std::nullopt;
}

}  // namespace anchor::chaos
