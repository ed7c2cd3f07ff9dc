// The interpreter's container, and what becomes of its failures.

#include "package_compiler.hpp"

#include "package_cache.hpp"
#include "report.hpp"
#include "state_dir.hpp"
#include "terminal.hpp"

namespace sockctl {
namespace {

// What it compiles may be hostile. A module of a megabyte takes some hundred to compile; a larger
// file of bytecode would not be taken over anyway.
constexpr const char* address_space = "as=4294967296";
constexpr const char* file_size = "fsize=67108864";

}  // namespace

Result<PackageCompiler> PackageCompiler::open(const Globals& globals, const RunOptions& given) {
  const auto state = SOCKCTL_TRY(state_dir(globals));
  const auto settings = SOCKCTL_TRY(host_options(globals, state));
  const auto caller = current_caller();
  RunOptions options = SOCKCTL_TRY(resolve(given, caller));
  options.name = SOCKCTL_TRY(random_name());
  options.command = {"python3"};
  options.rlimits = {address_space, file_size};
  auto launch = SOCKCTL_TRY(prepare_launch(options, caller));
  auto python = SOCKCTL_TRY(python_of(options, launch.spec.rootfs.base));
  launch.spec.argv = {"python" + python};
  auto host = SOCKCTL_TRY(sock::Host::open(settings));
  return PackageCompiler{std::move(host), std::move(launch), std::move(python)};
}

Result<sock::CachedPackage> PackageCompiler::compile(sock::PackageCache& cache,
                                                     const sock::CachedPackage& package) {
  if (is_terminal(sock::FdRef{2}))
    complain("compiling " + package.package.to_string() + " for Python " + python_);
  return cache.compile(host_, package, {.container = launch_.spec, .python = python_});
}

std::vector<sock::CachedPackage> compile_for_machine(const Globals& globals,
                                                     sock::PackageCache& cache,
                                                     std::vector<sock::CachedPackage> packages) {
  const RunOptions machine{};
  if (packages.empty() || !python_of(machine, machine.image).has_value()) return packages;
  auto compiler = PackageCompiler::open(globals, machine);
  if (!compiler.has_value()) {
    complain("not compiled: " + describe(compiler.error()));
    return packages;
  }
  for (auto& package : packages) {
    auto compiled = compiler->compile(cache, package);
    if (compiled.has_value())
      package = std::move(*compiled);
    else if (compiled.error().code != Errc::unsupported)  // That is for another interpreter.
      complain("not compiled: " + package.package.to_string() + ": " + describe(compiled.error()));
  }
  return packages;
}

}  // namespace sockctl
