// From the best zygote that there is.

#include "starter.hpp"

#include <algorithm>
#include <ranges>

#include <fmt/format.h>

#include "package_cache.hpp"
#include "posix.hpp"
#include "socket_pair.hpp"

namespace sockd {
namespace {

constexpr const char* code_place = "/handler";
constexpr std::uint32_t most_processes = 256;
constexpr std::uint64_t most_files = 1024;

Result<Packages> choose_packages(const StoredFunction& function, const StarterOptions& options) {
  if (function.spec.packages.empty()) return Packages{};
  const auto cache = SOCKCTL_TRY(sockctl::open_package_cache(options.package_cache));
  sock::PackageRequest request{.packages = function.spec.packages, .python = {}};
  request.python = SOCKCTL_TRY(sockctl::python_of({}, std::string{sock::host_image}));
  auto used = SOCKCTL_TRY(cache.use(request));
  return std::make_shared<const sock::PackagesInUse>(std::move(used));
}

/// The top modules of each package, and below them what the function names.
Result<Modules> modules_of(const sock::PackagesInUse& used, const FunctionSpec& spec) {
  Modules modules;
  for (const auto& each : used.packages()) {
    auto& names = modules[each.package];
    names = SOCKCTL_TRY(used.modules(each));
    const std::vector<std::string> top = names;
    for (const auto& module : spec.imports)
      if (std::ranges::find(top, module.substr(0, module.find('.'))) != top.end() &&
          std::ranges::find(names, module) == names.end())
        names.push_back(module);
  }
  return modules;
}

std::vector<std::string> command_of(const FunctionSpec& spec) {
  std::vector<std::string> argv{"python3", "-m", "sock_handler", "--calls"};
  if (spec.wsgi) argv.emplace_back("--wsgi");
  argv.push_back(spec.handler);
  return argv;
}

std::string how(const sock::CachedStart& start) {
  if (start.zygote.empty()) return "created";
  return start.from_snapshot ? "snapshot" : "zygote";
}

}  // namespace

Starter::Starter(sock::Host& host, StarterOptions options)
    : host_{&host}, options_{std::move(options)} {}

Result<DeployedPtr> Starter::deploy(StoredFunction function) {
  if (function.spec.memory > options_.memory_max)
    return sockctl::refuse(
        Errc::invalid_spec, Stage::validate, "memory",
        fmt::format("at most {}, which is for all instances", options_.memory_max));
  auto deployed = std::make_shared<Deployed>(Deployed{.stored = std::move(function)});
  deployed->rootfs.base = sock::host_image;
  deployed->env = deployed->stored.spec.env;
  deployed->packages = SOCKCTL_TRY(choose_packages(deployed->stored, options_));
  if (deployed->packages) {
    SOCKCTL_TRY(deployed->packages->declare(deployed->rootfs, deployed->env));
    deployed->modules = SOCKCTL_TRY(modules_of(*deployed->packages, deployed->stored.spec));
    for (const auto& each : deployed->packages->packages())
      deployed->declared.push_back(each.package);
  }
  SOCKCTL_TRY(provide_realm(deployed->stored.spec.application, *deployed));
  deployed->rootfs.handler = deployed->stored.code;
  return deployed;
}

// A new one sees what the old one saw, which goes with the last instance from it.
Result<> Starter::provide_realm(const std::string& application, const Deployed& function) {
  const auto before = find_realm(application);
  if (before && before->covers(function.rootfs.binds, function.modules)) return {};
  RealmSpec spec{.name = fmt::format("zygotes-{}", opened_++),
                 .rootfs = function.rootfs,
                 .packages = {},
                 .modules = function.modules,
                 .memory_max = options_.zygote_memory};
  if (before) {
    spec.rootfs = joined(before->spec().rootfs, function.rootfs);
    spec.packages = before->spec().packages;
    spec.modules = joined(before->spec().modules, function.modules);
    spec.tree = before->tree();
  }
  if (function.packages) spec.packages.push_back(function.packages);
  auto realm = SOCKCTL_TRY(Realm::open(*host_, std::move(spec)));
  const std::scoped_lock lock{mutex_};
  realms_[application] = std::move(realm);
  return {};
}

Result<StartedInstance> Starter::start(const Deployed& function) {
  auto channel = SOCKCTL_TRY(make_socket_pair());
  auto output = SOCKCTL_TRY(sockctl::make_pipe());
  const auto& stored = function.stored;
  sock::ContainerSpec spec{.name = fmt::format("fn-{}-{}", stored.name.substr(0, 32), instances_++),
                           .rootfs = function.rootfs,
                           .argv = command_of(stored.spec),
                           .env = function.env,
                           .cwd = code_place};
  spec.resources = {.memory_max = stored.spec.memory, .pids_max = most_processes};
  spec.rlimits = {{.name = "nofile", .value = most_files}};  // Ours is for all of them.
  spec.stdio = {.in = {}, .out = output.writer, .err = output.writer};
  spec.fds = {{.name = "channel", .fd = channel.theirs}};
  spec.init = sock::Init::none;
  const auto realm = find_realm(stored.spec.application);  // deploy() has made one.
  auto start = SOCKCTL_TRY(realm->fork(spec, function.declared));
  return StartedInstance{.realm = realm,
                         .container = std::move(start.container),
                         .channel = std::move(channel.ours),
                         .output = std::move(output.reader),
                         .path = how(start),
                         .zygote = start.zygote,
                         .fallback = start.fallback};
}

std::shared_ptr<Realm> Starter::find_realm(const std::string& application) const {
  const std::scoped_lock lock{mutex_};
  const auto found = realms_.find(application);
  return found != realms_.end() ? found->second : nullptr;
}

std::vector<std::shared_ptr<Realm>> Starter::realms() const {
  const std::scoped_lock lock{mutex_};
  std::vector<std::shared_ptr<Realm>> all;
  for (const auto& realm : realms_ | std::views::values) all.push_back(realm);
  return all;
}

}  // namespace sockd
