// The verbs of `sockctl zygote` for import trees: planned, in files, and alive in the background
// Host.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {
namespace {

CLI::Option& add_file(CLI::App& verb, const char* name, std::string& file, const char* help) {
  return *verb.add_option(name, file, help)->type_name("FILE");
}

CLI::Option& add_costs(CLI::App& verb, std::string& file) {
  return add_file(verb, "--costs", file, "What importing each package costs, as JSON");
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
      [](Invocation& i) { return zygote_plan(i.zygote.plan); });
  add_costs(verb, plan.costs).required();
  add_file(verb, "--workload", plan.workload, "Functions with their requirements, as JSON")
      .required();
  verb.add_option("--nodes", plan.nodes, "The most zygotes; the bare one counts")
      ->required()
      ->type_name("N");
  verb.add_option("--memory", plan.memory, "The most that all zygotes may hold together")
      ->type_name("SIZE");
  add_tree_format(verb, plan.format);
}

void describe_show(CLI::App& group, Invocation& invocation) {
  auto& show = invocation.zygote.tree_show;
  CLI::App& verb =
      add_verb(group, invocation, "show", "Show an import tree, and what it would save",
               "  sockctl zygote tree show tree.json\n"
               "  sockctl zygote tree show --costs packages.json --workload w2.json tree.json\n"
               "  sockctl zygote tree show --format openlambda tree.json > openlambda.json",
               [](Invocation& i) { return zygote_tree_show(i.zygote.tree_show); });
  add_file(verb, "FILE", show.file, "A tree, in our format or OpenLambda's; - is stdin")
      .required()
      ->type_name("");
  CLI::Option& costs = add_costs(verb, show.costs);
  add_file(verb, "--workload", show.workload, "Predict what remains to be imported (with --costs)")
      .needs(&costs);
  add_tree_format(verb, show.format);
}

void describe_apply(CLI::App& group, Invocation& invocation) {
  auto& apply = invocation.zygote.tree_apply;
  CLI::App& verb = add_host_verb(
      group, invocation, "apply", "Keep an import tree of zygotes, to be forked from by packages",
      "  sockctl zygote tree apply web tree.json --packages /srv/packages --ahead\n"
      "  sockctl zygote tree apply any --packages /srv/packages --tree-memory 2g\n"
      "  sockctl zygote tree apply any --packages /srv/packages --stored /var/cache/zygotes\n"
      "  sockctl zygote fork any -r numpy==1.26.4 -- python -c 'import numpy'\n"
      "\nRequests are forked from the best zygote that imports nothing undeclared; what they miss "
      "is\n"
      "started in the background, and ended again when memory is short.",
      [](Invocation& i) { return zygote_tree_apply(i.globals, i.zygote.tree_apply); });
  verb.add_option("NAME", apply.name, "What to call it")->required()->type_name("");
  verb.add_option("FILE", apply.file, "A tree, in our format or OpenLambda's; the root without")
      ->type_name("");
  add_costs(verb, apply.costs);
  verb.add_option("--packages", apply.packages, "Installed packages: directories NAME/VERSION")
      ->type_name("DIR");
  verb.add_option("--tree-memory", apply.memory, "The most that all zygotes may hold (1g)")
      ->type_name("SIZE");
  verb.add_option("--grow-to", apply.grow_to, "The most nodes; 0: it does not grow (256)")
      ->type_name("N");
  CLI::Option& stored =
      *verb.add_option("--stored", apply.stored,
                       "Keep zygotes in snapshots too: what does not live is forked from there");
  stored.type_name("DIR");
  verb.add_option("--stored-max", apply.stored_max, "The most that all snapshots may take (4g)")
      ->needs(&stored)
      ->type_name("SIZE");
  verb.add_flag("--ahead", apply.ahead, "Start every zygote now, not when it is missed");
  add_python(verb, apply.python);
  verb.add_option("--spares", apply.spares, "Children of each zygote to keep forked ahead (0)")
      ->type_name("N");
  describe_zygote_root(verb, apply.run);
  add_format(verb, invocation);
}

void describe_export(CLI::App& group, Invocation& invocation) {
  auto& wanted = invocation.zygote.tree_export;
  CLI::App& verb = add_host_verb(
      group, invocation, "export", "Write the tree that a held one has grown into",
      "  sockctl zygote tree export any > tree.json\n"
      "  sockctl zygote tree export any --format openlambda",
      [](Invocation& i) { return zygote_tree_export(i.globals, i.zygote.tree_export); });
  verb.add_option("ZYGOTE", wanted.name, "The tree")->required()->type_name("");
  add_tree_format(verb, wanted.format);
}

}  // namespace

void describe_zygote_trees(CLI::App& group, Invocation& invocation) {
  describe_plan(group, invocation);
  CLI::App& tree = add_group(group, "tree", "Import trees, in files and alive",
                             "  sockctl zygote tree show tree.json\n"
                             "  sockctl zygote tree apply web tree.json --packages /srv/packages\n"
                             "  sockctl zygote tree export web");
  describe_show(tree, invocation);
  describe_apply(tree, invocation);
  describe_export(tree, invocation);
}

}  // namespace sockctl
