// `sockctl fn`: a group of verbs for functions, and `sockctl serve`.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

CLI::App& add_function_verb(CLI::App& group, Invocation& invocation, const char* name,
                            const char* help, const char* examples, Action action) {
  CLI::App& verb = add_verb(group, invocation, name, help, examples, action);
  verb.add_option("--daemon", invocation.function.daemon,
                  "The state directory of sockd (SOCKD_STATE, or /var/lib/sock/sockd)")
      ->type_name("DIR");
  return verb;
}

// Its name tells the completion scripts what to complete.
void add_functions(CLI::App& verb, Invocation& invocation) {
  verb.add_option("FUNCTION", invocation.function.names, "Their names")->required()->type_name("");
}

void add_function(CLI::App& verb, Invocation& invocation) {
  verb.add_option("FUNCTION", invocation.function.name, "Its name")->required()->type_name("");
}

void add_code(CLI::App& verb, Invocation& invocation, const char* name) {
  verb.add_option(name, invocation.function.name, "Letters, digits, - and _")
      ->required()
      ->type_name("");
  verb.add_option("CODE", invocation.function.code,
                  "A directory with function.toml, or a tar or zip file of one")
      ->required()
      ->type_name("");
  add_format(verb, invocation);
}

}  // namespace

void describe_function(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, "fn", "Functions that sockd serves",
                              "  sockctl fn create hello examples/functions/hello\n"
                              "  sockctl fn invoke hello --event '{\"name\": \"you\"}'");
  add_code(add_function_verb(group, invocation, "create", "Put a new function into service",
                             "  sockctl fn create hello examples/functions/hello\n"
                             "  sockctl fn create hello hello.zip",
                             [](Invocation& i) { return function_create(i.globals, i.function); }),
           invocation, "NAME");
  add_code(add_function_verb(
               group, invocation, "update", "Serve another version of a function from now on",
               "  sockctl fn update hello examples/functions/hello\n"
               "\nCalls that run end in the version before; if the new one cannot be served, that "
               "one stays.",
               [](Invocation& i) { return function_update(i.globals, i.function); }),
           invocation, "FUNCTION");
  CLI::App& ls = add_function_verb(
      group, invocation, "ls", "List the functions", "  sockctl fn ls --format json",
      [](Invocation& i) { return function_ls(i.globals, i.function); });
  ls.add_flag("-q,--quiet", invocation.function.quiet, "Print the names only");
  add_format(ls, invocation);
  CLI::App& inspect = add_function_verb(
      group, invocation, "inspect", "Show all that is known of functions, as JSON",
      "  sockctl fn inspect hello",
      [](Invocation& i) { return function_inspect(i.globals, i.function); });
  add_functions(inspect, invocation);
  add_format(inspect, invocation);
  add_functions(add_function_verb(group, invocation, "rm", "Take functions out of service",
                                  "  sockctl fn rm hello",
                                  [](Invocation& i) { return function_rm(i.globals, i.function); }),
                invocation);
  CLI::App& invoke =
      add_function_verb(group, invocation, "invoke", "Call a function, and print what it returns",
                        "  sockctl fn invoke hello --event '{\"name\": \"you\"}' --timings\n"
                        "  sockctl fn invoke hello --event @event.json\n"
                        "  sockctl fn invoke hello --async\n"
                        "\nExit status: 0, or 1 when the function has failed.",
                        [](Invocation& i) { return function_invoke(i.globals, i.function); });
  add_function(invoke, invocation);
  invoke.add_option("--event", invocation.function.event, "JSON, or @FILE, or @- for stdin")
      ->type_name("JSON");
  invoke.add_flag("--timings", invocation.function.timings,
                  "Print on stderr how it was served, and the time of each stage in ms");
  invoke.add_flag("--async", invocation.function.later,
                  "Do not wait: it is kept on disk and tried again; print the request's id");
  CLI::App& dead = add_function_verb(
      group, invocation, "dead-letters", "Show events that a function has failed on too often",
      "  sockctl fn dead-letters hello\n  sockctl fn dead-letters hello --deliver",
      [](Invocation& i) { return function_dead_letters(i.globals, i.function); });
  add_function(dead, invocation);
  auto* const deliver =
      dead.add_flag("--deliver", invocation.function.deliver, "Call the function with them again");
  dead.add_flag("--forget", invocation.function.forget, "Throw them away")->excludes(deliver);
  add_format(dead, invocation);
  CLI::App& logs = add_function_verb(
      group, invocation, "logs", "Show the last calls of a function: a line of JSON for each",
      "  sockctl fn logs hello\n  sockctl fn logs hello -n 1 | jq -r .printed",
      [](Invocation& i) { return function_logs(i.globals, i.function); });
  add_function(logs, invocation);
  logs.add_flag("-f,--follow", invocation.function.follow, "Go on with those that come");
  logs.add_option("-n,--lines", invocation.function.lines, "How many")
      ->type_name("N")
      ->capture_default_str();
}

void describe_serve(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = add_function_verb(
      app, invocation, "serve", "Run sockd in the foreground, on 127.0.0.1:8080 unless told",
      "  sockctl serve\n  sockctl serve --daemon /srv/sockd -- --listen 127.0.0.1:9000",
      [](Invocation& i) { return serve(i.globals, i.function); });
  verb.add_option("OPTIONS", invocation.function.words, "What else sockd is told: sockd --help")
      ->type_name("");
}

void describe_config(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, "config", "The settings of sockd",
                              "  sockctl config show\n  sockctl config validate sockd.toml");
  const auto add = [&](const char* name, const char* help, const char* examples, Action action) {
    CLI::App& verb = add_verb(group, invocation, name, help, examples, action);
    verb.add_option("FILE", invocation.function.config, "Its file of settings, in TOML")
        ->type_name("");
    return &verb;
  };
  add("show", "Print all settings as the file would have them",
      "  sockctl config show\n  sockctl config show /etc/sock/sockd.toml",
      [](Invocation& i) { return config_show(i.globals, i.function); });
  add("validate", "Say whether sockd would start with them", "  sockctl config validate sockd.toml",
      [](Invocation& i) { return config_validate(i.globals, i.function); })
      ->get_option("FILE")
      ->required();
}

}  // namespace sockctl
