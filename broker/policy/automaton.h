// PathAutomaton: any number of path patterns compiled into one trie over path
// components, so that a path is matched against all of them in one walk whose
// length is the path's.
//
// A literal child is found by one probe of one hash table, keyed by (parent,
// name). The globs beneath a node are found by the literal bytes they begin and
// end with: at most one probe for each distinct pair of those lengths present at
// that node, so 100,000 rules "user123*" cost what a few do. A "**" is a node that
// stays active at any depth.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "broker/policy/node_table.h"
#include "broker/policy/path_pattern.h"
#include "broker/policy/permission.h"

namespace torno::policy {

using RuleId = std::uint32_t;
inline constexpr RuleId kNoRule = std::numeric_limits<RuleId>::max();

// Patterns that can be half matched at once while a path is walked. Only
// patterns with wildcards add to it: more than a few are rare. A path that
// needs more is denied, and says so.
inline constexpr std::size_t kMaxActive = 256;

// What all rules together say of a path.
struct Match {
  Permissions allow = kNone;
  Permissions deny = kNone;
  RuleId allow_rule = kNoRule;  // the first that allows the lowest wanted bit
  RuleId deny_rule = kNoRule;   // the first that denies a wanted bit
  bool leads = false;           // a path beneath this one may be allowed
  bool overflow = false;        // more than kMaxActive; nothing else is right then
};

class PathAutomaton {
 public:
  PathAutomaton();

  // Rules come in the order of their ids: of several that say the same, the
  // first is reported.
  void add(const PathPattern& pattern, Permissions allow, Permissions deny, RuleId rule);

  // Paths that `pattern` matches, and the directories on the way there, lead.
  void add_lead(const PathPattern& pattern);

  // Ends the adding; before it nothing may be asked.
  void finish();

  // The same without what a glob says and a wider pattern says as well: of
  // "user1*", "user12*" and "user123*" a path would visit each. It answers
  // alike in less time, but may name another of several rules that say the
  // same.
  PathAutomaton pruned() const;

  // Of a canonical path; a path that is not so matches nothing. The rules
  // reported are those that say something of `wanted`. Never allocates.
  Match match(std::string_view path, Permissions wanted) const noexcept;

  // The same for a name that is one component whatever bytes it holds.
  Match match_name(std::string_view name, Permissions wanted) const noexcept;

  // Do the rules say the same of "X/n" whether X is the one path or the other, for all that n can
  // be? Told by how far the rules are matched: two rules that happen to say the same beneath
  // directories of their own count as different.
  bool same_beneath(std::string_view one, std::string_view other) const noexcept;

  // What rules other than `except` say of every path that `pattern` matches. It
  // may miss rules that cover it only together.
  Match cover(const PathPattern& pattern, Permissions wanted, RuleId except) const {
    return cover(pattern, wanted, except, nullptr);
  }

 private:
  using Index = std::uint32_t;

  // Literal bytes that a group of globs begins and ends with. Most names are turned away here: of
  // "user1-*" to "user99999-*" a name has the "-" of one length alone.
  struct Shape {
    bool may_begin(std::string_view name) const noexcept {
      return prefix == 0 || (last_bytes & bit(name[prefix - 1])) != 0;
    }
    static std::uint64_t bit(char byte) noexcept {
      return std::uint64_t{1} << (static_cast<unsigned char>(byte) % 64);
    }

    std::uint16_t prefix = 0;
    std::uint16_t suffix = 0;
    Index next = 0;
    std::uint64_t last_bytes = 0;  // the bits of what the prefixes end with
  };

  // What a rule says at a node.
  struct Entry {
    Permissions allow = kNone;
    Permissions deny = kNone;
    RuleId rule = kNoRule;
    Index next = 0;  // in entries_
  };

  // A short name, and the first entry, stand in the node itself: to visit one
  // is to touch one cache line, of one page.
  struct alignas(64) Node {
    static constexpr std::size_t kInline = 20;

    NodeId parent = 0;
    std::uint16_t prefix = 0;  // lengths of the texts; of a literal the name's is `prefix`
    std::uint16_t suffix = 0;
    std::uint16_t middle = 0;
    bool is_any_depth = false;
    bool has_literals : 1 = false;
    bool is_marked : 1 = false;      // by add_lead
    bool leads : 1 = false;          // from here, or to something beneath
    NodeId any_depth = 0;            // child "**"
    NodeId next_glob = 0;            // sibling with the same prefix and suffix
    Index shapes = 0;                // of the globs beneath
    Index text = 0;                  // in text_, when longer than kInline
    std::uint32_t only_literal = 0;  // hash of the one literal child's name; 0: several, or none
    Entry first;                     // says nothing when its rule is kNoRule
    char text_inline[kInline] = {};

    bool has_children() const { return has_literals || shapes != 0; }
  };

  // One component of a path that is being matched.
  struct Name {
    explicit Name(std::string_view name) : bytes(name), hash(hash_bytes(name)) {}
    std::string_view bytes;
    std::uint64_t hash;
  };
  struct Tally;
  template <typename Visit>
  class Walk;
  // Walks a canonical path; `beneath`: what is beneath it is asked about, not the path
  // itself. False: the path is not canonical.
  template <typename Visit>
  bool walk(Walk<Visit>& walk, std::string_view path, bool beneath) const noexcept;

  // A literal's name is all prefix.
  std::string_view prefix_of(const Node& node) const noexcept {
    return text_of(node, 0, node.prefix);
  }
  std::string_view suffix_of(const Node& node) const noexcept {
    return text_of(node, node.prefix, node.suffix);
  }
  std::string_view middle_of(const Node& node) const noexcept {
    return text_of(node, std::size_t{node.prefix} + node.suffix, node.middle);
  }
  std::string_view text_of(const Node& node, std::size_t from, std::size_t length) const noexcept {
    const std::size_t all = std::size_t{node.prefix} + node.suffix + node.middle;
    const char* text = all <= Node::kInline ? node.text_inline : text_.data() + node.text;
    return {text + from, length};
  }
  void set_text(Node& node, std::string_view prefix, std::string_view suffix,
                std::string_view middle);

  NodeId find_literal(NodeId parent, const Name& name) const noexcept;
  NodeId find_globs(NodeId parent, std::string_view prefix, std::string_view suffix,
                    std::uint64_t suffix_hash) const noexcept;
  template <typename Enter>
  void for_each_child(NodeId parent, const Name& name, Enter enter) const noexcept;
  template <typename Enter>
  void for_each_cover(NodeId parent, const Component& component, Enter enter) const;

  NodeId new_node(NodeId parent);
  NodeId child(NodeId parent, const Component& component);
  NodeId literal_child(NodeId parent, const std::string& name);
  NodeId glob_child(NodeId parent, const std::string& glob);
  NodeId insert(const PathPattern& pattern);
  Shape& shape_of(const Node& glob);
  std::string glob_text(const Node& node) const;
  void add_entry(NodeId id, Entry entry);
  PathPattern pattern_of(NodeId id) const;
  Match cover(const PathPattern& pattern, Permissions wanted, RuleId except,
              const Node* except_node) const;

  std::vector<Node> nodes_;
  std::vector<Entry> entries_;  // beyond a node's first; [0] is none
  std::vector<Shape> shapes_;   // [0] is none
  std::string text_;            // too long to stand in a node
  NodeTable literals_;
  NodeTable globs_;       // the first of those with the same prefix and suffix
  NodeTable glob_texts_;  // every glob by its text, until finish()
};

}  // namespace torno::policy
