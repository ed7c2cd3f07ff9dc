// sockctl zygote tree export: the tree that a held import cache has grown into.

#include <nlohmann/json.hpp>

#include "import_tree_view.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

constexpr std::chrono::seconds answer_time{30};

Result<> write_tree(const Globals& globals, TreeFormat format, const std::string& name) {
  const auto socket = SOCKCTL_TRY(connect_to_holder_of(globals, name));
  SOCKCTL_TRY(send_message(socket, {{"verb", "export"}, {"name", name}}));
  const auto answer =
      SOCKCTL_TRY(next_zygote_event(socket, std::chrono::steady_clock::now() + answer_time));
  const auto tree = SOCKCTL_TRY(sock::ImportTree::parse(answer.value("tree", "")));
  const auto text = SOCKCTL_TRY(tree_text(format, tree, {}));
  return write_all(sock::FdRef{1}, text);
}

}  // namespace

int zygote_tree_export(const Globals& globals, const TreeExportOptions& options) {
  const auto format = tree_format_of(options.format);
  if (!format.has_value()) return fail_usage(format.error());
  const auto done = write_tree(globals, *format, options.name);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
