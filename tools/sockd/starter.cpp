// From the best zygote that there is.

#include "starter.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <ranges>
#include <span>

#include <fmt/format.h>

#include "application_sandbox.hpp"
#include "package_cache.hpp"
#include "posix.hpp"
#include "socket_pair.hpp"

namespace sockd {
namespace {

constexpr const char* code_place = "/handler";
constexpr const char* no_application = ".none";  // No application has this name.
constexpr std::uint32_t most_processes = 256;
constexpr std::uint64_t most_files = 1024;

std::string directory_name(const std::string& application) {
  return application.empty() ? no_application : application;
}

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

std::string object_of(const FunctionSpec& spec) {
  return fmt::format("{}/{}", code_place, spec.handler);
}

/// That which the handler names must be there, and be what it is taken for.
Result<> check_file(const StoredFunction& function) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto status = fs::symlink_status(fs::path{function.code} / function.spec.handler, ignored);
  const bool must_run = function.spec.runtime == FunctionRuntime::exec;
  const char* why = nullptr;
  if (!fs::is_regular_file(status))
    why = "there is no such file in the directory";
  else if (must_run && (status.permissions() & fs::perms::owner_exec) == fs::perms::none)
    why = "it is not executable";
  if (why == nullptr) return {};
  return sockctl::refuse(Errc::invalid_spec, Stage::validate,
                         "handler " + sock::printable(function.spec.handler), why);
}

/// Whether a path is that one, or below it.
bool is_below(const std::string& path, const std::string& top) {
  return path == top || path.starts_with(top.ends_with('/') ? top : top + "/");
}

// Whoever may register functions may not, for that, read all of the machine.
Result<> resolve(WatchedDirectory& directory, const std::vector<std::string>& allowed) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const std::string path = fs::canonical(directory.path, failed);
  const bool may_be = !failed && std::ranges::any_of(allowed, [&](const std::string& each) {
    std::error_code ignored;
    return is_below(path, fs::weakly_canonical(each, ignored));
  });
  if (!may_be)
    return sockctl::refuse(
        Errc::denied, Stage::validate, "directory " + sock::printable(directory.path),
        failed ? failed.message() : "it is not below what `watch` of the settings names");
  directory.path = path;
  return {};
}

std::vector<std::string> command_of(const FunctionSpec& spec) {
  if (spec.runtime == FunctionRuntime::native) return {object_of(spec)};
  if (spec.runtime == FunctionRuntime::exec) {
    std::vector<std::string> argv{object_of(spec)};
    argv.insert(argv.end(), spec.arguments.begin(), spec.arguments.end());
    return argv;
  }
  if (spec.sandbox == FunctionSpec::Sandbox::application)
    return {"python3", "-m", "sock_handler", "--apart"};
  std::vector<std::string> argv{"python3", "-m", "sock_handler", "--calls"};
  if (spec.wsgi) argv.emplace_back("--wsgi");
  argv.push_back(spec.handler);
  return argv;
}

/// What zygotes see and import for these functions: packages. The code and the directories of a
/// function are for its instances alone. Where two see something else in one place, it is the
/// first one's.
void add_needs(RealmSpec& spec, std::span<const Deployed* const> functions) {
  std::map<std::string, sock::Bind> binds;
  for (const Deployed* const function : functions) {
    bool is_new = false;
    for (const auto& bind : function->package_binds)
      is_new = binds.try_emplace(bind.target, bind).second || is_new;
    is_new = add_modules(spec.modules, function->modules) || is_new;
    if (is_new) spec.packages.push_back(function->packages);
  }
  // In one order, whichever function came first: zygotes that were written down are for the same
  // root.
  for (auto& bind : binds | std::views::values) spec.rootfs.binds.push_back(std::move(bind));
}

/// The paths of Outcome::path.
std::string path_of(const sock::Container& container) {
  switch (container.origin()) {
    case sock::Origin::created:
      return "created";
    case sock::Origin::forked:
      return "zygote";
    case sock::Origin::spare:
      return "spare";
    case sock::Origin::restored:
      return "snapshot";
  }
  return "unknown";
}

}  // namespace

