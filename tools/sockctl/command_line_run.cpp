// The options of `run` and `exec`, and which of them zygotes share.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

// One value for each mention: "-e A=1 -e B=2", so that the command is not taken for values.
void many(CLI::App& verb, const char* names, std::vector<std::string>& values, const char* help,
          const char* type) {
  verb.add_option(names, values, help)->allow_extra_args(false)->type_name(type);
}

void one(CLI::App& verb, const char* names, std::string& value, const char* help,
         const char* type) {
  verb.add_option(names, value, help)->type_name(type);
}

void describe_root(CLI::App& verb, RunOptions& run) {
  one(verb, "--rootfs", run.rootfs, "A directory as the root, read-only", "DIR");
  one(verb, "--image", run.image,
      "An image as the root; host (the default) is the machine's own /usr", "NAME[:TAG|@DIGEST]");
  one(verb, "--image-store", run.image_store, "Where the images are", "DIR");
  one(verb, "--prefetch", run.prefetch,
      "Bring what was recorded of the image's start into memory: auto, off, io_uring or threads",
      "HOW");
  one(verb, "--handler", run.handler, "A directory to mount at /handler", "DIR");
  describe_packages(verb, run);
  one(verb, "--python", run.python, "The version that packages are for (as in the root)", "3.N");
  many(verb, "-v,--volume", run.volumes, "Bind a host path into the container", "SRC:DST[:rw|ro]");
  many(verb, "--tmpfs", run.tmpfs, "An empty writable directory", "DST[:size=64m]");
  verb.add_flag("--own-mounts", run.own_mounts, "A mount namespace of its own, for what mounts");
}

void describe_payload(CLI::App& verb, RunOptions& run) {
  many(verb, "-e,--env", run.env, "Set a variable, or copy it by its name", "NAME[=VALUE]");
  one(verb, "-w,--workdir", run.cwd, "The working directory", "DIR");
  one(verb, "-u,--user", run.user, "Run as this user (numbers)", "UID[:GID]");
  many(verb, "--userns", run.userns, "Map root in the container to a range of ids: auto, or",
       "IN:OUT:COUNT");
  many(verb, "--cap-add", run.cap_add, "Keep a capability", "NAME");
  one(verb, "--seccomp", run.seccomp, "System call policy: handler, strict or unconfined",
      "POLICY");
  one(verb, "--net", run.net, "isolated, loopback, host, or a namespace by descriptor or path",
      "NET");
  one(verb, "--hostname", run.hostname, "The host name inside", "NAME");
  verb.add_flag_callback(
      "--init", [&run] { run.no_init = false; }, "Put a tiny init in front (the default)");
  verb.add_flag("--no-init", run.no_init, "Make the command itself pid 1");
}

void describe_limits(CLI::App& verb, RunOptions& run) {
  one(verb, "-m,--memory", run.memory, "Memory limit, like 64m", "SIZE");
  one(verb, "--cpus", run.cpus, "Processors, like 0.5", "N");
  one(verb, "--pids", run.pids, "Processes and threads (256), or max", "N");
  one(verb, "--wall", run.wall, "Kill it after this long, like 1.5s; exit status 124", "TIME");
  many(verb, "--rlimit", run.rlimits, "A process limit", "NAME=N");
}

void describe_running(CLI::App& verb, RunOptions& run) {
  one(verb, "--name", run.name, "The container's name (sock-XXXXXXXX)", "NAME");
  verb.add_flag("-i,--interactive", run.interactive, "Give it our stdin");
  verb.add_flag("-t,--tty", run.terminal, "Give it a terminal");
  verb.add_flag("-d,--detach", run.detach, "Leave it running, and print its name");
  verb.add_flag("--rm", run.remove, "With -d: remove it when it has ended");
  one(verb, "--log-max", run.log_max, "With -d: the most that its log may hold (8m)", "SIZE");
  one(verb, "--zygote", run.zygote, "Fork it from this zygote: see sockctl zygote fork", "NAME");
  one(verb, "--snapshot", run.snapshot, "Fork it from this snapshot of a Python zygote", "NAME");
  one(verb, "--snapshot-store", run.snapshot_store, "Where the snapshots are", "DIR");
  verb.add_flag("--timings", run.timings, "Print the time of each stage on stderr");
  verb.add_option("--status-fd", run.status_fd, "Write events as JSON lines to a descriptor")
      ->type_name("N");
  one(verb, "--meta", run.meta, "Write the result as JSON to a file", "FILE");
}

