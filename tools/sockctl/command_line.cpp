// The verbs but `run` and `exec`, and what they have in common.

#include "command_line.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "report.hpp"

namespace sockctl {
namespace {

void add_names(CLI::App& verb, std::vector<std::string>& names) {
  verb.add_option("NAME", names, "The containers")->required()->type_name("");
}

void describe_listing(CLI::App& app, Invocation& invocation) {
  CLI::App& ps = add_host_verb(app, invocation, "ps", "List the detached containers",
                               "  sockctl ps\n  sockctl ps --format json",
                               [](Invocation& i) { return sockctl::ps(i.globals, i.ps); });
  ps.add_flag("-q,--quiet", invocation.ps.quiet, "Print the names only");
  add_format(ps, invocation);

  CLI::App& inspect = add_host_verb(
      app, invocation, "inspect", "Show all that is known of containers, as JSON",
      "  sockctl inspect web", [](Invocation& i) { return sockctl::inspect(i.globals, i.names); });
  add_names(inspect, invocation.names);
  add_format(inspect, invocation);

  CLI::App& stats =
      add_host_verb(app, invocation, "stats", "Show what containers use",
                    "  sockctl stats\n  sockctl stats --watch web\n  sockctl stats --format jsonl",
                    [](Invocation& i) { return sockctl::stats(i.globals, i.stats); });
  stats.add_option("NAME", invocation.stats.names, "The containers; all without")->type_name("");
  stats.add_flag("--watch,!--no-stream", invocation.stats.watch, "Show it again every second");
  add_format(stats, invocation);

  CLI::App& logs =
      add_host_verb(app, invocation, "logs", "Print what a container has printed",
                    "  sockctl logs --tail 20 -f web\n  sockctl logs --format jsonl web",
                    [](Invocation& i) { return sockctl::logs(i.globals, i.logs); });
  logs.add_option("NAME", invocation.logs.name, "The container")->required()->type_name("");
  logs.add_flag("-f,--follow", invocation.logs.follow, "Go on until it ends");
  logs.add_option("--tail", invocation.logs.tail, "The last lines only")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  add_format(logs, invocation);
}

void describe_control(CLI::App& app, Invocation& invocation) {
  add_names(add_host_verb(app, invocation, "pause", "Freeze containers", "  sockctl pause web",
                          [](Invocation& i) { return sockctl::pause(i.globals, i.names); }),
            invocation.names);
  add_names(add_host_verb(app, invocation, "resume", "Let frozen containers go on",
                          "  sockctl resume web",
                          [](Invocation& i) { return sockctl::resume(i.globals, i.names); }),
            invocation.names);
  CLI::App& kill =
      add_host_verb(app, invocation, "kill", "Send a signal; KILL ends the whole container",
                    "  sockctl kill web\n  sockctl kill -s TERM web",
                    [](Invocation& i) { return sockctl::kill(i.globals, i.kill); });
  kill.add_option("-s,--signal", invocation.kill.signal, "A name or number (KILL)")
      ->type_name("SIGNAL");
  add_names(kill, invocation.kill.names);
  add_names(add_host_verb(app, invocation, "wait",
                          "Wait for containers to end, and exit as they did", "  sockctl wait web",
                          [](Invocation& i) { return sockctl::wait(i.globals, i.names); }),
            invocation.names);
  CLI::App& rm = add_host_verb(app, invocation, "rm", "Remove containers that have ended",
                               "  sockctl rm web\n  sockctl rm --force web",
                               [](Invocation& i) { return sockctl::rm(i.globals, i.rm); });
  rm.add_flag("-f,--force", invocation.rm.force, "End running ones first");
  add_names(rm, invocation.rm.names);
}

void describe_machine(CLI::App& app, Invocation& invocation) {
  add_format(add_host_verb(app, invocation, "gc", "Remove what dead processes have left behind",
                           "  sockctl gc", [](Invocation& i) { return sockctl::gc(i.globals); }),
             invocation);
  add_format(
      add_host_verb(app, invocation, "check", "Say what this machine offers, and what to mend",
                    "  sockctl check\n  sockctl check --without landlock",
                    [](Invocation& i) { return sockctl::check(i.globals); }),
      invocation);
  add_format(add_host_verb(app, invocation, "version", "Print the version", "  sockctl version",
                           [](Invocation& i) { return sockctl::version(i.globals); }),
             invocation);
  add_host_verb(app, invocation, "monitor", "Own a detached container (started by run -d)",
                "  none: it is not for use by hand",
                [](Invocation& i) { return sockctl::monitor(i.globals); })
      .group("");
}

}  // namespace

CLI::App& add_group(CLI::App& app, const char* name, const char* help, const char* examples) {
  CLI::App& group = *app.add_subcommand(name, help);
  group.require_subcommand(1);
  group.footer(std::string{"Examples:\n"} + examples);
  return group;
}

CLI::App& add_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                   const std::string& examples, Action action) {
  CLI::App& verb = *group.add_subcommand(name, help);
  verb.footer("Examples:\n" + examples);
  verb.callback([&invocation, action] {
    invocation.action = [&invocation, action] { return action(invocation); };
  });
  return verb;
}

