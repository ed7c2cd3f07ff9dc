// sockctl fn: what sockd is asked.

#include <algorithm>
#include <functional>

#include <fcntl.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "daemon_client.hpp"
#include "function_code.hpp"
#include "function_verbs.hpp"
#include "json_values.hpp"
#include "listing.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

using nlohmann::json;

constexpr sock::FdRef out{1};
constexpr const char* functions = "/api/functions";
constexpr std::size_t most_event = 6U << 20U;

std::string path_of(const std::string& name) {
  return fmt::format("{}/{}", functions, name);
}

// It becomes part of a path.
Result<> check_function(const std::string& name) {
  const bool fits = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  if (fits) return {};
  return refuse(Errc::invalid_spec, Stage::validate, "function '" + name + "'",
                "letters, digits, - and _, at most 64");
}

Result<DaemonReply> must(const FunctionOptions& options, const DaemonRequest& request) {
  auto reply = SOCKCTL_TRY(ask_daemon(options.daemon, request));
  constexpr unsigned first_refusal = 300;
  if (reply.status >= first_refusal) return std::unexpected(error_of(reply));
  return reply;
}

Result<json> must_have_json(const FunctionOptions& options, const DaemonRequest& request) {
  const auto reply = SOCKCTL_TRY(must(options, request));
  auto value = parse_json(reply.body);
  if (value.is_null()) return refuse(Errc::corrupt, Stage::none, "sockd", "its answer is no JSON");
  return value;
}

Result<> put(const Globals& globals, const FunctionOptions& options, const char* condition) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  SOCKCTL_TRY(check_function(options.name));
  auto code = SOCKCTL_TRY(pack_function(options.code));
  const auto made = SOCKCTL_TRY(must_have_json(options, {.method = "PUT",
                                                         .path = path_of(options.name),
                                                         .body = std::move(code),
                                                         .headers = {{condition, "*"}}}));
  if (format != Format::table) return write_all(out, line_of(made) + "\n");
  return write_all(out, fmt::format("{} version {}\n", options.name, made.value("version", 0)));
}

Result<> list(const Globals& globals, const FunctionOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto all = SOCKCTL_TRY(must_have_json(options, {.method = "GET", .path = functions}));
  std::vector<std::vector<std::string>> rows;
  std::string names;
  for (const auto& each : all) {
    names += each.at("name").get<std::string>() + "\n";
    rows.push_back({each.at("name"), std::to_string(each.at("version").get<unsigned>()),
                    each.at("handler"), human_size(each.at("memory")),
                    fmt::format("{} ms", each.at("timeout_ms").get<std::uint64_t>()),
                    std::to_string(each.at("now").at("instances").get<unsigned>()),
                    std::to_string(each.at("now").at("idle").get<unsigned>()), each.at("updated")});
  }
  if (options.quiet) return write_all(out, names);
  using enum Column::Align;
  return print_list(format, all,
                    {{"NAME"},
                     {"VERSION", right},
                     {"HANDLER"},
                     {"MEMORY", right},
                     {"TIMEOUT", right},
                     {"INSTANCES", right},
                     {"IDLE", right},
                     {"UPDATED"}},
                    rows);
}

Result<> inspect(const Globals& globals, const FunctionOptions& options) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  json objects = json::array();
  for (const auto& name : options.names) {
    SOCKCTL_TRY(check_function(name));
    objects.push_back(
        SOCKCTL_TRY(must_have_json(options, {.method = "GET", .path = path_of(name)})));
  }
  return print_list(format == Format::jsonl ? Format::jsonl : Format::json, objects, {}, {});
}

Result<> remove(const FunctionOptions& options) {
  for (const auto& name : options.names) {
    SOCKCTL_TRY(check_function(name));
    SOCKCTL_TRY(must(options, {.method = "DELETE", .path = path_of(name)}));
  }
  return {};
}

Result<std::string> event_of(const std::string& given) {
  if (!given.starts_with('@')) return given;
  const std::string path = given == "@-" ? "/dev/stdin" : given.substr(1);
  const auto file = SOCKCTL_TRY(open_at(here, path, O_RDONLY));
  return read_all(file, most_event);
}

