// The verbs of `sockctl zygote` for zygotes that live, in the background Host.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

using Action = int (*)(Invocation&);

CLI::App& add_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                   const std::string& footer, Action action) {
  CLI::App& verb = *group.add_subcommand(name, help);
  describe_globals(verb, invocation);
  verb.footer("Examples:\n" + footer);
  verb.callback([&invocation, action] {
    invocation.action = [&invocation, action] { return action(invocation); };
  });
  return verb;
}

void add_format(CLI::App& verb, Invocation& invocation) {
  verb.add_option("--format", invocation.globals.format, "table, json or jsonl (a line for each)")
      ->type_name("FORMAT");
}

// Its name tells the completion scripts what to complete.
CLI::Option* add_zygotes(CLI::App& verb, std::vector<std::string>& names, const char* help) {
  return verb.add_option("ZYGOTE", names, help)->type_name("");
}

void describe_create(CLI::App& group, Invocation& invocation) {
  auto& create = invocation.zygote.create;
  CLI::App& verb = add_verb(
      group, invocation, "create", "Start a zygote, and import modules or load objects into it",
      "  sockctl zygote create ds --preload numpy,pandas\n"
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
  verb.add_option("--path", create.paths, "A directory in the root to import from")
      ->allow_extra_args(false)
      ->type_name("DIR");
  verb.add_option("--python", create.python, "The interpreter in the root (python3)")
      ->type_name("PROGRAM");
  verb.add_option("--spares", create.spares, "Children to keep forked ahead (0)")->type_name("N");
  describe_zygote_root(verb, create.run);
  add_format(verb, invocation);
}

void describe_fork(CLI::App& group, Invocation& invocation) {
  CLI::App& verb =
      add_verb(group, invocation, "fork",
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
  CLI::App& ls = add_verb(group, invocation, "ls", "List the zygotes, their modules and memory",
                          "  sockctl zygote ls\n  sockctl zygote ls --format json",
                          [](Invocation& i) { return zygote_ls(i.globals, i.ps); });
  ls.add_flag("-q,--quiet", invocation.ps.quiet, "Print the names only");
  add_format(ls, invocation);

  CLI::App& inspect =
      add_verb(group, invocation, "inspect", "Show all that is known of zygotes, as JSON",
               "  sockctl zygote inspect ds",
               [](Invocation& i) { return zygote_inspect(i.globals, i.names); });
  add_zygotes(inspect, invocation.names, "The zygotes")->required();
  add_format(inspect, invocation);

  CLI::App& stats = add_verb(group, invocation, "stats", "Show what zygotes and their spares use",
                             "  sockctl zygote stats\n  sockctl zygote stats --format jsonl ds",
                             [](Invocation& i) { return zygote_stats(i.globals, i.stats.names); });
  add_zygotes(stats, invocation.stats.names, "The zygotes; all without");
  add_format(stats, invocation);
}

void describe_examination(CLI::App& group, Invocation& invocation) {
  CLI::App& doctor = add_verb(
      group, invocation, "doctor", "Look for what is wrong with a zygote",
      "  sockctl zygote doctor ds\n"
      "\nLooks at it from outside and at two forks of it. Exit status 1: something is wrong.",
      [](Invocation& i) { return zygote_doctor(i.globals, i.names.front()); });
  add_zygotes(doctor, invocation.names, "The zygote")->required()->expected(1);
  add_format(doctor, invocation);

  auto& wanted = invocation.zygote.profile;
  CLI::App& profile =
      add_verb(group, invocation, "profile", "Measure what importing modules costs, each by itself",
               "  sockctl zygote profile numpy pandas\n"
               "  sockctl zygote profile -v /srv/app:/app --path /app app.main --format json\n"
               "\nExit status 1: one cannot be imported, or not be forked from.",
               [](Invocation& i) { return zygote_profile(i.globals, i.zygote.profile); });
  profile.add_option("MODULE", wanted.modules, "The modules")->required()->type_name("");
  profile.add_option("--path", wanted.paths, "A directory in the root to import from")
      ->allow_extra_args(false)
      ->type_name("DIR");
  profile.add_option("--python", wanted.python, "The interpreter in the root (python3)")
      ->type_name("PROGRAM");
  describe_zygote_root(profile, wanted.run);
  add_format(profile, invocation);
}

void describe_end(CLI::App& group, Invocation& invocation) {
  CLI::App& rm = add_verb(group, invocation, "rm", "End zygotes",
                          "  sockctl zygote rm ds\n  sockctl zygote rm --force ds",
                          [](Invocation& i) { return zygote_rm(i.globals, i.rm); });
  rm.add_flag("-f,--force", invocation.rm.force, "End containers that were forked from them first");
  add_zygotes(rm, invocation.rm.names, "The zygotes")->required();
  add_verb(group, invocation, "host", "Hold zygotes (started by create)",
           "  none: it is not for use by hand",
           [](Invocation& i) { return zygote_host(i.globals); })
      .group("");
}

void describe_apply(CLI::App& group, Invocation& invocation) {
  auto& apply = invocation.zygote.tree_apply;
  CLI::App& verb = add_verb(
      group, invocation, "apply", "Keep an import tree of zygotes, to be forked from by packages",
      "  sockctl zygote tree apply web tree.json --packages /srv/packages --ahead\n"
      "  sockctl zygote tree apply any --packages /srv/packages --tree-memory 2g\n"
      "  sockctl zygote fork any -r numpy==1.26.4 -- python -c 'import numpy'\n"
      "\nRequests are forked from the best zygote that imports nothing undeclared; what they miss "
      "is\n"
      "started in the background, and ended again when memory is short.",
      [](Invocation& i) { return zygote_tree_apply(i.globals, i.zygote.tree_apply); });
  verb.add_option("NAME", apply.name, "What to call it")->required()->type_name("");
  verb.add_option("FILE", apply.file, "A tree, in our format or OpenLambda's; the root without")
      ->type_name("");
  verb.add_option("--costs", apply.costs, "What importing each package costs, as JSON")
      ->type_name("FILE");
  verb.add_option("--packages", apply.packages, "Installed packages: directories NAME/VERSION")
      ->type_name("DIR");
  verb.add_option("--tree-memory", apply.memory, "The most that all zygotes may hold (1g)")
      ->type_name("SIZE");
  verb.add_option("--grow-to", apply.grow_to, "The most nodes; 0: it does not grow (256)")
      ->type_name("N");
  verb.add_flag("--ahead", apply.ahead, "Start every zygote now, not when it is missed");
  verb.add_option("--python", apply.python, "The interpreter in the root (python3)")
      ->type_name("PROGRAM");
  verb.add_option("--spares", apply.spares, "Children of each zygote to keep forked ahead (0)")
      ->type_name("N");
  describe_zygote_root(verb, apply.run);
  add_format(verb, invocation);
}

void describe_export(CLI::App& group, Invocation& invocation) {
  auto& wanted = invocation.zygote.tree_export;
  CLI::App& verb =
      add_verb(group, invocation, "export", "Write the tree that a held one has grown into",
               "  sockctl zygote tree export any > tree.json\n"
               "  sockctl zygote tree export any --format openlambda",
               [](Invocation& i) { return zygote_tree_export(i.globals, i.zygote.tree_export); });
  verb.add_option("ZYGOTE", wanted.name, "The tree")->required()->type_name("");
  verb.add_option("--format", wanted.format, "table, json or openlambda (its tree format)")
      ->type_name("FORMAT");
}

}  // namespace

void describe_held_trees(CLI::App& group, Invocation& invocation) {
  describe_apply(group, invocation);
  describe_export(group, invocation);
}

void describe_held_zygotes(CLI::App& group, Invocation& invocation) {
  describe_create(group, invocation);
  describe_fork(group, invocation);
  describe_listing(group, invocation);
  describe_examination(group, invocation);
  describe_end(group, invocation);
}

}  // namespace sockctl
