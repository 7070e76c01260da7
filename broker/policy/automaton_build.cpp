// How a PathAutomaton is built; how it is walked stands in automaton.cpp.
#include <algorithm>
#include <utility>

#include "broker/policy/automaton.h"
#include "broker/policy/glob.h"

namespace torno::policy {

PathAutomaton::PathAutomaton() : nodes_(1), entries_(1), shapes_(1) {}

NodeId PathAutomaton::new_node(NodeId parent) {
  Node node;
  node.parent = parent;
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

NodeId PathAutomaton::literal_child(NodeId parent, const std::string& name) {
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

NodeId PathAutomaton::glob_child(NodeId parent, const std::string& glob) {
  const std::uint32_t text_hash = literal_hash(parent, hash_bytes(glob));
  const NodeId known = glob_texts_.find(text_hash, [&](NodeId id) {
    return nodes_[id].parent == parent && glob_text(nodes_[id]) == glob;
  });
  if (known != 0) return known;

  const GlobShape shape = glob_shape(glob);
  const NodeId id = new_node(parent);
  set_text(nodes_[id], shape.prefix, shape.suffix, shape.middle);
  glob_texts_.insert(text_hash, id);

  const std::uint64_t suffix_hash = hash_bytes(shape.suffix);
  const NodeId first = find_globs(parent, shape.prefix, shape.suffix, suffix_hash);
  if (first != 0) {
    nodes_[id].next_glob = std::exchange(nodes_[first].next_glob, id);
    return id;
  }
  globs_.insert(glob_hash(parent, hash_bytes(shape.prefix), suffix_hash), id);
  Shape& its_shape = shape_of(nodes_[id]);
  if (!shape.prefix.empty()) its_shape.last_bytes |= Shape::bit(shape.prefix.back());
  return id;
}

// The shape of a glob, among those of its parent.
PathAutomaton::Shape& PathAutomaton::shape_of(const Node& glob) {
  Node& parent = nodes_[glob.parent];
  for (Index s = parent.shapes; s != 0; s = shapes_[s].next) {
    if (shapes_[s].prefix == glob.prefix && shapes_[s].suffix == glob.suffix) return shapes_[s];
  }
  const Index before = std::exchange(parent.shapes, static_cast<Index>(shapes_.size()));
  return shapes_.emplace_back(Shape{glob.prefix, glob.suffix, before});
}

NodeId PathAutomaton::child(NodeId parent, const Component& component) {
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

NodeId PathAutomaton::insert(const PathPattern& pattern) {
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
  // A rule that says nothing new here is left out: a hundred thousand equal
  // rules make one entry.
  if ((entry.allow & ~allow) == 0 && (entry.deny & ~deny) == 0) return;
  entry.next = std::exchange(first.next, static_cast<Index>(entries_.size()));
  entries_.push_back(entry);
}

void PathAutomaton::add_lead(const PathPattern& pattern) {
  nodes_[insert(pattern)].is_marked = true;
}

void PathAutomaton::finish() {
  glob_texts_ = NodeTable();
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

// No two patterns cover each other unless they are equal, and then they are one
// node. So whatever is left out here is still said by some wider pattern that
// stays.
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
