// Measured import costs from Forklift's packages.json.

#include <cmath>

#include "sock/zygote_plan.hpp"

#include "base/try.hpp"
#include "zygote/tree_json.hpp"

namespace sock {
namespace {

using zygote::corrupt;

constexpr zygote::JsonBounds bounds{.bytes = 64UL << 20U, .depth = 16};
constexpr double bytes_per_mb = 1 << 20;

// Measurements of nothing come out slightly negative. More than a day or a terabyte is no
// measurement.
Result<double> amount_of(const nlohmann::json* cost, const char* name, double most,
                         const std::string& what) {
  const auto* member = cost != nullptr ? zygote::find_member(*cost, name) : nullptr;
  if (member == nullptr) return 0.0;
  if (!member->is_number()) return corrupt(what, std::string{"\""} + name + "\" is no number");
  const auto amount = member->get<double>();
  if (!std::isfinite(amount) || amount > most)
    return corrupt(what, std::string{"\""} + name + "\" is out of range");
  return std::max(amount, 0.0);
}

Result<PackageCost> cost_of(const nlohmann::json& value, const std::string& what) {
  if (!value.is_object()) return corrupt(what, "a version is an object");
  const auto* cost = zygote::find_member(value, "cost");
  const auto ms = SOCK_TRY(amount_of(cost, "ms", 86.4e6, what));
  PackageCost parsed;
  parsed.time = ImportTime{ms};
  const auto mb = SOCK_TRY(amount_of(cost, "mb", 1e6, what));
  parsed.memory = static_cast<std::uint64_t>(mb * bytes_per_mb);
  parsed.modules = SOCK_TRY(zygote::texts_of(value, "top", what));
  return parsed;
}

}  // namespace

Result<ImportCosts> parse_import_costs(std::string_view json) {
  const auto file = SOCK_TRY(zygote::parse_json(json, bounds, "import costs"));
  if (!file.is_object()) return corrupt("import costs", "an object with a member for each package");
  ImportCosts costs;
  for (const auto& [name, value] : file.items()) {
    const auto* versions = zygote::find_member(value, "versions");
    if (versions == nullptr || !versions->is_object())
      return corrupt("package \"" + name + "\"", "it has no \"versions\"");
    for (const auto& [version, described] : versions->items()) {
      auto package = Package::parse(name + "==" + version);
      if (!package.has_value()) return corrupt(package.error().subject, package.error().hint);
      auto cost = SOCK_TRY(cost_of(described, package->to_string()));
      costs.insert_or_assign(std::move(*package), std::move(cost));
    }
  }
  return costs;
}

}  // namespace sock
