// `sockctl zygote`: a group of verbs. Here those that start nothing and need no zygote.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

CLI::App& add_group(CLI::App& app, const char* name, const char* help, const char* examples) {
  CLI::App& group = *app.add_subcommand(name, help);
  group.require_subcommand(1);
  group.footer(std::string{"Examples:\n"} + examples);
  return group;
}

template <class Act>
CLI::App& add_verb(CLI::App& group, Invocation& invocation, const char* name, const char* help,
                   const char* examples, Act act) {
  CLI::App& verb = *group.add_subcommand(name, help);
  verb.footer(std::string{"Examples:\n"} + examples);
  verb.callback([&invocation, act] {
    invocation.action = [&invocation, act] { return act(invocation.zygote); };
  });
  return verb;
}

CLI::Option& add_file(CLI::App& verb, const char* name, std::string& file, const char* help) {
  return *verb.add_option(name, file, help)->type_name("FILE");
}

void add_tree_format(CLI::App& verb, std::string& format) {
  verb.add_option("--format", format, "table, json or openlambda (its tree format)")
      ->type_name("FORMAT");
}

void describe_plan(CLI::App& group, Invocation& invocation) {
  auto& plan = invocation.zygote.plan;
  CLI::App& verb = add_verb(
      group, invocation, "plan", "Plan an import tree for a workload",
      "  sockctl zygote plan --costs packages.json --workload w1.json --nodes 40\n"
      "  sockctl zygote plan --costs packages.json --workload <(zcat w1.json.gz) --nodes 640 \\\n"
      "      --memory 1g --format json > tree.json",
      [](const ZygoteOptions& options) { return zygote_plan(options.plan); });
  add_file(verb, "--costs", plan.costs, "What importing each package costs, as JSON").required();
  add_file(verb, "--workload", plan.workload, "Functions with their requirements, as JSON")
      .required();
  verb.add_option("--nodes", plan.nodes, "The most zygotes; the bare one counts")
      ->required()
      ->type_name("N");
  verb.add_option("--memory", plan.memory, "The most that all zygotes may hold together")
      ->type_name("SIZE");
  add_tree_format(verb, plan.format);
}

void describe_tree(CLI::App& group, Invocation& invocation) {
  auto& show = invocation.zygote.tree_show;
  CLI::App& tree = add_group(group, "tree", "Import trees, in files and alive",
                             "  sockctl zygote tree show tree.json\n"
                             "  sockctl zygote tree apply web tree.json --packages /srv/packages\n"
                             "  sockctl zygote tree export web");
  describe_held_trees(tree, invocation);
  CLI::App& verb =
      add_verb(tree, invocation, "show", "Show an import tree, and what it would save",
               "  sockctl zygote tree show tree.json\n"
               "  sockctl zygote tree show --costs packages.json --workload w2.json tree.json\n"
               "  sockctl zygote tree show --format openlambda tree.json > openlambda.json",
               [](const ZygoteOptions& options) { return zygote_tree_show(options.tree_show); });
  add_file(verb, "FILE", show.file, "A tree, in our format or OpenLambda's; - is stdin")
      .required()
      ->type_name("");
  CLI::Option& costs =
      add_file(verb, "--costs", show.costs, "What importing each package costs, as JSON");
  add_file(verb, "--workload", show.workload, "Predict what remains to be imported (with --costs)")
      .needs(&costs);
  add_tree_format(verb, show.format);
}

}  // namespace

void describe_zygote(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, "zygote", "Zygotes: processes to fork containers from",
                              "  sockctl zygote create ds --preload numpy,pandas\n"
                              "  sockctl zygote fork ds -- python -c 'import pandas'\n"
                              "  sockctl zygote plan --help");
  describe_held_zygotes(group, invocation);
  describe_plan(group, invocation);
  describe_tree(group, invocation);
}

}  // namespace sockctl