sock::Resources resources_of(const FunctionSpec& spec) {
  return {.memory_max = spec.memory, .pids_max = most_processes};
}

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
  // Before anything is changed for it that others share.
  for (auto& directory : deployed->stored.spec.directories)
    SOCKCTL_TRY(resolve(directory, options_.watch));
  const FunctionRuntime runtime = deployed->stored.spec.runtime;
  if (runtime != FunctionRuntime::python) SOCKCTL_TRY(check_file(deployed->stored));
  if (runtime == FunctionRuntime::native) SOCKCTL_TRY(provide_native(*deployed));
  if (runtime != FunctionRuntime::native) SOCKCTL_TRY(provide_python(*deployed));
  // Not for zygotes: each instance has its own.
  deployed->rootfs.handler = deployed->stored.code;
  for (const auto& directory : deployed->stored.spec.directories)
    deployed->rootfs.binds.push_back({.source = directory.path, .target = directory.at});
  if (runtime == FunctionRuntime::python) {
    auto& all = deployed_[deployed->stored.spec.application];
    std::erase_if(all, [](const auto& each) { return each.expired(); });
    all.push_back(deployed);
  }
  return deployed;
}

// A program may be in Python, and use packages; but there is no zygote of programs.
Result<> Starter::provide_python(Deployed& function) {
  const auto& spec = function.stored.spec;
  function.packages = SOCKCTL_TRY(choose_packages(function.stored, options_));
  if (function.packages) {
    SOCKCTL_TRY(function.packages->declare(function.rootfs, function.env));
    function.package_binds = function.rootfs.binds;
    function.modules = SOCKCTL_TRY(modules_of(*function.packages, spec));
    for (const auto& each : function.packages->packages())
      function.declared.push_back(each.package);
  }
  if (spec.runtime == FunctionRuntime::exec) return {};
  return provide_realm(spec.application, function);
}

Result<> Starter::provide_native(Deployed& function) {
  NativeZygoteSpec spec{
      .name = fmt::format("native-{}-{}", function.stored.name.substr(0, 32), opened_++),
      .rootfs = function.rootfs,
      .object = object_of(function.stored.spec),
      .memory_max = options_.zygote_memory,
      .spares = options_.spares};
  spec.rootfs.handler = function.stored.code;
  function.native = SOCKCTL_TRY(NativeZygote::open(*host_, std::move(spec)));
  return {};
}

// Not the version that it is to replace.
std::vector<DeployedPtr> Starter::others_of(const Deployed& function) {
  std::vector<DeployedPtr> others;
  for (const auto& each : deployed_[function.stored.spec.application])
    if (auto other = each.lock(); other && other->stored.name != function.stored.name)
      others.push_back(std::move(other));
  return others;
}

// The old one goes with the last instance from it.
Result<> Starter::provide_realm(const std::string& application, const Deployed& function) {
  const auto before = find_realm(application);
  if (before && before->covers(function.rootfs.binds, function.modules)) return {};
  RealmSpec spec{.name = fmt::format("zygotes-{}", opened_++),
                 .application = application,
                 .rootfs = {.base = function.rootfs.base},
                 .packages = {},
                 .modules = {},
                 .memory_max = options_.zygote_memory,
                 .directory = options_.zygote_directory + "/" + directory_name(application),
                 .stored_max = options_.zygote_store,
                 .spares = options_.spares};
  SOCKCTL_TRY(sockctl::ensure_private_dir(spec.directory));
  spec.tree = before ? before->tree() : Realm::written_tree(spec.directory);
  const auto others = others_of(function);
  std::vector<const Deployed*> all{&function};
  for (const auto& other : others) all.push_back(other.get());
  add_needs(spec, all);
  auto realm = Realm::open(*host_, std::move(spec));
  if (!realm.has_value()) {
    // The other functions have a part in it.
    realm.error().hint += "; of all functions of " +
                          (application.empty() ? std::string{"no application"} : application);
    return std::unexpected(realm.error());
  }
  if (before) before->supersede();
  const std::scoped_lock lock{mutex_};
  realms_[application] = std::move(*realm);
  return {};
}

