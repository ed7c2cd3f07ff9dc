// Workloads from Forklift's w1.json: functions with their pinned requirements, and their calls.

#include <unordered_map>

#include "sock/zygote_plan.hpp"

#include "base/try.hpp"
#include "zygote/tree_json.hpp"

namespace sock {
namespace {

using zygote::corrupt;

constexpr zygote::JsonBounds bounds{.bytes = 256UL << 20U, .depth = 16};
constexpr std::size_t most_functions = 100'000;

// A line of a requirements file up to its comment, its environment marker or its options.
std::string_view requirement_on(std::string_view line) {
  line = line.substr(0, line.find_first_of("#;"));
  const auto start = line.find_first_not_of(" \t\r");
  if (start == std::string_view::npos) return {};
  line.remove_prefix(start);
  return line.substr(0, line.find_first_of(" \t\r\\"));
}

std::vector<Package> requirements_in(std::string_view text) {
  std::vector<Package> packages;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = requirement_on(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    auto package = Package::parse(line);
    if (package.has_value() && !package->version.empty()) packages.push_back(std::move(*package));
    if (packages.size() >= ImportTree::most_packages) break;
  }
  return packages;
}

Result<WorkloadFunction> function_of(const nlohmann::json& value, const std::string& place) {
  const auto* meta = zygote::find_member(value, "meta");
  if (meta == nullptr) return corrupt(place, "it has no \"meta\"");
  WorkloadFunction function;
  function.name = SOCK_TRY(zygote::text_of(value, "name", place));
  const auto requirements = SOCK_TRY(zygote::text_of(*meta, "requirements_txt", place));
  function.requirements = requirements_in(requirements);
  function.modules = SOCK_TRY(zygote::texts_of(*meta, "import_mods", place));
  return function;
}

Result<> count_calls(const nlohmann::json& calls, std::vector<WorkloadFunction>& functions) {
  if (!calls.is_array()) return corrupt("workload", "\"calls\" is no list");
  std::unordered_map<std::string, WorkloadFunction*> by_name;
  for (auto& function : functions) {
    function.calls = 0;
    by_name.emplace(function.name, &function);
  }
  for (const auto& call : calls) {
    const auto name = SOCK_TRY(zygote::text_of(call, "name", "a call"));
    const auto called = by_name.find(name);
    if (called == by_name.end()) return corrupt("call of \"" + name + "\"", "no such function");
    called->second->calls += 1;
  }
  return {};
}

}  // namespace

Result<std::vector<WorkloadFunction>> parse_workload(std::string_view json) {
  const auto file = SOCK_TRY(zygote::parse_json(json, bounds, "workload"));
  const auto* listed = zygote::find_member(file, "funcs");
  if (listed == nullptr || !listed->is_array())
    return corrupt("workload", "\"funcs\" is a list of functions");
  if (listed->size() > most_functions) return corrupt("workload", "too many functions");
  std::vector<WorkloadFunction> functions;
  for (const auto& value : *listed) {
    const auto place = "funcs[" + std::to_string(functions.size()) + "]";
    auto function = SOCK_TRY(function_of(value, place));
    functions.push_back(std::move(function));
  }
  if (const auto* calls = zygote::find_member(file, "calls"))
    SOCK_TRY(count_calls(*calls, functions));
  return functions;
}

}  // namespace sock