CLI::App& add_host_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                        const std::string& examples, Action action) {
  CLI::App& verb = add_verb(group, invocation, name, help, examples, action);
  describe_globals(verb, invocation);
  return verb;
}

void add_registry(CLI::App& verb, RegistryOptions& options) {
  verb.add_option("--authfile", options.authfile, "Names and passwords (the user's own, as skopeo)")
      ->type_name("FILE");
  verb.add_flag("--insecure", options.insecure, "Without TLS, or with an unknown certificate");
}

void add_format(CLI::App& verb, Invocation& invocation) {
  verb.add_option("--format", invocation.globals.format, "table, json or jsonl (a line for each)")
      ->type_name("FORMAT");
}

void describe_globals(CLI::App& verb, Invocation& invocation) {
  constexpr const char* group = "Global options";
  Globals& globals = invocation.globals;
  verb.add_option("--state-dir", globals.state_dir, "Where sockctl keeps its state")
      ->type_name("DIR")
      ->group(group);
  verb.add_option("--cgroups", globals.cgroups, "automatic, v2, v1, hybrid or none")
      ->type_name("BACKEND")
      ->group(group);
  verb.add_option("--without", globals.without, "Treat a kernel feature as missing (see check)")
      ->type_name("FEATURE")
      ->allow_extra_args(false)
      ->group(group);
  verb.add_option("--libexec-dir", globals.libexec_dir)->group("");
}

bool describe_one(CLI::App& app, Invocation& invocation, std::string_view verb) {
  constexpr std::pair<std::string_view, void (*)(CLI::App&, Invocation&)> known[] = {
      {"run", describe_run},     {"exec", describe_exec},       {"zygote", describe_zygote},
      {"image", describe_image}, {"package", describe_package}, {"fn", describe_function},
  };
  const auto* const found =
      std::ranges::find_if(known, [&](const auto& one) { return one.first == verb; });
  if (found == std::end(known)) return false;
  describe_globals(app, invocation);
  found->second(app, invocation);
  return true;
}

void describe_verbs(CLI::App& app, Invocation& invocation) {
  describe_globals(app, invocation);
  describe_run(app, invocation);
  describe_exec(app, invocation);
  describe_listing(app, invocation);
  describe_control(app, invocation);
  describe_snapshot(app, invocation);
  describe_zygote(app, invocation);
  describe_image(app, invocation);
  describe_package(app, invocation);
  describe_function(app, invocation);
  describe_serve(app, invocation);
  describe_config(app, invocation);
  describe_machine(app, invocation);
}

Arguments split_arguments(const std::vector<std::string>& arguments) {
  const auto first = std::find(arguments.begin(), arguments.end(), std::string{"--"});
  // Global options may stand before the verb.
  const bool takes_command = std::any_of(arguments.begin(), first, [](const std::string& word) {
    return word == "run" || word == "exec" || word == "fork" || word == "prefetch";
  });
  const auto separator = takes_command ? first : arguments.end();
  Arguments split{.ours = {arguments.begin(), separator}};
  split.separated = separator != arguments.end();
  if (split.separated) split.beyond.assign(separator + 1, arguments.end());
  return split;
}

}  // namespace sockctl
