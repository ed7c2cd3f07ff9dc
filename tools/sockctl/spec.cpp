// From the options of `run` to a ContainerSpec. Pure, and tested without privileges.

#include <algorithm>
#include <array>

#include "image_store.hpp"
#include "limits.hpp"
#include "parse.hpp"
#include "run_options.hpp"
#include "store_place.hpp"

namespace sockctl {
namespace {

bool sets(const std::vector<std::string>& env, std::string_view name) {
  return std::any_of(env.begin(), env.end(), [&](const std::string& entry) {
    return entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=';
  });
}

Result<sock::Rootfs> rootfs(const RunOptions& options, const Caller& caller) {
  if (options.rootfs.empty() && options.image != sock::host_image)
    return refuse_option("--image", options.image, "of a zygote it is host; or --rootfs DIR");
  sock::Rootfs root{.base = options.rootfs.empty() ? options.image : options.rootfs,
                    .handler = options.handler,
                    .packages = options.packages};
  for (const auto& text : options.volumes)
    root.binds.push_back(SOCKCTL_TRY(parse_bind(text, caller.directory)));
  for (const auto& text : options.tmpfs) {
    const auto tmpfs = SOCKCTL_TRY(parse_tmpfs(text));
    std::erase_if(root.tmpfs, [&](const auto& other) { return other.target == tmpfs.target; });
    root.tmpfs.push_back(tmpfs);
  }
  // A bind takes the place of a default tmpfs on the same directory.
  for (const auto& bind : root.binds)
    std::erase_if(root.tmpfs, [&](const auto& other) { return other.target == bind.target; });
  return root;
}

// "auto": the usual subordinate range for root; a user may map nothing but itself.
Result<std::optional<sock::UserNamespace>> user_namespace(const RunOptions& options,
                                                          const Caller& caller) {
  if (options.userns.empty()) return std::optional<sock::UserNamespace>{};
  sock::UserNamespace user;
  for (const auto& text : options.userns) {
    if (text == "auto") {
      const std::uint32_t count = caller.uid == 0 ? 65536 : 1;
      user.uids.push_back({0, caller.uid == 0 ? 100000 : caller.uid, count});
      user.gids.push_back({0, caller.uid == 0 ? 100000 : caller.gid, count});
    } else {
      const auto range = SOCKCTL_TRY(parse_id_range(text));
      user.uids.push_back(range);
      user.gids.push_back(range);
    }
  }
  return std::optional{user};
}

Result<sock::Identity> identity(const RunOptions& options) {
  sock::Identity id;
  if (!options.user.empty()) {
    const auto user = SOCKCTL_TRY(parse_user(options.user));
    id.uid = user.uid;
    id.gid = user.gid;
  } else if (!options.userns.empty()) {
    id.uid = id.gid = 0;
  }
  for (const auto& text : options.cap_add)
    id.capabilities.emplace_back(SOCKCTL_TRY(parse_capability(text)));
  return id;
}

// A directory has a slash in it, as no package's name has.
Result<> split_packages(RunOptions& options) {
  std::vector<std::string> directories;
  for (const auto& given : options.packages) {
    if (given.contains('/') || given == "." || given == "..") {
      directories.push_back(given);
      continue;
    }
    const auto names = SOCKCTL_TRY(parse_package_list(given));
    options.cached_packages.insert(options.cached_packages.end(), names.begin(), names.end());
  }
  options.packages = std::move(directories);
  return {};
}

}  // namespace

std::vector<std::string> environment(const std::vector<std::string>& given,
                                     const std::optional<std::string>& term) {
  std::vector<std::string> env;
  if (!sets(given, "PATH"))
    env.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  if (!sets(given, "HOME")) env.emplace_back("HOME=/");
  if (term && !sets(given, "TERM")) env.push_back("TERM=" + *term);
  env.insert(env.end(), given.begin(), given.end());
  return env;
}

Result<std::vector<std::string>> resolve_env(const std::vector<std::string>& given,
                                             const Caller& caller) {
  std::vector<std::string> env;
  for (const auto& entry : given) {
    if (entry.empty() || entry.front() == '=')
      return refuse_option("--env", entry, "NAME=value, or NAME to copy it");
    if (entry.find('=') != std::string::npos) {
      env.push_back(entry);
    } else if (const auto value = caller.variable(entry)) {
      env.push_back(entry + "=" + *value);
    }
  }
  return env;
}

Result<RunOptions> resolve(RunOptions options, const Caller& caller) {
  options.env = SOCKCTL_TRY(resolve_env(options.env, caller));
  const auto make_absolute = [&](std::string& path) {
    if (!path.empty() && path.front() != '/') path = caller.directory + "/" + path;
  };
  make_absolute(options.rootfs);
  make_absolute(options.handler);
  SOCKCTL_TRY(split_packages(options));
  for (auto& package : options.packages) make_absolute(package);
  for (auto& volume : options.volumes)
    if (!volume.empty() && volume.front() != '/' && volume.front() != ':') make_absolute(volume);
  if (uses_image(options))
    options.image_store = SOCKCTL_TRY(choose_store(image_store_place, options.image_store, caller));
  if (!options.cached_packages.empty())
    options.package_cache =
        SOCKCTL_TRY(choose_store(package_cache_place, options.package_cache, caller));
  if (options.terminal && !sets(options.env, "TERM"))
    options.env.push_back("TERM=" + caller.variable("TERM").value_or("xterm"));
  return options;
}

Result<sock::ContainerSpec> to_spec(const RunOptions& options, const Caller& caller) {
  SOCKCTL_TRY(check_name(options.name));
  if (options.command.empty())
    return refuse(Errc::invalid_spec, Stage::validate, "no command given",
                  "sockctl run [OPTIONS] -- COMMAND...");
  auto root = SOCKCTL_TRY(rootfs(options, caller));
  sock::ContainerSpec spec{.name = options.name,
                           .rootfs = std::move(root),
                           .argv = options.command,
                           .env = environment(options.env, std::nullopt),
                           .cwd = options.cwd.empty() ? "/" : options.cwd,
                           .hostname = options.hostname};
  spec.identity = SOCKCTL_TRY(identity(options));
  spec.namespaces.user = SOCKCTL_TRY(user_namespace(options, caller));
  if (options.own_mounts) spec.namespaces.mount = sock::MountNamespace::own;
  if (SOCKCTL_TRY(parse_network(options.net)).kind == sock::Network::Kind::loopback)
    spec.namespaces.network = sock::Network::loopback();
  SOCKCTL_TRY(parse_filter(options.seccomp));
  SOCKCTL_TRY(parse_prefetch(options.prefetch));
  SOCKCTL_TRY(parse_size("--log-max", options.log_max));
  spec.resources = SOCKCTL_TRY(limits_over(sock::Resources{}, options));
  for (const auto& text : options.rlimits) spec.rlimits.push_back(SOCKCTL_TRY(parse_rlimit(text)));
  if (!options.wall.empty()) spec.time_limit = SOCKCTL_TRY(parse_duration("--wall", options.wall));
  spec.init = options.no_init ? sock::Init::none : sock::Init::reaper;
  return spec;
}

}  // namespace sockctl