Result<int> invoke(const FunctionOptions& options) {
  SOCKCTL_TRY(check_function(options.name));
  auto event = SOCKCTL_TRY(event_of(options.event));
  DaemonRequest request{.method = "POST",
                        .path = fmt::format("/2015-03-31/functions/{}/invocations", options.name),
                        .body = std::move(event)};
  if (options.later) request.headers["X-Amz-Invocation-Type"] = "Event";
  const auto reply = SOCKCTL_TRY(ask_daemon(options.daemon, request));
  const auto header = [&](const char* name) -> std::string {
    const auto found = reply.headers.find(name);
    return found != reply.headers.end() ? found->second : "";
  };
  if (options.timings && !options.later)
    SOCKCTL_TRY(write_all(sock::FdRef{2},
                          fmt::format("{}: {}\n", header("x-sock-path"), header("server-timing"))));
  constexpr unsigned first_refusal = 300;
  if (reply.status >= first_refusal) {
    const auto refused = parse_json(reply.body);
    Error error = error_of(reply);
    if (refused.is_object() && refused.contains("Message") && refused["Message"].is_string())
      error.hint = refused["Message"];
    return std::unexpected(error);
  }
  SOCKCTL_TRY(write_all(out, (options.later ? header("x-amzn-requestid") : reply.body) + "\n"));
  return header("x-amz-function-error").empty() ? 0 : 1;
}

Result<> show_dead_letters(const Globals& globals, const FunctionOptions& options,
                           const std::string& path) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  const auto letters = SOCKCTL_TRY(must_have_json(options, {.method = "GET", .path = path}));
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : letters)
    rows.push_back({each.at("request_id"), each.at("accepted"),
                    std::to_string(each.at("attempts").get<unsigned>()), each.at("outcome"),
                    sock::printable(each.at("error").get<std::string>())});
  return print_list(
      format, letters,
      {{"REQUEST"}, {"ACCEPTED"}, {"ATTEMPTS", Column::Align::right}, {"OUTCOME"}, {"ERROR"}},
      rows);
}

Result<> dead_letters(const Globals& globals, const FunctionOptions& options) {
  SOCKCTL_TRY(check_function(options.name));
  const std::string path = path_of(options.name) + "/dead-letters";
  if (options.forget) {
    SOCKCTL_TRY(must(options, {.method = "DELETE", .path = path}));
    return {};
  }
  if (!options.deliver) return show_dead_letters(globals, options, path);
  const auto revived = SOCKCTL_TRY(must_have_json(options, {.method = "POST", .path = path}));
  return write_all(out, fmt::format("{} wait again\n", revived.value("revived", 0)));
}

std::string position_of(const DaemonReply& reply) {
  const auto found = reply.headers.find("x-sock-log-position");
  return found != reply.headers.end() ? found->second : "";
}

Result<> logs(const FunctionOptions& options) {
  SOCKCTL_TRY(check_function(options.name));
  const auto reply = SOCKCTL_TRY(must(
      options, {.method = "GET",
                .path = fmt::format("{}/logs?lines={}", path_of(options.name), options.lines)}));
  SOCKCTL_TRY(write_all(out, reply.body));
  auto position = position_of(reply);
  while (options.follow) {
    const auto more = SOCKCTL_TRY(
        must(options, {.method = "GET",
                       .path = fmt::format("{}/logs?after={}", path_of(options.name), position)}));
    SOCKCTL_TRY(write_all(out, more.body));
    position = position_of(more);
  }
  return {};
}

}  // namespace

int function_create(const Globals& globals, const FunctionOptions& options) {
  return finish(put(globals, options, "If-None-Match"));
}

int function_update(const Globals& globals, const FunctionOptions& options) {
  return finish(put(globals, options, "If-Match"));
}

int function_ls(const Globals& globals, const FunctionOptions& options) {
  return finish(list(globals, options));
}

int function_inspect(const Globals& globals, const FunctionOptions& options) {
  return finish(inspect(globals, options));
}

int function_rm(const Globals&, const FunctionOptions& options) {
  return finish(remove(options));
}

int function_invoke(const Globals&, const FunctionOptions& options) {
  const auto done = invoke(options);
  return done.has_value() ? *done : finish(std::unexpected(done.error()));
}

int function_dead_letters(const Globals& globals, const FunctionOptions& options) {
  return finish(dead_letters(globals, options));
}

int function_logs(const Globals&, const FunctionOptions& options) {
  return finish(logs(options));
}

}  // namespace sockctl
