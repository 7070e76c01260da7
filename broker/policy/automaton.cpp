#include "broker/policy/automaton.h"

#include <algorithm>
#include <utility>

#include "broker/policy/glob.h"

namespace torno::policy {
// -------------------------------------------------------------------------------------
// lookup

NodeId PathAutomaton::find_literal(NodeId parent, const Name& name) const noexcept {
  return literals_.find(literal_hash(parent, name.hash), [&](NodeId id) {
    const Node& node = nodes_[id];
    return node.parent == parent && prefix_of(node) == name.bytes;
  });
}

// The first of the globs of `parent` that begin and end with exactly these
// bytes.
NodeId PathAutomaton::find_globs(NodeId parent, std::string_view prefix, std::string_view suffix,
                                 std::uint64_t suffix_hash) const noexcept {
  return globs_.find(glob_hash(parent, hash_bytes(prefix), suffix_hash), [&](NodeId id) {
    const Node& node = nodes_[id];
    return node.parent == parent && prefix_of(node) == prefix && suffix_of(node) == suffix;
  });
}

template <typename Enter>
void PathAutomaton::for_each_child(NodeId parent, const Name& name, Enter enter) const noexcept {
  const Node& node = nodes_[parent];
  const bool may_be_literal =
      node.only_literal == 0 || node.only_literal == static_cast<std::uint32_t>(name.hash);
  if (node.has_literals && may_be_literal) {
    if (const NodeId found = find_literal(parent, name); found != 0) enter(found);
  }
  std::string_view end;
  std::uint64_t end_hash = hash_bytes(end);
  for (Index s = node.shapes; s != 0; s = shapes_[s].next) {
    const std::size_t prefix = shapes_[s].prefix;
    const std::size_t suffix = shapes_[s].suffix;
    if (name.bytes.size() < prefix + suffix || !shapes_[s].may_begin(name.bytes)) continue;
    if (suffix != end.size()) {
      end = name.bytes.substr(name.bytes.size() - suffix);
      end_hash = hash_bytes(end);
    }
    const std::string_view between = name.bytes.substr(prefix, name.bytes.size() - prefix - suffix);
    NodeId glob = find_globs(parent, name.bytes.substr(0, prefix), end, end_hash);
    for (; glob != 0; glob = nodes_[glob].next_glob) {
      const std::string_view middle = middle_of(nodes_[glob]);
      if (middle == "*" || glob_match(middle, between)) enter(glob);
    }
  }
}

// The children that match whatever `component` matches.
template <typename Enter>
void PathAutomaton::for_each_cover(NodeId parent, const Component& component, Enter enter) const {
  if (component.kind == Component::Kind::kAnyDepth) return;
  if (component.kind == Component::Kind::kLiteral) {
    for_each_child(parent, Name(component.text), enter);
    return;
  }
  const GlobShape shape = glob_shape(component.text);
  const std::string_view begin = shape.prefix;
  const std::string_view end = shape.suffix;
  for (Index s = nodes_[parent].shapes; s != 0; s = shapes_[s].next) {
    if (begin.size() < shapes_[s].prefix || end.size() < shapes_[s].suffix) continue;
    const std::string_view suffix = end.substr(end.size() - shapes_[s].suffix);
    NodeId glob =
        find_globs(parent, begin.substr(0, shapes_[s].prefix), suffix, hash_bytes(suffix));
    for (; glob != 0; glob = nodes_[glob].next_glob) {
      if (glob_covers(glob_text(nodes_[glob]), component.text)) enter(glob);
    }
  }
}

// ---------------------------------------------------------------------------------------
// walk

// The set of nodes that the part of a path walked so far has reached. `visit`
// is told of every node whose entries hold for the path.
template <typename Visit>
class PathAutomaton::Walk {
 public:
  Walk(const PathAutomaton& automaton, Visit visit) : automaton_(automaton), visit_(visit) {}

  void start(bool is_last) {
    enter(0, is_last);
    std::swap(current_, next_);
    count_ = std::exchange(next_count_, 0);
  }

