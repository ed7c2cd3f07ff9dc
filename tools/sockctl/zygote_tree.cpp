// sockctl zygote tree show: a tree in a file, as a table or in another format. Starts nothing.

#include "import_tree_view.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

Result<> show(TreeFormat format, const ZygoteTreeShowOptions& options) {
  const auto tree = SOCKCTL_TRY(read_import_tree(options.file));
  sock::ImportCosts costs;
  if (!options.costs.empty()) costs = SOCKCTL_TRY(read_import_costs(options.costs));
  auto text = SOCKCTL_TRY(tree_text(format, tree, costs));
  if (format == TreeFormat::table && !options.workload.empty()) {
    const auto workload = SOCKCTL_TRY(read_workload(options.workload));
    text += forecast_line(tree, sock::forecast(tree, costs, workload));
  }
  return write_all(sock::FdRef{1}, text);
}

}  // namespace

int zygote_tree_show(const ZygoteTreeShowOptions& options) {
  const auto format = tree_format_of(options.format);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = show(*format, options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
