// The verbs of `sockctl zygote` for zygotes that live, in the background Host.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

// Its name tells the completion scripts what to complete.
CLI::Option* add_zygotes(CLI::App& verb, std::vector<std::string>& names, const char* help) {
  return verb.add_option("ZYGOTE", names, help)->type_name("");
}

void add_paths(CLI::App& verb, std::vector<std::string>& paths) {
  verb.add_option("--path", paths, "A directory in the root to import from")
      ->allow_extra_args(false)
      ->type_name("DIR");
}

void describe_create(CLI::App& group, Invocation& invocation) {
  auto& create = invocation.zygote.create;
  CLI::App& verb = add_host_verb(
      group, invocation, "create", "Start a zygote, and import modules or load objects into it",
      "  sockctl zygote create ds --preload numpy,pandas\n"
      "  sockctl zygote create ds --package numpy,pandas --preload numpy,pandas\n"
      "  sockctl zygote create app -v /srv/app:/app --path /app --preload app.main --spares 4\n"
      "  sockctl zygote create fast --runtime native -v /srv/app:/app --preload /app/handler.so",
      [](Invocation& i) { return zygote_create(i.globals, std::move(i.zygote.create)); });
  verb.add_option("NAME", create.name, "What to call it")->required()->type_name("");
  verb.add_option("--runtime", create.runtime,
                  "python, or native for shared objects (sock/handler.h)")
      ->type_name("RUNTIME");
  verb.add_option("--preload", create.preload,
                  "Modules to import in this order, or paths of objects to load")
      ->allow_extra_args(false)
      ->type_name("MODULE[,MODULE...]");
  add_paths(verb, create.paths);
  add_python(verb, create.python);
  verb.add_option("--spares", create.spares, "Children to keep forked ahead (1)")->type_name("N");
  describe_packages(verb, create.run);
  describe_zygote_root(verb, create.run);
  add_format(verb, invocation);
}

void describe_fork(CLI::App& group, Invocation& invocation) {
  CLI::App& verb = add_host_verb(
      group, invocation, "fork",
      "Run python, or an object, in a container that is forked from a zygote",
      "  sockctl zygote fork ds -- python -c 'import pandas; print(pandas.__version__)'\n"
      "  sockctl zygote fork ds --timings -m 256m --wall 10s -v ./job.py:/job.py -- "
      "python /job.py\n"
      "  sockctl zygote fork fast -- handler.so world\n"
      "\nThe same as sockctl run --zygote. The root is the zygote's. Exit status: as of "
      "sockctl run.",
      [](Invocation& i) { return sockctl::run(i.globals, std::move(i.run)); });
  verb.add_option("ZYGOTE", invocation.run.zygote, "The zygote")->required()->type_name("");
  describe_forked(verb, invocation.run);
  verb.prefix_command();
}

void describe_listing(CLI::App& group, Invocation& invocation) {
  CLI::App& ls =
      add_host_verb(group, invocation, "ls", "List the zygotes, their modules and memory",
                    "  sockctl zygote ls\n  sockctl zygote ls --format json",
                    [](Invocation& i) { return zygote_ls(i.globals, i.ps); });
  ls.add_flag("-q,--quiet", invocation.ps.quiet, "Print the names only");
  add_format(ls, invocation);

  CLI::App& inspect =
      add_host_verb(group, invocation, "inspect", "Show all that is known of zygotes, as JSON",
                    "  sockctl zygote inspect ds",
                    [](Invocation& i) { return zygote_inspect(i.globals, i.names); });
  add_zygotes(inspect, invocation.names, "The zygotes")->required();
  add_format(inspect, invocation);

  CLI::App& stats =
      add_host_verb(group, invocation, "stats", "Show what zygotes use",
                    "  sockctl zygote stats\n  sockctl zygote stats --format jsonl ds",
                    [](Invocation& i) { return zygote_stats(i.globals, i.stats.names); });
  add_zygotes(stats, invocation.stats.names, "The zygotes; all without");
  add_format(stats, invocation);
}

void describe_examination(CLI::App& group, Invocation& invocation) {
  CLI::App& doctor = add_host_verb(
      group, invocation, "doctor", "Look for what is wrong with a zygote",
      "  sockctl zygote doctor ds\n"
      "\nLooks at it from outside and at two forks of it. Exit status 1: something is wrong.",
      [](Invocation& i) { return zygote_doctor(i.globals, i.names.front()); });
  add_zygotes(doctor, invocation.names, "The zygote")->required()->expected(1);
  add_format(doctor, invocation);

  auto& wanted = invocation.zygote.profile;
  CLI::App& profile = add_host_verb(
      group, invocation, "profile", "Measure what importing modules costs, each by itself",
      "  sockctl zygote profile numpy pandas\n"
      "  sockctl zygote profile -v /srv/app:/app --path /app app.main --format json\n"
      "\nExit status 1: one cannot be imported, or not be forked from.",
      [](Invocation& i) { return zygote_profile(i.globals, i.zygote.profile); });
  profile.add_option("MODULE", wanted.modules, "The modules")->required()->type_name("");
  add_paths(profile, wanted.paths);
  add_python(profile, wanted.python);
  describe_zygote_root(profile, wanted.run);
  add_format(profile, invocation);
}

void describe_end(CLI::App& group, Invocation& invocation) {
  CLI::App& rm = add_host_verb(group, invocation, "rm", "End zygotes",
                               "  sockctl zygote rm ds\n  sockctl zygote rm --force ds",
                               [](Invocation& i) { return zygote_rm(i.globals, i.rm); });
  rm.add_flag("-f,--force", invocation.rm.force, "End containers that were forked from them first");
  add_zygotes(rm, invocation.rm.names, "The zygotes")->required();
  add_host_verb(group, invocation, "host", "Hold zygotes (started by create)",
                "  none: it is not for use by hand",
                [](Invocation& i) { return zygote_host(i.globals); })
      .group("");
}

}  // namespace

void add_python(CLI::App& verb, std::string& python) {
  verb.add_option("--python", python, "The interpreter in the root (python3)")
      ->type_name("PROGRAM");
}

void describe_held_zygotes(CLI::App& group, Invocation& invocation) {
  describe_create(group, invocation);
  describe_fork(group, invocation);
  describe_listing(group, invocation);
  describe_examination(group, invocation);
  describe_end(group, invocation);
}

}  // namespace sockctl
