// Imports as zygotes do them.

#include "zygote/importing.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "sys/process.hpp"

namespace sock::zygote {
namespace {

using std::chrono::steady_clock;

std::uint64_t anonymous_memory(const Zygote& zygote) {
  const auto memory = zygote.memory();
  return memory.has_value() ? memory->anonymous : 0;
}

/// What the interpreter has said is the subject, of what it could not say the hint.
std::string reason_of(const Error& error) {
  return error.hint.empty() ? error.subject : error.subject + ": " + error.hint;
}

std::vector<std::string> paths_of(const Package& package, const PackageKnowledge& known) {
  const auto path = known.paths.find(package);
  return path != known.paths.end() ? std::vector{path->second} : std::vector<std::string>{};
}

}  // namespace

std::vector<std::string> modules_of(const Package& package, const PackageKnowledge& known) {
  if (const auto cost = known.costs.find(package); cost != known.costs.end())
    return cost->second.modules;
  if (const auto told = known.modules.find(package); told != known.modules.end())
    return told->second;
  std::string module = package.name;
  std::ranges::replace(module, '-', '_');
  return {std::move(module)};
}

ImportSpec imports_of(const ImportNode& node, const PackageKnowledge& known,
                      std::chrono::milliseconds deadline) {
  ImportSpec imports{.modules = node.modules, .deadline = deadline};
  for (const auto& package : node.packages) {
    std::ranges::move(paths_of(package, known), std::back_inserter(imports.paths));
    if (node.modules.empty())
      std::ranges::move(modules_of(package, known), std::back_inserter(imports.modules));
  }
  return imports;
}

Result<OneByOne> import_one_by_one(Zygote& parent, const ImportNode& node,
                                   const PackageKnowledge& known,
                                   std::chrono::milliseconds deadline) {
  // One may import another that comes later.
  std::vector<std::string> paths;
  for (const auto& package : node.packages)
    std::ranges::move(paths_of(package, known), std::back_inserter(paths));
  Zygote bare = SOCK_TRY(parent.grow({.modules = {}}));
  OneByOne done{.zygote = std::move(bare)};
  const auto end = sys::deadline_in(deadline);
  std::uint64_t before = anonymous_memory(done.zygote);
  for (const auto& package : node.packages) {
    const auto left = std::chrono::floor<std::chrono::milliseconds>(end - steady_clock::now());
    if (left.count() <= 0) {
      if (!done.unfit.empty()) break;  // One of those took it all; the others are no worse for it.
      return base::refuse(Errc::timed_out, Stage::import_modules, package.to_string(),
                          "the packages before it took all the time of their node");
    }
    auto child =
        done.zygote.grow({.modules = modules_of(package, known), .paths = paths, .deadline = left});
    if (!child.has_value()) {
      // Not for what a package has done by itself: its parent has died.
      if (sys::wait_readable(done.zygote.pidfd(), sys::deadline_in({})).value_or(true))
        return std::unexpected(std::move(child).error());
      done.unfit.emplace_back(package, reason_of(child.error()));
      continue;
    }
    const ImportTime time = child->import_time();
    const std::uint64_t after = anonymous_memory(*child);
    done.import_time += time;
    done.measured[package] = {.time = time,
                              .memory = after - std::min(before, after),
                              .modules = modules_of(package, known)};
    before = after;
    done.zygote = std::move(*child);
  }
  return done;
}

}  // namespace sock::zygote