constexpr const char* run_examples =
    "Examples:\n"
    "  sockctl run -- python3 -c 'print(1)'\n"
    "  sockctl run --timings -m 64m --pids 16 --net isolated -v ./job.py:/job.py -- python3 "
    "/job.py\n"
    "  sockctl run -it --rootfs /srv/alpine -- sh\n"
    "  sockctl run --image app:v1 -- python3 -c 'import pandas'\n"
    "  sockctl run --package numpy,pandas==1.5.3 -- python3 -c 'import pandas'\n"
    "  sockctl run --snapshot ds-1 --timings -- python3 -c 'import pandas'\n"
    "  sockctl run -d --name web -v ./site:/srv --net loopback -- python3 -m http.server\n"
    "\n"
    "Exit status: the command's; 124 time limit, 125 sockctl itself failed, 126 cannot be\n"
    "executed, 127 not found, 128+N ended by signal N (137 also at the memory limit), 2 usage.";

constexpr const char* exec_examples =
    "Examples:\n"
    "  sockctl exec web -- ls /srv\n"
    "  sockctl exec -it web -- sh";

}  // namespace

void describe_packages(CLI::App& verb, RunOptions& run) {
  many(verb, "--package", run.packages,
       "Packages of the cache with what they need, and no others; or a directory to mount below "
       "/packages",
       "NAME[==VERSION][,...]|DIR");
  one(verb, "--package-cache", run.package_cache, "Where the packages are", "DIR");
}

void describe_zygote_root(CLI::App& verb, RunOptions& run) {
  one(verb, "--rootfs", run.rootfs, "A directory as the root, read-only", "DIR");
  one(verb, "--image", run.image, "The machine's own /usr as the root: host (the default)", "NAME");
  many(verb, "-v,--volume", run.volumes, "Bind a host path into it, and into its containers",
       "SRC:DST[:rw|ro]");
  many(verb, "-e,--env", run.env, "Set a variable for importing, or copy it", "NAME[=VALUE]");
  one(verb, "-m,--memory", run.memory, "Memory limit of the zygote", "SIZE");
  one(verb, "--pids", run.pids, "Their processes and threads (256), or max", "N");
}

void describe_forked(CLI::App& verb, RunOptions& run) {
  many(verb, "-e,--env", run.env, "Set a variable, or copy it by its name", "NAME[=VALUE]");
  one(verb, "-w,--workdir", run.cwd, "The working directory", "DIR");
  one(verb, "-u,--user", run.user, "Run as this user (numbers)", "UID[:GID]");
  many(verb, "-v,--volume", run.volumes, "Bind a host path into the container", "SRC:DST[:rw|ro]");
  many(verb, "--tmpfs", run.tmpfs, "An empty writable directory", "DST[:size=64m]");
  one(verb, "--seccomp", run.seccomp, "System call policy: handler, strict or unconfined",
      "POLICY");
  one(verb, "--net", run.net, "isolated or loopback", "NET");
  describe_limits(verb, run);
  one(verb, "--name", run.name, "The container's name (sock-XXXXXXXX)", "NAME");
  many(verb, "-r,--require", run.requirements, "A package that the payload imports (of a tree)",
       "NAME==VERSION");
  verb.add_flag("-i,--interactive", run.interactive, "Give it our stdin");
  verb.add_flag("-t,--tty", run.terminal, "Give it a terminal");
  verb.add_flag("--timings", run.timings, "Print the time of each stage on stderr");
}

void describe_run(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = *app.add_subcommand("run", "Run a command in a new container");
  RunOptions& run = invocation.run;
  describe_root(verb, run);
  describe_payload(verb, run);
  describe_limits(verb, run);
  describe_running(verb, run);
  describe_globals(verb, invocation);
  verb.prefix_command();
  verb.footer(run_examples);
  verb.callback([&] {
    invocation.action = [&] { return sockctl::run(invocation.globals, std::move(invocation.run)); };
  });
}

void describe_exec(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = *app.add_subcommand("exec", "Run a further command in a detached container");
  ExecOptions& exec = invocation.exec;
  verb.add_option("NAME", exec.name, "The container")->required()->type_name("");
  verb.add_flag("-i,--interactive", exec.interactive, "Give it our stdin");
  verb.add_flag("-t,--tty", exec.terminal, "Give it a terminal");
  many(verb, "-e,--env", exec.env, "Set a variable, or copy it by its name", "NAME[=VALUE]");
  one(verb, "-w,--workdir", exec.cwd, "The working directory", "DIR");
  one(verb, "-u,--user", exec.user, "Run as this user (numbers)", "UID[:GID]");
  describe_globals(verb, invocation);
  verb.prefix_command();
  verb.footer(exec_examples);
  verb.callback([&] {
    invocation.action = [&] {
      return sockctl::exec(invocation.globals, std::move(invocation.exec));
    };
  });
}

}  // namespace sockctl
