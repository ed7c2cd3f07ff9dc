// Joining what functions need.

#include "application_sandbox.hpp"

#include <algorithm>

namespace sockd {
namespace {

void add_binds(sock::Rootfs& root, const sock::Rootfs& more) {
  for (const auto& bind : more.binds)
    if (std::ranges::find(root.binds, bind.target, &sock::Bind::target) == root.binds.end())
      root.binds.push_back(bind);
}

void add_member(Deployed& sandbox, const DeployedPtr& member) {
  const StoredFunction& stored = member->stored;
  FunctionSpec& spec = sandbox.stored.spec;
  spec.memory = std::max(spec.memory, stored.spec.memory);
  spec.timeout = std::max(spec.timeout, stored.spec.timeout);
  spec.concurrency = std::max(spec.concurrency, stored.spec.concurrency);
  add_binds(sandbox.rootfs, member->rootfs);
  sandbox.rootfs.binds.push_back({.source = stored.code, .target = "/functions/" + stored.name});
  for (const auto& package : member->declared)
    if (std::ranges::find(sandbox.declared, package) == sandbox.declared.end())
      sandbox.declared.push_back(package);
  sandbox.members.push_back(member);
}

// Whether it is asked for in several versions: a process can have imported only one.
bool is_ambiguous(const sock::Package& package, const std::vector<sock::Package>& all) {
  return std::ranges::count(all, package.name, &sock::Package::name) > 1;
}

}  // namespace

std::string sandbox_name(const std::string& application) {
  return ":" + application;
}

bool shares_sandbox(const Deployed& function) {
  return function.stored.spec.sandbox == FunctionSpec::Sandbox::application;
}

DeployedPtr sandbox_of(std::span<const DeployedPtr> members, std::uint64_t version) {
  const std::string& application = members.front()->stored.spec.application;
  FunctionSpec spec{.handler = {}, .memory = 0, .concurrency = 1};
  spec.timeout = {};
  spec.application = application;
  spec.sandbox = FunctionSpec::Sandbox::application;
  Deployed sandbox{.stored = {.name = sandbox_name(application),
                              .version = version,
                              .spec = std::move(spec),
                              .code = {},
                              .updated = {}}};
  sandbox.rootfs.base = members.front()->rootfs.base;
  for (const auto& member : members) add_member(sandbox, member);
  // Then each event imports what its function declares: a zygote of either would have the other's.
  if (std::ranges::any_of(sandbox.declared, [&](const sock::Package& each) {
        return is_ambiguous(each, sandbox.declared);
      }))
    sandbox.declared.clear();
  return std::make_shared<const Deployed>(std::move(sandbox));
}

}  // namespace sockd
