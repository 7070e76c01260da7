#include "broker/policy/automaton.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "broker/policy/glob.h"

namespace torno::policy {
namespace {

constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio: odd, well spread

constexpr std::uint64_t mix(std::uint64_t value) {
  value *= kFactor;
  return value ^ (value >> 32);
}

// Keys come from the policy, never from a client, so nobody can aim at collisions in the table;
// every hit is compared byte by byte.
std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = bytes.size();
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word);
  }
  std::uint64_t tail = 0;
  if (left >= 4) {
    std::uint32_t low;
    std::uint32_t high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + left - 4, 4);
    tail = low | (std::uint64_t{high} << 32);
  } else {
    for (std::size_t i = 0; i < left; ++i) {
      tail = (tail << 8) | static_cast<unsigned char>(at[i]);
    }
  }
  return mix(hash ^ tail);
}

constexpr std::uint32_t literal_hash(std::uint32_t parent, std::uint64_t name_hash) {
  return static_cast<std::uint32_t>(mix(name_hash + parent));
}

std::uint32_t glob_hash(std::uint32_t parent, std::string_view prefix, std::string_view suffix) {
  return static_cast<std::uint32_t>(mix(mix(hash_bytes(prefix)) + hash_bytes(suffix) + parent));
}

}  // namespace

// One component of a path that is being matched.
struct PathAutomaton::Name {
  explicit Name(std::string_view name) : bytes(name), hash(hash_bytes(name)) {}
  std::string_view bytes;
  std::uint64_t hash;
};

// ------------------------------------------------------------------------------------- lookup

template <typename IsIt>
PathAutomaton::NodeId PathAutomaton::Table::find(std::uint32_t hash, IsIt is_it) const noexcept {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at].node != 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && is_it(slots_[at].node)) return slots_[at].node;
  }
  return 0;
}

PathAutomaton::NodeId PathAutomaton::find_literal(NodeId parent, const Name& name) const noexcept {
  return literals_.find(literal_hash(parent, name.hash), [&](NodeId id) {
    const Node& node = nodes_[id];
    return node.parent == parent && prefix_of(node) == name.bytes;
  });
}

