// sockctl zygote create: asks the background Host for a zygote, and shows what it imports.

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "held_zygote.hpp"
#include "json_values.hpp"
#include "listing.hpp"
#include "package_cache.hpp"
#include "parse.hpp"
#include "report.hpp"
#include "terminal.hpp"
#include "zygote_client.hpp"
#include "zygote_verbs.hpp"

namespace sockctl {
namespace {

/// Beyond what one import may take (ImportSpec::deadline).
constexpr std::chrono::seconds event_time{90};

Result<std::vector<std::string>> modules_of(const std::vector<std::string>& preload) {
  std::vector<std::string> modules;
  for (const auto& list : preload) {
    for (std::size_t begin = 0; begin <= list.size();) {
      const auto end = std::min(list.find(',', begin), list.size());
      const auto module = list.substr(begin, end - begin);
      if (module.empty()) return refuse_option("--preload", list, "like numpy,pandas");
      if (std::find(modules.begin(), modules.end(), module) == modules.end())
        modules.push_back(module);
      begin = end + 1;
    }
  }
  return modules;
}

// The mistakes on the command line, before anything is started.
Result<ZygoteRequest> request_of(ZygoteCreateOptions options) {
  SOCKCTL_TRY(check_name(options.name));
  constexpr std::size_t most_spares = 64;
  if (options.spares > most_spares)
    return refuse_option("--spares", std::to_string(options.spares), "at most 64");
  for (const auto& path : options.paths)
    if (!path.starts_with('/'))
      return refuse_option("--path", path, "an absolute path in the root");
  const auto runtime = SOCKCTL_TRY(parse_runtime(options.runtime));
  if (runtime == sock::Runtime::native && !options.python.empty())
    return refuse_option("--python", options.python, "only with --runtime python");
  if (runtime == sock::Runtime::native && !options.paths.empty())
    return refuse_option("--path", options.paths.front(), "native objects have whole paths");
  if (runtime == sock::Runtime::python && options.python.empty()) options.python = "python3";
  options.run.name = options.name;
  options.run.command = {options.runtime};
  auto run = SOCKCTL_TRY(resolve(std::move(options.run), current_caller()));
  SOCKCTL_TRY(to_spec(run, current_caller()));
  SOCKCTL_TRY(pin_packages(run));
  SOCKCTL_TRY(serialise(run, "name it otherwise"));
  auto modules = SOCKCTL_TRY(modules_of(options.preload));
  return ZygoteRequest{.name = options.name,
                       .modules = std::move(modules),
                       .paths = options.paths,
                       .runtime = options.runtime,
                       .python = options.python,
                       .spares = options.spares,
                       .options = std::move(run)};
}

// Shows one module at a time: on a terminal also the one that is being imported.
class Progress {
 public:
  explicit Progress(Format format)
      : lines_{format == Format::table}, live_{lines_ && is_terminal(sock::FdRef{2})} {}

  Result<> show(const nlohmann::json& event) const {
    const auto module = sock::printable(event.value("module", ""));
    if (event.value("event", "") == "importing" && live_)
      return write_all(sock::FdRef{2}, "importing " + module + " ...");
    if (event.value("event", "") != "imported") return {};
    SOCKCTL_TRY(clear());
    if (!lines_) return {};
    return write_all(sock::FdRef{1},
                     fmt::format("{:<24} {:>10.1f} ms\n", module, event.value("ns", 0.0) / 1e6));
  }
  Result<> clear() const { return live_ ? write_all(sock::FdRef{2}, "\r\x1b[K") : Result<>{}; }

 private:
  bool lines_;
  bool live_;
};

Result<nlohmann::json> await_zygote(sock::FdRef socket, const Progress& progress) {
  for (;;) {
    auto event = next_zygote_event(socket, std::chrono::steady_clock::now() + event_time);
    if (!event.has_value()) {
      SOCKCTL_TRY(progress.clear());
      await_end_of(socket);
      return event;
    }
    if (event->contains("zygote")) return (*event)["zygote"];
    SOCKCTL_TRY(progress.show(*event));
  }
}

Result<> create(Format format, const Globals& globals, const ZygoteRequest& request) {
  const auto socket = SOCKCTL_TRY(ask_to_hold(globals, to_json(request), event_time));
  const auto zygote = SOCKCTL_TRY(await_zygote(socket, Progress{format}));
  if (format != Format::table) return print_list(format, nlohmann::json::array({zygote}), {}, {});
  return write_all(sock::FdRef{1},
                   fmt::format("{:<24} {:>10.1f} ms, pid {}\n", request.name,
                               zygote.value("import_ns", 0.0) / 1e6, zygote.value("pid", 0)));
}

}  // namespace

int zygote_create(const Globals& globals, ZygoteCreateOptions options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto request = request_of(std::move(options));
  if (!request.has_value()) return fail_usage(request.error());
  const auto done = create(*format, globals, *request);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