  // `for_each(node, enter)` enters the children of a node that the next
  // component reaches.
  template <typename ForEach>
  void step(bool is_last, ForEach for_each) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (automaton_.nodes_[current_[i]].is_any_depth) push(current_[i]);
    }
    staying_ = next_count_;
    for (std::size_t i = 0; i < count_; ++i) {
      for_each(current_[i], [this, is_last](NodeId id) { enter(id, is_last); });
    }
    std::swap(current_, next_);
    count_ = std::exchange(next_count_, 0);
  }

  bool leads() const { return leads_; }
  bool overflow() const { return overflow_; }

  // Where the next component would start from.
  bool stands_as(Walk& other) noexcept {
    std::sort(current_, current_ + count_);
    std::sort(other.current_, other.current_ + other.count_);
    return std::equal(current_, current_ + count_, other.current_, other.current_ + other.count_);
  }

 private:
  void push(NodeId id) {
    if (next_count_ == kMaxActive) {
      overflow_ = true;
      return;
    }
    next_[next_count_++] = id;
  }

  void enter(NodeId id, bool is_last) {
    const Node& node = automaton_.nodes_[id];
    if (node.any_depth != 0) enter_any_depth(node.any_depth);
    if (is_last) {
      visit_(node);
      leads_ = leads_ || node.leads;
    } else if (node.has_children()) {
      push(id);
    }
  }

  // What holds at "**" holds for the rest of the walk, so it is counted once,
  // on the way in.
  void enter_any_depth(NodeId id) {
    const Node& node = automaton_.nodes_[id];
    visit_(node);
    leads_ = leads_ || node.leads;
    NodeId* const stay_end = next_ + staying_;
    if (node.has_children() && std::find(next_, stay_end, id) == stay_end) push(id);
  }

  const PathAutomaton& automaton_;
  Visit visit_;
  NodeId* current_ = sets_[0];
  NodeId* next_ = sets_[1];
  std::size_t count_ = 0;
  std::size_t next_count_ = 0;
  std::size_t staying_ = 0;  // "**" nodes at the front of next_
  bool leads_ = false;
  bool overflow_ = false;
  NodeId sets_[2][kMaxActive];  // no initialiser: filling 2 KiB would cost more
                                // than the walk
};

// Adds up the entries of the nodes visited, but for those of one rule and one
// node.
struct PathAutomaton::Tally {
  const std::vector<Entry>& entries;
  Permissions wanted;
  RuleId except;
  const Node* except_node;
  Match& match;

  void operator()(const Node& node) const noexcept {
    if (node.first.rule == kNoRule || &node == except_node) return;
    add(node.first);
    for (Index e = node.first.next; e != 0; e = entries[e].next) add(entries[e]);
  }

  void add(const Entry& entry) const noexcept {
    if (entry.rule == except) return;
    match.allow |= entry.allow;
    match.deny |= entry.deny;
    const auto lowest = static_cast<Permissions>(wanted & -wanted);
    if ((entry.allow & lowest) != 0) match.allow_rule = std::min(match.allow_rule, entry.rule);
    if ((entry.deny & wanted) != 0) match.deny_rule = std::min(match.deny_rule, entry.rule);
  }
};

template <typename Visit>
bool PathAutomaton::walk(Walk<Visit>& walk, std::string_view path, bool beneath) const noexcept {
  // "/allowed/x\0.png" or "/allowed/../etc": whoever passes such a path on has
  // a hole, and it must not be widened here.
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos)
    return false;
  walk.start(path.size() == 1 && !beneath);
  for (std::size_t at = 1; path.size() > 1 && at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view component = path.substr(at, end - at);
    if (component.empty() || component == "." || component == "..") return false;
    const Name name(component);
    walk.step(end == path.size() && !beneath,
              [&](NodeId id, auto enter) { for_each_child(id, name, enter); });
    at = end + 1;
  }
  return true;
}

Match PathAutomaton::match(std::string_view path, Permissions wanted) const noexcept {
  Match match;
  Walk<Tally> walk(*this, Tally{entries_, wanted, kNoRule, nullptr, match});
  if (!this->walk(walk, path, false)) return {};
  match.leads = walk.leads();
  match.overflow = walk.overflow();
  return match;
}

bool PathAutomaton::same_beneath(std::string_view one, std::string_view other) const noexcept {
  // What holds at every depth is told on the way, the rest by where the walk stands.
  Match at_one;
  Match at_other;
  Walk<Tally> to_one(*this, Tally{entries_, kNone, kNoRule, nullptr, at_one});
  Walk<Tally> to_other(*this, Tally{entries_, kNone, kNoRule, nullptr, at_other});
  if (!walk(to_one, one, true) || !walk(to_other, other, true)) return false;
  if (to_one.overflow() || to_other.overflow()) return false;
  return at_one.allow == at_other.allow && at_one.deny == at_other.deny &&
         to_one.leads() == to_other.leads() && to_one.stands_as(to_other);
}

Match PathAutomaton::match_name(std::string_view bytes_of_name, Permissions wanted) const noexcept {
  Match match;
  const Tally tally{entries_, wanted, kNoRule, nullptr, match};
  for_each_child(0, Name(bytes_of_name), [&](NodeId id) { tally(nodes_[id]); });
  return match;
}

Match PathAutomaton::cover(const PathPattern& pattern, Permissions wanted, RuleId except,
                           const Node* except_node) const {
  Match match;
  Walk<Tally> walk(*this, Tally{entries_, wanted, except, except_node, match});
  walk.start(pattern.components.empty());
  for (const Component& component : pattern.components) {
    walk.step(&component == &pattern.components.back(),
              [&](NodeId id, auto enter) { for_each_cover(id, component, enter); });
  }
  return match;
}

}  // namespace torno::policy
