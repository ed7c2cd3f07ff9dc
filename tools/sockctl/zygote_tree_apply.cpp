// sockctl zygote tree apply: asks the background Host to keep an import tree, and shows what
// starts.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "held_tree.hpp"
#include "import_tree_view.hpp"
#include "json_values.hpp"
#include "listing.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

/// Beyond what the imports of one node may take (ImportCacheSpec::import_deadline), twice.
constexpr std::chrono::seconds event_time{150};

Result<std::string> absolute(const std::string& directory) {
  if (directory.empty() || directory.starts_with('/')) return directory;
  return current_caller().directory + "/" + directory;
}

// The mistakes on the command line, before anything is started.
Result<nlohmann::json> request_of(TreeApplyOptions options) {
  SOCKCTL_TRY(check_name(options.name));
  if (!options.memory.empty()) SOCKCTL_TRY(parse_size("--tree-memory", options.memory));
  if (!options.stored_max.empty()) SOCKCTL_TRY(parse_size("--stored-max", options.stored_max));
  options.run.name = options.name;
  options.run.command = {options.python};
  auto run = SOCKCTL_TRY(resolve(std::move(options.run), current_caller()));
  SOCKCTL_TRY(to_spec(run, current_caller()));
  SOCKCTL_TRY(serialise(run, "name it otherwise"));
  const auto packages = SOCKCTL_TRY(absolute(options.packages));
  const auto stored = SOCKCTL_TRY(absolute(options.stored));
  return to_json(TreeRequest{.python = options.python,
                             .packages = packages,
                             .memory = options.memory,
                             .stored = stored,
                             .stored_max = options.stored_max,
                             .grow_to = options.grow_to,
                             .spares = options.spares,
                             .ahead = options.ahead,
                             .options = std::move(run)});
}

Result<> add_files(nlohmann::json& request, const TreeApplyOptions& options) {
  sock::ImportTree tree;
  if (!options.file.empty()) tree = SOCKCTL_TRY(read_import_tree(options.file));
  request["tree"] = tree.to_json();
  if (!options.costs.empty()) request["costs"] = SOCKCTL_TRY(read_text(options.costs));
  return {};
}

std::string line_of(const nlohmann::json& event) {
  const auto reason = event.value("reason", "");
  return fmt::format("{:<11} {}{}\n", event.value("action", ""),
                     sock::printable(event.value("zygote", "")),
                     reason.empty() ? "" : ": " + sock::printable(reason));
}

Result<nlohmann::json> await_tree(sock::FdRef socket, Format format) {
  for (;;) {
    auto event = next_zygote_event(socket, std::chrono::steady_clock::now() + event_time);
    if (!event.has_value()) {
      await_end_of(socket);
      return event;
    }
    if (event->contains("zygote") && (*event)["zygote"].is_object()) return (*event)["zygote"];
    if (format == Format::table && event->value("event", "") == "tended")
      SOCKCTL_TRY(write_all(sock::FdRef{1}, line_of(*event)));
  }
}

Result<> apply(Format format, const Globals& globals, nlohmann::json request,
               const TreeApplyOptions& options) {
  SOCKCTL_TRY(add_files(request, options));
  const auto socket = SOCKCTL_TRY(ask_to_hold(globals, request, event_time));
  const auto tree = SOCKCTL_TRY(await_tree(socket, format));
  if (format != Format::table) return print_list(format, nlohmann::json::array({tree}), {}, {});
  return write_all(
      sock::FdRef{1},
      fmt::format("{}: {} of {} zygotes live\n", tree.value("name", ""), tree.value("living", 0),
                  tree.value("nodes", nlohmann::json::array()).size()));
}

}  // namespace

int zygote_tree_apply(const Globals& globals, const TreeApplyOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  auto request = request_of(options);
  if (!request.has_value()) return fail_usage(request.error());
  const auto done = apply(*format, globals, std::move(*request), options);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
