#pragma once

// The packages of a workload, numbered in their order, with what importing them costs. Packages
// that are known to have no modules and no cost are not in it: a zygote has nothing to import of
// them.

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "sock/zygote_plan.hpp"

#include "zygote/package_set.hpp"

namespace sock::zygote {

class PackageTable {
 public:
  PackageTable(const ImportCosts& costs, std::span<const WorkloadFunction> workload);

  [[nodiscard]] std::size_t size() const { return packages_.size(); }
  [[nodiscard]] const Package& package(std::size_t number) const { return packages_[number]; }
  [[nodiscard]] const PackageCost& cost(std::size_t number) const { return costs_[number]; }
  [[nodiscard]] PackageSet none() const { return PackageSet{size()}; }
  [[nodiscard]] PackageSet set_of(std::span<const Package> requirements) const;

  [[nodiscard]] double milliseconds(const PackageSet& set) const;
  [[nodiscard]] double bytes(const PackageSet& set) const;
  /// No package is in it in two versions.
  [[nodiscard]] bool is_consistent(const PackageSet& set) const;

 private:
  std::vector<Package> packages_;
  std::vector<PackageCost> costs_;
  std::vector<PackageSet> versions_;  ///< Of each package that occurs in several.
};

}  // namespace sock::zygote
