// Numbering the packages of a workload.

#include "zygote/package_table.hpp"

#include <set>

namespace sock::zygote {
namespace {

bool imports_nothing(const PackageCost& cost) {
  return cost.modules.empty() && cost.time <= ImportTime{} && cost.memory == 0;
}

}  // namespace

PackageTable::PackageTable(const ImportCosts& costs, std::span<const WorkloadFunction> workload) {
  std::set<Package> used;
  for (const auto& function : workload)
    used.insert(function.requirements.begin(), function.requirements.end());
  for (const auto& package : used) {
    const auto cost = costs.find(package);
    if (cost != costs.end() && imports_nothing(cost->second)) continue;
    packages_.push_back(package);
    // Of what was never measured, a zygote must still not import more than was declared.
    costs_.push_back(cost != costs.end() ? cost->second : PackageCost{});
  }
  // Sorted: the versions of a package stand side by side.
  for (std::size_t first = 0; first < size();) {
    auto versions = none();
    std::size_t next = first;
    for (; next < size() && packages_[next].name == packages_[first].name; ++next)
      versions.insert(next);
    if (next - first > 1) versions_.push_back(std::move(versions));
    first = next;
  }
}

PackageSet PackageTable::set_of(std::span<const Package> requirements) const {
  auto set = none();
  for (const auto& package : requirements) {
    const auto place = std::ranges::lower_bound(packages_, package);
    if (place != packages_.end() && *place == package)
      set.insert(static_cast<std::size_t>(place - packages_.begin()));
  }
  return set;
}

double PackageTable::milliseconds(const PackageSet& set) const {
  double total = 0;
  set.for_each([&](std::size_t number) { total += costs_[number].time.count(); });
  return total;
}

double PackageTable::bytes(const PackageSet& set) const {
  double total = 0;
  set.for_each([&](std::size_t number) { total += static_cast<double>(costs_[number].memory); });
  return total;
}

bool PackageTable::is_consistent(const PackageSet& set) const {
  return std::ranges::all_of(versions_, [&](const PackageSet& v) { return (set & v).size() <= 1; });
}

}  // namespace sock::zygote