// The first of the globs of `parent` that begin and end with exactly these bytes.
PathAutomaton::NodeId PathAutomaton::find_globs(NodeId parent, std::string_view prefix,
                                                std::string_view suffix) const noexcept {
  return globs_.find(glob_hash(parent, prefix, suffix), [&](NodeId id) {
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
  for (Index s = node.shapes; s != 0; s = shapes_[s].next) {
    const std::size_t prefix = shapes_[s].prefix;
    const std::size_t suffix = shapes_[s].suffix;
    if (name.bytes.size() < prefix + suffix) continue;
    const std::string_view between = name.bytes.substr(prefix, name.bytes.size() - prefix - suffix);
    NodeId glob = find_globs(parent, name.bytes.substr(0, prefix),
                             name.bytes.substr(name.bytes.size() - suffix));
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
    NodeId glob = find_globs(parent, begin.substr(0, shapes_[s].prefix),
                             end.substr(end.size() - shapes_[s].suffix));
    for (; glob != 0; glob = nodes_[glob].next_glob) {
      if (glob_covers(glob_text(nodes_[glob]), component.text)) enter(glob);
    }
  }
}

// --------------------------------------------------------------------------------------- walk

// The set of nodes that the part of a path walked so far has reached. `visit` is told of every
// node whose entries hold for the path.
template <typename Visit>
class PathAutomaton::Walk {
 public:
  Walk(const PathAutomaton& automaton, Visit visit) : automaton_(automaton), visit_(visit) {}

  void start(bool is_last) {
    enter(0, is_last);
    std::swap(current_, next_);
    count_ = std::exchange(next_count_, 0);
  }

  // `for_each(node, enter)` enters the children of a node that the next component reaches.
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

  // What holds at "**" holds for the rest of the walk, so it is counted once, on the way in.
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
  NodeId sets_[2][kMaxActive];  // no initialiser: filling 2 KiB would cost more than the walk
};

// Adds up the entries of the nodes visited, but for those of one rule and one node.
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

Match PathAutomaton::match(std::string_view path, Permissions wanted) const noexcept {
  // "/allowed/x\0.png" or "/allowed/../etc": whoever passes such a path on has a hole, and it
  // must not be widened here.
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos) return {};
  Match match;
  Walk<Tally> walk(*this, Tally{entries_, wanted, kNoRule, nullptr, match});
  walk.start(path.size() == 1);
  for (std::size_t at = 1; path.size() > 1 && at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view component = path.substr(at, end - at);
    if (component.empty() || component == "." || component == "..") return {};
    const Name name(component);
    walk.step(end == path.size(), [&](NodeId id, auto enter) { for_each_child(id, name, enter); });
    at = end + 1;
  }
  match.leads = walk.leads();
  match.overflow = walk.overflow();
  return match;
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

// ---------------------------------------------------------------------------------- building

PathAutomaton::PathAutomaton() : nodes_(1), entries_(1), shapes_(1) {}

void PathAutomaton::Table::place(Slot slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (slots_[at].node != 0) at = (at + 1) & mask;
  slots_[at] = slot;
}

void PathAutomaton::Table::insert(std::uint32_t hash, NodeId node) {
  if (++used_ * 2 > slots_.size()) {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
    for (const Slot& slot : old) {
      if (slot.node != 0) place(slot);
    }
  }
  place({hash, node});
}

PathAutomaton::NodeId PathAutomaton::new_node(NodeId parent) {
  Node node;
  node.parent = parent;
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

PathAutomaton::NodeId PathAutomaton::literal_child(NodeId parent, const std::string& name) {
  const Name key(name);
  if (const NodeId found = find_literal(parent, key); found != 0) return found;
  const NodeId id = new_node(parent);
  set_text(nodes_[id], name, {}, {});
  nodes_[parent].only_literal =
      nodes_[parent].has_literals ? 0 : static_cast<std::uint32_t>(key.hash);
  nodes_[parent].has_literals = true;
  literals_.insert(literal_hash(parent, key.hash), id);
  return id;
}

PathAutomaton::NodeId PathAutomaton::glob_child(NodeId parent, const std::string& glob) {
  const std::uint32_t text_hash = literal_hash(parent, hash_bytes(glob));
  const NodeId known = glob_texts_.find(text_hash, [&](NodeId id) {
    return nodes_[id].parent == parent && glob_text(nodes_[id]) == glob;
  });
  if (known != 0) return known;

  const GlobShape shape = glob_shape(glob);
  const NodeId id = new_node(parent);
  set_text(nodes_[id], shape.prefix, shape.suffix, shape.middle);
  glob_texts_.insert(text_hash, id);

  const NodeId first = find_globs(parent, shape.prefix, shape.suffix);
  if (first != 0) {
    nodes_[id].next_glob = std::exchange(nodes_[first].next_glob, id);
    return id;
  }
  globs_.insert(glob_hash(parent, shape.prefix, shape.suffix), id);
  for (Index s = nodes_[parent].shapes; s != 0; s = shapes_[s].next) {
    if (shapes_[s].prefix == nodes_[id].prefix && shapes_[s].suffix == nodes_[id].suffix) return id;
  }
  shapes_.push_back({nodes_[id].prefix, nodes_[id].suffix, nodes_[parent].shapes});
  nodes_[parent].shapes = static_cast<Index>(shapes_.size() - 1);
  return id;
}

PathAutomaton::NodeId PathAutomaton::child(NodeId parent, const Component& component) {
  switch (component.kind) {
    case Component::Kind::kLiteral:
      return literal_child(parent, component.text);
    case Component::Kind::kGlob:
      return glob_child(parent, component.text);
    case Component::Kind::kAnyDepth:
      break;
  }
  if (nodes_[parent].any_depth == 0) {
    const NodeId id = new_node(parent);
    nodes_[id].is_any_depth = true;
    nodes_[parent].any_depth = id;
  }
  return nodes_[parent].any_depth;
}

PathAutomaton::NodeId PathAutomaton::insert(const PathPattern& pattern) {
  NodeId id = 0;
  for (const Component& component : pattern.components) id = child(id, component);
  return id;
}

void PathAutomaton::add(const PathPattern& pattern, Permissions allow, Permissions deny,
                        RuleId rule) {
  add_entry(insert(pattern), {allow, deny, rule, 0});
}

void PathAutomaton::add_entry(NodeId id, Entry entry) {
  Entry& first = nodes_[id].first;
  if (first.rule == kNoRule) {
    if (entry.allow != kNone || entry.deny != kNone) first = entry;
    return;
  }
  Permissions allow = first.allow;
  Permissions deny = first.deny;
  for (Index e = first.next; e != 0; e = entries_[e].next) {
    allow |= entries_[e].allow;
    deny |= entries_[e].deny;
  }
  // A rule that says nothing new here is left out: a hundred thousand equal rules make one entry.
  if ((entry.allow & ~allow) == 0 && (entry.deny & ~deny) == 0) return;
  entry.next = std::exchange(first.next, static_cast<Index>(entries_.size()));
  entries_.push_back(entry);
}

void PathAutomaton::add_lead(const PathPattern& pattern) {
  nodes_[insert(pattern)].is_marked = true;
}

void PathAutomaton::finish() {
  glob_texts_ = Table();
  // A child's id is greater than its parent's.
  for (std::size_t id = nodes_.size() - 1; id > 0; --id) {
    Node& node = nodes_[id];
    bool allows = node.first.allow != kNone;
    for (Index e = node.first.next; e != 0; e = entries_[e].next) {
      allows = allows || entries_[e].allow != kNone;
    }
    node.leads = node.leads || node.is_marked || (node.is_any_depth && allows);
    Node& parent = nodes_[node.parent];
    parent.leads = parent.leads || node.leads || allows;
  }
  nodes_[0].leads = nodes_[0].leads || nodes_[0].is_marked;
}

// No two patterns cover each other unless they are equal, and then they are one node. So whatever
// is left out here is still said by some wider pattern that stays.
PathAutomaton PathAutomaton::pruned() const {
  PathAutomaton out;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    const Node& node = nodes_[id];
    if (node.first.rule == kNoRule && !node.is_marked) continue;
    const PathPattern pattern = pattern_of(id);
    if (node.is_marked) out.add_lead(pattern);
    const bool has_glob = std::ranges::any_of(pattern.components, [](const Component& component) {
      return component.kind == Component::Kind::kGlob;
    });
    const Match wider = has_glob ? cover(pattern, kNone, kNoRule, &node) : Match{};
    const auto keep = [&](const Entry& entry) {
      const auto allow = static_cast<Permissions>(entry.allow & ~wider.allow);
      const auto deny = static_cast<Permissions>(entry.deny & ~wider.deny);
      if (allow != kNone || deny != kNone) out.add(pattern, allow, deny, entry.rule);
    };
    if (node.first.rule != kNoRule) keep(node.first);
    for (Index e = node.first.next; e != 0; e = entries_[e].next) keep(entries_[e]);
  }
  out.finish();
  return out;
}

PathPattern PathAutomaton::pattern_of(NodeId id) const {
  PathPattern pattern;
  for (; id != 0; id = nodes_[id].parent) {
    const Node& node = nodes_[id];
    Component component{Component::Kind::kAnyDepth, "**"};
    if (!node.is_any_depth && node.middle == 0) {
      component = {Component::Kind::kLiteral, std::string(prefix_of(node))};
    } else if (!node.is_any_depth) {
      component = {Component::Kind::kGlob, glob_text(node)};
    }
    pattern.components.push_back(std::move(component));
  }
  std::ranges::reverse(pattern.components);
  return pattern;
}

void PathAutomaton::set_text(Node& node, std::string_view prefix, std::string_view suffix,
                             std::string_view middle) {
  node.prefix = static_cast<std::uint16_t>(prefix.size());
  node.suffix = static_cast<std::uint16_t>(suffix.size());
  node.middle = static_cast<std::uint16_t>(middle.size());
  const std::string text = std::string(prefix).append(suffix).append(middle);
  if (text.size() <= Node::kInline) {
    std::ranges::copy(text, node.text_inline);
    return;
  }
  node.text = static_cast<Index>(text_.size());
  text_ += text;
}

std::string PathAutomaton::glob_text(const Node& node) const {
  return glob_escape(prefix_of(node)) + std::string(middle_of(node)) + glob_escape(suffix_of(node));
}

}  // namespace torno::policy
