// Sandboxes that functions of an application share: functions of the pool, made of their members.

#include <ranges>
#include <utility>

#include "application_sandbox.hpp"
#include "instance_pool.hpp"

namespace sockd {

// The next one has the code of all that share it now. One that nothing has changed for stays.
void InstancePool::renew_sandbox_of(const Function& member) {
  if (!shares_sandbox(*member.deployed)) return;
  const std::string name = sandbox_name(*member.deployed);
  std::vector<FunctionPtr> members;
  std::vector<DeployedPtr> deployed;
  for (const auto& each : functions_ | std::views::values) {
    const bool is_member = each->members.empty() && shares_sandbox(*each->deployed) &&
                           sandbox_name(*each->deployed) == name;
    if (!is_member) continue;
    members.push_back(each);
    deployed.push_back(each->deployed);
  }
  const auto found = functions_.find(name);
  const FunctionPtr before = found != functions_.end() ? found->second : nullptr;
  if (before && before->deployed->members == deployed) return;
  if (before) functions_.erase(found);
  if (!members.empty()) {
    for (const auto& each : members) ++each->sandboxes;
    functions_[name] = std::make_shared<Function>(
        Function{.deployed = sandbox_of(deployed, ++sandboxes_), .members = std::move(members)});
  }
  if (before) retire(before);
}

InstancePool::FunctionPtr InstancePool::home_of(const FunctionPtr& function) const {
  if (!shares_sandbox(*function->deployed)) return function;
  return functions_.at(sandbox_name(*function->deployed));
}

}  // namespace sockd