Result<StartedInstance> Starter::start(const Deployed& function, const std::string& request) {
  auto output = SOCKCTL_TRY(sockctl::make_pipe());
  const auto& stored = function.stored;
  const bool is_shared = shares_sandbox(function);
  const std::string& name = is_shared ? stored.spec.application : stored.name;
  sock::ContainerSpec spec{.name = fmt::format("fn-{}-{}", name.substr(0, 32), instances_++),
                           .rootfs = function.rootfs,
                           .argv = command_of(stored.spec),
                           .env = function.env,
                           .cwd = is_shared ? "/" : code_place};
  spec.resources = resources_of(stored.spec);
  spec.rlimits = {{.name = "nofile", .value = most_files}};  // Ours is for all of them.
  spec.stdio = {.in = {}, .out = output.writer, .err = output.writer};
  spec.init = sock::Init::none;
  SocketPair bus;
  if (!stored.spec.application.empty()) {
    bus = SOCKCTL_TRY(make_socket_pair(SocketKind::messages));
    spec.fds.push_back({.name = "bus", .fd = bus.theirs});
  }
  auto started = start_by_runtime(function, std::move(spec), request);
  if (!started.has_value()) return started;
  started->path = path_of(started->container);
  started->output = std::move(output.reader);
  started->bus = std::move(bus.ours);
  return started;
}

Result<StartedInstance> Starter::start_by_runtime(const Deployed& function,
                                                  sock::ContainerSpec spec,
                                                  const std::string& request) {
  if (function.stored.spec.runtime == FunctionRuntime::exec) {
    spec.env.push_back("SOCK_REQUEST_ID=" + request);
    return start_program(std::move(spec));
  }
  auto ends = SOCKCTL_TRY(make_socket_pair(SocketKind::stream));
  spec.fds.push_back({.name = "channel", .fd = ends.theirs});
  const bool is_native = function.native != nullptr;
  auto started = is_native ? start_native(function, spec) : start_python(function, spec);
  if (started.has_value())
    started->channel = {
        .protocol = is_native ? Channel::Protocol::events : Channel::Protocol::calls,
        .to = std::move(ends.ours)};
  return started;
}

Result<StartedInstance> Starter::start_python(const Deployed& function,
                                              const sock::ContainerSpec& spec) {
  const auto realm = find_realm(function.stored.spec.application);
  if (!realm)
    return sockctl::refuse(Errc::closed, Stage::none, "its application",
                           "its last function has just been removed");
  auto start = SOCKCTL_TRY(realm->fork(spec, function.declared));
  return StartedInstance{.origin = realm,
                         .container = std::move(start.container),
                         .channel = {},
                         .output = {},
                         .bus = {},
                         .zygote = start.zygote,
                         .fallback = start.fallback,
                         .has_all_packages = start.missing.empty()};
}

Result<StartedInstance> Starter::start_native(const Deployed& function,
                                              const sock::ContainerSpec& spec) {
  auto forked = SOCKCTL_TRY(function.native->fork(spec));
  return StartedInstance{.origin = std::move(forked.home),
                         .container = std::move(forked.container),
                         .channel = {},
                         .output = {},
                         .bus = {},
                         .zygote = function.stored.spec.handler,
                         .fallback = {}};
}

Result<StartedInstance> Starter::start_program(sock::ContainerSpec spec) {
  auto input = SOCKCTL_TRY(sockctl::make_pipe());
  auto result = SOCKCTL_TRY(sockctl::make_pipe());
  spec.init = sock::Init::reaper;  // As the first process it could not be ended by its own signals.
  spec.stdio.in = input.reader;
  spec.stdio.out = result.writer;
  auto container = SOCKCTL_TRY(host_->create(spec));
  return StartedInstance{.origin = {},
                         .container = std::move(container),
                         .channel = {.protocol = Channel::Protocol::program,
                                     .to = std::move(input.writer),
                                     .from = std::move(result.reader)},
                         .output = {},
                         .bus = {},
                         .zygote = {},
                         .fallback = {}};
}

void Starter::retire_all_but(const std::set<std::string>& applications) {
  std::vector<std::shared_ptr<Realm>> retired;  // Ended outside the lock.
  {
    const std::scoped_lock lock{mutex_};
    std::erase_if(realms_, [&](const auto& each) {
      if (applications.contains(each.first)) return false;
      each.second->supersede();
      retired.push_back(each.second);
      return true;
    });
  }
  std::erase_if(deployed_, [&](const auto& each) { return !applications.contains(each.first); });
  std::set<std::string> kept;
  for (const auto& application : applications) kept.insert(directory_name(application));
  std::error_code ignored;  // What cannot be removed now is found by the next daemon.
  for (const auto& entry : std::filesystem::directory_iterator{options_.zygote_directory, ignored})
    if (!kept.contains(entry.path().filename())) std::filesystem::remove_all(entry.path(), ignored);
}

void Starter::forget_earlier_roots() {
  for (const auto& realm : realms()) realm->forget_earlier_roots();
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
