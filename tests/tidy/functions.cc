#include <algorithm>
#include <utility>

#include "tests/tidy/lengths.h"

namespace anchor::tidy {
namespace {

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool starts = at == 0 || !is_identifier_character(text[at - 1]);
    const bool ends = end == text.size() || !is_identifier_character(text[end]);
    if (starts && ends) return true;
  }
  return false;
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \n") - first + 1));
}

// Without `template <...>`, whose `class` declares none.
std::string_view without_template(std::string_view head) {
  const std::size_t start = head.find_first_not_of(" \n");
  if (start == std::string_view::npos || !head.substr(start).starts_with("template")) return head;
  std::size_t depth = 0;
  for (std::size_t i = head.find('<', start); i < head.size(); ++i) {
    if (head[i] == '<') ++depth;
    if (head[i] == '>' && --depth == 0) return head.substr(i + 1);
  }
  return head;
}

bool opens_a_scope(std::string_view head) {
  head = without_template(head);
  if (has_word(head, "namespace")) return true;
  // `extern "C" {`, and no function that is declared so.
  if (head.find('(') != std::string_view::npos) return false;
  return has_word(head, "class") || has_word(head, "struct") || has_word(head, "union") ||
         has_word(head, "enum") || has_word(head, "extern");
}

// Parentheses that are closed again, as those of a parameter list are.
bool has_closed_parentheses(std::string_view head) {
  const auto opened = std::ranges::count(head, '(');
  return opened > 0 && opened == std::ranges::count(head, ')');
}

std::string name_in(std::string_view head) {
  const std::size_t open = head.find('(');
  const std::string_view before = head.substr(0, open);
  std::size_t start = before.size();
  while (start > 0 && (is_identifier_character(before[start - 1]) || before[start - 1] == ':' ||
                       before[start - 1] == '~')) {
    --start;
  }
  std::string name(before.substr(start));
  if (!name.starts_with("TEST") && !name.starts_with("RC_GTEST")) return name;
  // A test's name is what it is given.
  const std::size_t close = head.find(')', open);
  std::string given = trimmed(head.substr(open + 1, close - open - 1));
  std::erase_if(given, [](char c) { return c == ' ' || c == '\n'; });
  std::ranges::replace(given, ',', '.');
  return given;
}

class FunctionFinder {
 public:
  explicit FunctionFinder(std::string_view code) : code_(code) {}

  std::vector<Function> find() {
    for (; at_ < code_.size(); ++at_) {
      switch (code_[at_]) {
        case '#':
          skip_directive();
          break;
        case ';':
          start_head();
          break;
        case '{':
          open_brace();
          break;
        case '}':
          start_head();
          break;
        case ':':
          skip_access();
          break;
        default:
          break;
      }
    }
    return std::move(functions_);
  }

 private:
  void start_head() { head_ = at_ + 1; }

  // With the lines that a backslash continues.
  void skip_directive() {
    if (!trimmed(code_.substr(head_, at_ - head_)).empty()) return;
    while (at_ < code_.size() && (code_[at_] != '\n' || code_[at_ - 1] == '\\')) ++at_;
    start_head();
  }

  // `public:` and its like belong to no function.
  void skip_access() {
    const std::string head = trimmed(code_.substr(head_, at_ - head_));
    if (head == "public" || head == "private" || head == "protected") start_head();
  }

  void open_brace() {
    const std::string_view head = code_.substr(head_, at_ - head_);
    if (opens_a_scope(head)) return start_head();
    const std::size_t end = closing_brace();
    const std::size_t next = code_.find_first_not_of(" \n", end + 1);
    const bool more = next != std::string_view::npos &&
                      (code_[next] == ',' || code_[next] == '{' || code_[next] == ')');
    at_ = end;
    // `: member_{1}, other_{2} {`: the body is still to come. `f({...})`: so are other arguments.
    if (more) return;
    if (has_closed_parentheses(head)) add_function(head, end);
    start_head();
  }

  std::size_t closing_brace() const {
    std::size_t depth = 0;
    for (std::size_t i = at_; i < code_.size(); ++i) {
      if (code_[i] == '{') ++depth;
      if (code_[i] == '}' && --depth == 0) return i;
    }
    return code_.size() - 1;
  }

  void add_function(std::string_view head, std::size_t end) {
    const std::size_t first = head_ + head.find_first_not_of(" \n");
    const std::size_t line = line_at(code_, first);
    functions_.push_back({name_in(without_template(head)), line, line_at(code_, end) - line + 1});
  }

  std::string_view code_;
  std::size_t at_ = 0;
  std::size_t head_ = 0;
  std::vector<Function> functions_;
};

}  // namespace

std::vector<Function> functions_of(const Source& source) {
  return FunctionFinder(source.code).find();
}

}  // namespace anchor::tidy
