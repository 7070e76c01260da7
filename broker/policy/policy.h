// Policy: a compiled, immutable set of rules; decide is pure (no I/O, no clock, no allocation)
// and may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/policy/endpoint.h"
#include "broker/policy/file_identity.h"
#include "broker/policy/permission.h"
#include "broker/policy/verdict.h"
#include "proto/policy.pb.h"

namespace torno::policy {

class FileRules;  // the automaton over paths
class ConnectRules;

class Policy {
 public:
  Policy(PolicyFile merged, std::vector<SyscallPlaces> syscall_places,
         std::unique_ptr<const FileRules> files, std::unique_ptr<const ConnectRules> connect,
         std::vector<FileIdentity> read_from);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

  // May `wanted` be had of the object at `path`? The path is canonical: absolute, without
  // "." or ".." or empty components or symlinks, "/" for the root.
  Verdict decide_file(std::string_view path, Permissions wanted) const noexcept;

  // All that may be had of the object at `path`.
  Permissions permissions(std::string_view path) const noexcept;

  // Would a directory and all that may ever be in it be decided about alike at both paths? A
  // directory that is moved between two such paths gains no permission.
  bool same_beneath(std::string_view one, std::string_view other) const noexcept;

  Verdict decide_connect(const Endpoint& endpoint) const noexcept;

  // Was the policy read from this file, itself or by an include? Whoever writes it chooses what the
  // policy allows when it is loaded again; so nobody does under the policy, whatever its name.
  bool is_read_from(const FileIdentity& file) const noexcept;

  // Which socket families a connect rule needs, so that the filter lets no other be made.
  bool connects_ipv4() const;
  bool connects_ipv6() const;
  bool connects_unix() const;

  const std::string& name() const { return merged_.name(); }

  // No other policy of this process ever has the same; never 0.
  std::uint64_t serial() const { return serial_; }

  // All files of the policy merged into one message, variables replaced: what filter, limits
  // and walls are made from.
  const PolicyFile& merged() const { return merged_; }

  // Where merged().file(i) stands.
  const RuleSource& file_place(int index) const;

  // Where merged().syscall(i) stands.
  const SyscallPlaces& syscall_places(int index) const {
    return syscall_places_[static_cast<std::size_t>(index)];
  }

 private:
  const std::uint64_t serial_;
  PolicyFile merged_;
  std::vector<SyscallPlaces> syscall_places_;
  std::unique_ptr<const FileRules> files_;
  std::unique_ptr<const ConnectRules> connect_;
  const std::vector<FileIdentity> read_from_;
};

using PolicyPtr = std::shared_ptr<const Policy>;

// Policies stacked by torno_enter inside a sandbox: the verdict is the intersection.
class PolicyStack {
 public:
  PolicyStack() = default;
  explicit PolicyStack(PolicyPtr first) { push(std::move(first)); }
  void push(PolicyPtr policy) { policies_.push_back(std::move(policy)); }

  Verdict decide_file(std::string_view path, Permissions wanted) const noexcept;
  Permissions permissions(std::string_view path) const noexcept;
  bool same_beneath(std::string_view one, std::string_view other) const noexcept;
  Verdict decide_connect(const Endpoint& endpoint) const noexcept;
  bool is_read_from(const FileIdentity& file) const noexcept;  // one of them

  std::span<const PolicyPtr> policies() const { return policies_; }
  // The serial of the policy that decides alone, or 0: there are several, or none.
  std::uint64_t serial() const { return policies_.size() == 1 ? policies_.front()->serial() : 0; }
  std::string name() const;  // names joined by '+'

 private:
  std::vector<PolicyPtr> policies_;
};

}  // namespace torno::policy
