#include "broker/policy/glob.h"

#include <cstddef>
#include <vector>

namespace torno::policy {
namespace {

enum class Kind { kEnd, kByte, kAnyByte, kAnyRun, kBroken };

struct Token {
  Kind kind = Kind::kEnd;
  char byte = 0;
  std::size_t length = 0;  // in the glob's text
};

Token token_at(std::string_view glob, std::size_t at) noexcept {
  if (at == glob.size()) return {};
  switch (glob[at]) {
    case '*':
      return {Kind::kAnyRun, 0, 1};
    case '?':
      return {Kind::kAnyByte, 0, 1};
    case '\\':
      if (at + 1 == glob.size()) return {Kind::kBroken, 0, 1};
      return {Kind::kByte, glob[at + 1], 2};
    default:
      return {Kind::kByte, glob[at], 1};
  }
}

std::vector<Token> tokens(std::string_view glob) {
  std::vector<Token> out;
  for (std::size_t at = 0; at < glob.size(); at += out.back().length) {
    out.push_back(token_at(glob, at));
  }
  return out;
}

// The matcher of glob_match and glob_covers. `next` gives the subject's token at an offset, and
// `accepts` says whether a token of the glob other than '*' takes a token of the subject.
// Going back to the last '*' alone is enough: an earlier one could only take more of what the
// last one can take as well.
template <typename Next, typename Accepts>
bool run(std::string_view glob, std::size_t subject_size, Next next, Accepts accepts) noexcept {
  constexpr auto kNone = std::string_view::npos;
  std::size_t g = 0;
  std::size_t s = 0;
  std::size_t after_star = kNone;  // where the glob goes on behind the last '*'
  std::size_t star_took = 0;       // how far that '*' reaches in the subject
  while (s < subject_size) {
    const Token pattern = token_at(glob, g);
    const Token subject = next(s);
    if (pattern.kind == Kind::kAnyRun) {
      g += 1;
      after_star = g;
      star_took = s;
    } else if (accepts(pattern, subject)) {
      g += pattern.length;
      s += subject.length;
    } else if (after_star != kNone) {
      star_took += next(star_took).length;
      s = star_took;
      g = after_star;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace

bool glob_match(std::string_view glob, std::string_view name) noexcept {
  return run(
      glob, name.size(), [name](std::size_t at) { return Token{Kind::kByte, name[at], 1}; },
      [](const Token& pattern, const Token& subject) {
        return pattern.kind == Kind::kAnyByte ||
               (pattern.kind == Kind::kByte && pattern.byte == subject.byte);
      });
}

// The narrow glob is read as a name over a larger alphabet, in which its own '*' and '?' are
// symbols: '*' stands for any run, so nothing but a '*' may take it.
bool glob_covers(std::string_view wide, std::string_view narrow) noexcept {
  return run(
      wide, narrow.size(), [narrow](std::size_t at) { return token_at(narrow, at); },
      [](const Token& pattern, const Token& subject) {
        if (subject.kind != Kind::kByte && subject.kind != Kind::kAnyByte) return false;
        return pattern.kind == Kind::kAnyByte ||
               (pattern.kind == Kind::kByte && subject.kind == Kind::kByte &&
                pattern.byte == subject.byte);
      });
}

bool glob_overlaps(std::string_view a, std::string_view b) {
  const std::vector<Token> left = tokens(a);
  const std::vector<Token> right = tokens(b);
  // reach[j]: some name is matched by the first i tokens of `left` and the first j of `right`.
  std::vector<bool> reach(right.size() + 1, false);
  reach[0] = true;
  for (std::size_t j = 0; j < right.size() && right[j].kind == Kind::kAnyRun; ++j) {
    reach[j + 1] = true;
  }
  for (const Token& l : left) {
    std::vector<bool> row(right.size() + 1, false);
    row[0] = reach[0] && l.kind == Kind::kAnyRun;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const Token& r = right[j];
      if (l.kind == Kind::kAnyRun) {
        row[j + 1] = reach[j + 1] || row[j];
      } else if (r.kind == Kind::kAnyRun) {
        row[j + 1] = row[j] || reach[j + 1];
      } else if (l.kind != Kind::kBroken && r.kind != Kind::kBroken) {
        const bool same = l.kind == Kind::kAnyByte || r.kind == Kind::kAnyByte || l.byte == r.byte;
        row[j + 1] = same && reach[j];
      }
    }
    reach = std::move(row);
  }
  return reach[right.size()];
}

std::string glob_escape(std::string_view literal) {
  std::string out;
  out.reserve(literal.size());
  for (const char c : literal) {
    if (c == '*' || c == '?' || c == '\\' || c == '[' || c == '{') out += '\\';
    out += c;
  }
  return out;
}

std::string glob_normal(std::string_view glob) {
  std::string out;
  bool run_before = false;
  for (const Token& token : tokens(glob)) {
    if (token.kind == Kind::kByte) out += glob_escape(std::string_view(&token.byte, 1));
    if (token.kind == Kind::kAnyByte) out += '?';
    if (token.kind == Kind::kAnyRun && !run_before) out += '*';
    if (token.kind == Kind::kBroken) out += '\\';
    run_before = token.kind == Kind::kAnyRun;
  }
  return out;
}

GlobShape glob_shape(std::string_view glob) {
  GlobShape shape;
  const std::vector<Token> all = tokens(glob);
  std::size_t first = 0;
  while (first < all.size() && all[first].kind == Kind::kByte) {
    shape.prefix += all[first].byte;
    ++first;
  }
  std::size_t last = all.size();
  while (last > first && all[last - 1].kind == Kind::kByte) --last;
  shape.literal = first == all.size();
  for (std::size_t i = last; i < all.size(); ++i) shape.suffix += all[i].byte;

  std::size_t at = 0;
  for (std::size_t i = 0; i < last; ++i) {
    if (i >= first) shape.middle += glob.substr(at, all[i].length);
    at += all[i].length;
  }
  return shape;
}

}  // namespace torno::policy
