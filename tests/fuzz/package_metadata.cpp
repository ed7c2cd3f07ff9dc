// What a package says of itself: its file's name, RECORD, METADATA and control, requirements and
// their markers, versions. The first byte chooses.

#include "cache/marker.hpp"
#include "cache/metadata.hpp"
#include "cache/requirement.hpp"
#include "cache/selection.hpp"
#include "cache/version.hpp"
#include "cache/wheel_name.hpp"
#include "cache/wheel_record.hpp"
#include "input.hpp"

namespace sock::fuzz {
namespace {

void read_wheel_name(Input& input) {
  const auto name = cache::parse_wheel_name(input.line());
  if (!name) return;
  const auto abi = cache::abi_of_tags(name->tags, "x.whl");
  if (abi) expect(abi->find_first_of("/@") == std::string::npos, "an ABI can be in a file's name");
  const auto place = cache::place_in_wheel(std::string{input.rest()}, name->package);
  if (place) expect(!place->starts_with('/'), "a place is in the package");
}

void read_record(std::string_view text) {
  const auto files = cache::parse_wheel_record(text);
  if (!files) return;
  for (const auto& file : *files) expect(!file.path.empty(), "a recorded file has a path");
}

void read_metadata(std::string_view text) {
  const auto metadata = cache::Metadata::parse(text, "METADATA");
  if (!metadata) return;
  const auto package = cache::package_in(*metadata, "METADATA");
  if (package) expect(!package->version.empty(), "a package has a version");
  for (const auto& line : metadata->all("Requires-Dist"))
    static_cast<void>(cache::parse_requirement(line));
  for (const auto& name : cache::python_packages_in(metadata->first("Depends")))
    expect(name.starts_with("python3-"), "only packages for Python are kept");
}

void read_requirement(Input& input) {
  const auto requirement = cache::parse_requirement(input.line());
  if (!requirement) return;
  const std::string version{input.rest()};
  const bool allowed = cache::allows(requirement->specifiers, version);
  if (requirement->specifiers.empty()) expect(allowed, "without specifiers any version will do");
  if (!requirement->marker.empty()) static_cast<void>(cache::holds(requirement->marker, "3.11"));
}

void compare_versions(Input& input) {
  const auto a = input.line();
  const auto b = input.line();
  const auto c = input.line();
  const auto order = cache::compare_versions(a, b);
  expect(cache::compare_versions(a, a) == 0, "a version is itself");
  expect((cache::compare_versions(b, a) < 0) == (order > 0), "the order has two sides");
  if (order < 0 && cache::compare_versions(b, c) < 0)
    expect(cache::compare_versions(a, c) < 0, "the order goes on");
}

// Packages line by line, "NAME VERSION: REQUIREMENT", of which the first is asked for.
void select(Input& input) {
  constexpr std::size_t most = 32;
  std::vector<CachedPackage> cached;
  while (!input.empty() && cached.size() < most) {
    const auto line = input.line();
    const auto colon = std::min(line.find(':'), line.size());
    const auto package = Package::parse(line.substr(0, colon));
    if (!package || package->version.empty()) continue;
    cached.push_back({.package = *package, .abi = "none-any"});
    if (colon < line.size()) cached.back().dependencies.emplace_back(line.substr(colon + 1));
  }
  if (cached.empty()) return;
  const auto chosen =
      cache::select_packages(cached, {.packages = {cached.front().package}, .python = "3.11"});
  if (!chosen) return;
  for (std::size_t i = 0; i < chosen->size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      expect(cached[chosen->at(i)].package.name != cached[chosen->at(j)].package.name,
             "no package twice");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sock::fuzz::Input input{data, size};
  switch (input.choice(6)) {
    case 0:
      sock::fuzz::read_wheel_name(input);
      break;
    case 1:
      sock::fuzz::read_record(input.rest());
      break;
    case 2:
      sock::fuzz::read_metadata(input.rest());
      break;
    case 3:
      sock::fuzz::read_requirement(input);
      break;
    case 4:
      sock::fuzz::compare_versions(input);
      break;
    default:
      sock::fuzz::select(input);
  }
  return 0;
}
