// Names of packages, measured costs and workloads, which all come from tenants' files.
// Input: which of them, then its text.

#include <cmath>

#include "sock/zygote_plan.hpp"

#include "input.hpp"

namespace sock::fuzz {
namespace {

void check_package(const Package& package) {
  const auto again = Package::parse(package.to_string());
  expect(again && *again == package, "a package is what its text says");
}

void read_costs(std::string_view text) {
  const auto costs = parse_import_costs(text);
  if (!costs) return;
  for (const auto& [package, cost] : *costs) {
    check_package(package);
    expect(std::isfinite(cost.time.count()) && cost.time.count() >= 0, "times are times");
    expect(cost.memory <= std::uint64_t{1} << 40U, "memory has its bound");
  }
}

void read_workload(std::string_view text) {
  const auto functions = parse_workload(text);
  if (!functions) return;
  for (const auto& function : *functions) {
    expect(function.calls >= 0, "calls are counted");
    for (const auto& package : function.requirements) {
      check_package(package);
      expect(!package.version.empty(), "requirements have a version");
    }
  }
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sock::fuzz::Input input{data, size};
  switch (input.choice(3)) {
    case 0:
      if (const auto package = sock::Package::parse(input.rest()))
        sock::fuzz::check_package(*package);
      break;
    case 1:
      sock::fuzz::read_costs(input.rest());
      break;
    default:
      sock::fuzz::read_workload(input.rest());
  }
  return 0;
}
