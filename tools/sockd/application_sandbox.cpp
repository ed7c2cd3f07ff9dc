// Joining what functions need.

#include "application_sandbox.hpp"

#include <algorithm>
#include <vector>

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
  sandbox.members.push_back(member);
}

}  // namespace

bool shares_sandbox(const Deployed& function) {
  return function.stored.spec.sandbox == FunctionSpec::Sandbox::application;
}

std::string sandbox_name(const Deployed& function) {
  std::vector<std::string> packages;
  for (const auto& package : function.declared) packages.push_back(package.to_string());
  std::ranges::sort(packages);
  std::string name = ":" + function.stored.spec.application;
  for (const auto& package : packages) name += " " + package;
  return name;
}

DeployedPtr sandbox_of(std::span<const DeployedPtr> members, std::uint64_t version) {
  const Deployed& one = *members.front();
  FunctionSpec spec{.handler = {}, .memory = 0, .concurrency = 1};
  spec.timeout = {};
  spec.application = one.stored.spec.application;
  spec.sandbox = FunctionSpec::Sandbox::application;
  Deployed sandbox{.stored = {.name = sandbox_name(one),
                              .version = version,
                              .spec = std::move(spec),
                              .code = {},
                              .updated = {}}};
  sandbox.rootfs.base = one.rootfs.base;
  sandbox.declared = one.declared;
  for (const auto& member : members) add_member(sandbox, member);
  return std::make_shared<const Deployed>(std::move(sandbox));
}

}  // namespace sockd
