// Editing specs.

#include "zygote/cached_spec.hpp"

#include <algorithm>

#include "wire/runtime_target.hpp"

namespace sock::zygote {
namespace {

constexpr std::string_view search_path = "PYTHONPATH=";

void add_to_search_path(std::vector<std::string>& env, const std::string& directory) {
  const auto place = std::ranges::find_if(
      env, [](const std::string& variable) { return variable.starts_with(search_path); });
  if (place == env.end()) {
    env.push_back(std::string{search_path} + directory);
  } else {
    if (place->size() > search_path.size()) place->push_back(':');
    place->append(directory);
  }
}

bool needs_runtime(const std::vector<std::string>& argv) {
  return argv.size() >= 3 && argv[1] == "-m" && argv[2] == "sock_handler";
}

}  // namespace

ContainerSpec with_packages(const ContainerSpec& spec, std::span<const Package> declared,
                            const std::map<Package, std::string>& paths) {
  ContainerSpec whole = spec;
  for (const auto& package : declared)
    if (const auto path = paths.find(package); path != paths.end())
      add_to_search_path(whole.env, path->second);
  return whole;
}

ContainerSpec as_created(ContainerSpec spec, const ZygoteDomainSpec& domain,
                         const std::string& runtime) {
  if (needs_runtime(spec.argv)) {
    spec.rootfs.binds.push_back({.source = runtime, .target = wire::runtime_target});
    add_to_search_path(spec.env, wire::runtime_target);
  }
  if (!spec.argv.empty()) spec.argv.erase(spec.argv.begin());
  spec.argv.insert(spec.argv.begin(), domain.interpreter.begin(), domain.interpreter.end());
  const bool has_path = std::ranges::any_of(
      spec.env, [](const std::string& variable) { return variable.starts_with("PATH="); });
  if (!has_path) spec.env.emplace_back("PATH=/usr/local/bin:/usr/bin:/bin");
  spec.namespaces.user = domain.user;
  return spec;
}

}  // namespace sock::zygote
