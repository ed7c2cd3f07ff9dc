// The options of `run` as JSON, between the starting sockctl and the monitor, and for `inspect`.

#include "run_options_json.hpp"

#include <nlohmann/json.hpp>

#include "json_values.hpp"

namespace sockctl {

// The macro makes functions for nlohmann's own use; ours below wrap them.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunOptions, name, rootfs, image, image_store, prefetch, handler,
                                   packages, cached_packages, package_cache, python, env, cwd, user,
                                   volumes, tmpfs, net, memory, cpus, pids, wall, rlimits, seccomp,
                                   cap_add, userns, hostname, own_mounts, no_init, interactive,
                                   terminal, detach, remove, timings, status_fd, meta, log_max,
                                   zygote, requirements, snapshot, snapshot_store, command)

nlohmann::json to_json(const RunOptions& options) {
  nlohmann::json out;
  to_json(out, options);
  return out;
}

Result<std::string> serialise(const RunOptions& options, const char* hint) {
  try {
    return to_json(options).dump();
  } catch (const nlohmann::json::exception&) {
    return refuse(Errc::invalid_spec, Stage::validate, "an argument that is not UTF-8", hint);
  }
}

Result<RunOptions> run_options_from_json(const std::string& text) {
  return run_options_of(parse_json(text));
}

Result<RunOptions> run_options_of(const nlohmann::json& json) {
  try {
    return json.get<RunOptions>();
  } catch (const nlohmann::json::exception&) {
    return refuse(Errc::corrupt, Stage::validate, "the options of a detached container",
                  "sockctl monitor is not for use by hand");
  }
}

}  // namespace sockctl
