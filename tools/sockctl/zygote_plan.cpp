// sockctl zygote plan: a tree for a workload, from measured costs. Starts nothing.

#include "import_tree_view.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

Result<sock::PlanOptions> plan_options(const ZygotePlanOptions& options) {
  sock::PlanOptions plan{.nodes = options.nodes};
  if (!options.memory.empty())
    plan.memory_max = SOCKCTL_TRY(parse_size("--memory", options.memory));
  return plan;
}

Result<> print_plan(TreeFormat format, const ZygotePlanOptions& options,
                    const sock::PlanOptions& plan) {
  const auto costs = SOCKCTL_TRY(read_import_costs(options.costs));
  const auto workload = SOCKCTL_TRY(read_workload(options.workload));
  const auto tree = SOCKCTL_TRY(sock::plan_import_tree(costs, workload, plan));
  auto text = SOCKCTL_TRY(tree_text(format, tree, costs));
  if (format == TreeFormat::table)
    text += forecast_line(tree, sock::forecast(tree, costs, workload));
  return write_all(sock::FdRef{1}, text);
}

}  // namespace

int zygote_plan(const ZygotePlanOptions& options) {
  const auto format = tree_format_of(options.format);
  if (!format.has_value()) return fail_usage(format.error());
  const auto plan = plan_options(options);
  if (!plan.has_value()) return fail_usage(plan.error());
  const auto done = print_plan(*format, options, *plan);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
