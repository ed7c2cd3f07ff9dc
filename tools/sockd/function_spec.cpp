// Every key is known, and has one type.

#include "function_spec.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <ranges>
#include <span>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "call_line.hpp"
#include "cron.hpp"
#include "parse.hpp"

namespace sockd {
namespace {

constexpr std::size_t most_concurrency = 10'000;
constexpr std::chrono::milliseconds most_timeout = std::chrono::minutes{15};
constexpr std::size_t name_max = 64;
constexpr std::size_t most_sources = 16;

std::unexpected<Error> refuse_key(std::string_view key, std::string hint) {
  return sockctl::refuse(Errc::invalid_spec, Stage::validate,
                         fmt::format("{}: {}", function_file, key), std::move(hint));
}

/// Nothing where the key is not there.
template <class T>
Result<std::optional<T>> find(const toml::table& table, std::string_view key,
                              const char* expected) {
  const auto* const node = table.get(key);
  if (node == nullptr) return std::optional<T>{};
  auto value = node->value_exact<T>();
  if (!value) return refuse_key(key, expected);
  return value;
}

/// A list of texts, each of which `read` understands.
template <class T>
Result<std::vector<T>> find_list(const toml::table& table, std::string_view key,
                                 const std::string& expected, Result<T> (*read)(std::string_view)) {
  std::vector<T> values;
  const auto* const node = table.get(key);
  if (node == nullptr) return values;
  if (!node->is_array()) return refuse_key(key, expected);
  for (const auto& each : *node->as_array()) {
    const auto text = each.value_exact<std::string>();
    if (!text) return refuse_key(key, expected);
    auto value = read(*text);
    if (!value.has_value()) return refuse_key(key, expected);
    values.push_back(std::move(*value));
  }
  return values;
}

Result<std::string> read_module(std::string_view text) {
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  if (!text.empty() && text.find_first_not_of(letters) == std::string_view::npos)
    return std::string{text};
  return sockctl::refuse(Errc::invalid_spec, Stage::validate, std::string{text});
}

Result<std::vector<std::string>> environment_of(const toml::table& table) {
  constexpr std::string_view key = "env";
  std::vector<std::string> env;
  const auto* const node = table.get(key);
  if (node == nullptr) return env;
  if (!node->is_table()) return refuse_key(key, "a table of texts");
  for (const auto& [name, each] : *node->as_table()) {
    const auto value = each.value_exact<std::string>();
    const bool fits = value && !name.str().empty() && !name.str().contains('=') &&
                      !value->contains('\0') && !name.str().contains('\0');
    if (!fits) return refuse_key(fmt::format("{}.{}", key, name.str()), "NAME = \"text\"");
    env.push_back(fmt::format("{}={}", name.str(), *value));
  }
  return env;
}

Result<> refuse_unknown(const toml::table& table) {
  static constexpr std::array known{
      "runtime", "handler",     "wsgi",      "packages",    "imports",   "memory",
      "timeout", "env",         "instances", "application", "arguments", "concurrency",
      "retries", "retry_delay", "event_age", "schedule",    "directory", "sandbox"};
  for (const auto& [key, value] : table)
    if (std::ranges::find(known, key.str()) == known.end())
      return refuse_key(key.str(), fmt::format("there is no such key: {}", fmt::join(known, ", ")));
  return {};
}

Result<FunctionRuntime> runtime_of(const toml::table& table) {
  const char* const expected = "\"python\", \"native\" or \"exec\"";
  const auto text = SOCKCTL_TRY(find<std::string>(table, "runtime", expected)).value_or("python");
  for (const auto runtime :
       {FunctionRuntime::python, FunctionRuntime::native, FunctionRuntime::exec})
    if (text == to_string(runtime)) return runtime;
  return refuse_key("runtime", expected);
}

bool is_function_of_module(std::string_view handler) {
  const auto colon = handler.find(':');
  return colon != 0 && colon != std::string_view::npos && colon + 1 != handler.size() &&
         !handler.starts_with('-');
}

/// Below the function's directory, without a way out of it.
bool is_path_below(std::string_view handler) {
  for (const auto part : std::views::split(handler, '/')) {
    const std::string_view name{part.begin(), part.end()};
    if (name.empty() || name == "." || name == "..") return false;
  }
  return !handler.empty();
}

Result<std::string> handler_of(const toml::table& table, FunctionRuntime runtime) {
  const bool is_python = runtime == FunctionRuntime::python;
  const char* const expected =
      is_python ? "\"module:function\"" : "the path of a file in the directory";
  auto handler = SOCKCTL_TRY(find<std::string>(table, "handler", expected));
  if (!handler) return refuse_key("handler", fmt::format("it is missing: {}", expected));
  const bool fits = is_python ? is_function_of_module(*handler) : is_path_below(*handler);
  if (!fits || handler->contains('\0')) return refuse_key("handler", expected);
  return std::move(*handler);
}

Result<std::string> read_argument(std::string_view text) {
  if (!text.contains('\0')) return std::string{text};
  return sockctl::refuse(Errc::invalid_spec, Stage::validate, "arguments");
}

/// Keys that mean something for other runtimes alone.
Result<> refuse_foreign(const toml::table& table, FunctionRuntime runtime) {
  const auto refuse = [&](const char* key) {
    return refuse_key(key, fmt::format("of no meaning for {}", to_string(runtime)));
  };
  if (runtime != FunctionRuntime::python)
    for (const char* const key : {"wsgi", "imports"})
      if (table.contains(key)) return refuse(key);
  if (runtime == FunctionRuntime::native && table.contains("packages")) return refuse("packages");
  if (runtime != FunctionRuntime::exec && table.contains("arguments")) return refuse("arguments");
  return {};
}

// Each is text in the file, as on sockctl's command line.
Result<> read_limits(const toml::table& table, FunctionSpec& spec) {
  if (const auto text = SOCKCTL_TRY(find<std::string>(table, "memory", "a size like \"128m\"")))
    spec.memory = SOCKCTL_TRY(sockctl::parse_size("memory", *text));
  constexpr std::uint64_t least_memory = 4U << 20U;
  if (spec.memory < least_memory) return refuse_key("memory", "at least \"4m\"");
  if (const auto text = SOCKCTL_TRY(find<std::string>(table, "timeout", "a time like \"3s\"")))
    spec.timeout = SOCKCTL_TRY(sockctl::parse_duration("timeout", *text));
  if (spec.timeout > most_timeout) return refuse_key("timeout", "at most \"15m\"");
  const auto concurrency = SOCKCTL_TRY(find<std::int64_t>(table, "concurrency", "a number"));
  if (concurrency && (*concurrency < 1 || *concurrency > std::int64_t{most_concurrency}))
    return refuse_key("concurrency", fmt::format("1 to {}", most_concurrency));
  if (concurrency) spec.concurrency = static_cast<std::size_t>(*concurrency);
  return {};
}

Result<> read_events(const toml::table& table, RetryPolicy& events) {
  constexpr unsigned most_retries = 100;
  const auto retries = SOCKCTL_TRY(find<std::int64_t>(table, "retries", "a number"));
  if (retries && (*retries < 0 || *retries > std::int64_t{most_retries}))
    return refuse_key("retries", fmt::format("0 to {}", most_retries));
  if (retries) events.retries = static_cast<unsigned>(*retries);
  if (const auto text = SOCKCTL_TRY(find<std::string>(table, "retry_delay", "a time like \"60s\"")))
    events.delay = SOCKCTL_TRY(sockctl::parse_duration("retry_delay", *text));
  if (const auto text = SOCKCTL_TRY(find<std::string>(table, "event_age", "a time like \"6h\"")))
    events.event_age = SOCKCTL_TRY(sockctl::parse_duration("event_age", *text));
  if (events.delay > most_event_age || events.delay < std::chrono::milliseconds{1})
    return refuse_key("retry_delay", "1ms to 14 days");
  if (events.event_age > most_event_age) return refuse_key("event_age", "at most 14 days");
  return {};
}

/// The tables [[key]], each of texts with these names.
Result<std::vector<std::map<std::string, std::string, std::less<>>>> tables_of(
    const toml::table& table, std::string_view key, std::span<const std::string_view> names) {
  std::vector<std::map<std::string, std::string, std::less<>>> tables;
  const auto* const node = table.get(key);
  if (node == nullptr) return tables;
  const std::string expected =
      fmt::format("tables [[{}]] of texts: {}", key, fmt::join(names, ", "));
  if (!node->is_array() || node->as_array()->size() > most_sources)
    return refuse_key(key, fmt::format("at most {} {}", most_sources, expected));
  for (const auto& each : *node->as_array()) {
    if (!each.is_table()) return refuse_key(key, expected);
    auto& texts = tables.emplace_back();
    for (const auto& [name, value] : *each.as_table()) {
      const auto text = value.value_exact<std::string>();
      if (!text || std::ranges::find(names, name.str()) == names.end())
        return refuse_key(fmt::format("{}.{}", key, name.str()), expected);
      texts.emplace(name.str(), *text);
    }
  }
  return tables;
}

Result<> read_schedules(const toml::table& table, std::vector<Schedule>& schedules) {
  constexpr std::array<std::string_view, 2> names{"cron", "event"};
  const auto tables = SOCKCTL_TRY(tables_of(table, "schedule", names));
  for (const auto& texts : tables) {
    if (!texts.contains("cron")) return refuse_key("schedule.cron", "it is missing");
    Schedule schedule{.cron = texts.find("cron")->second};
    SOCKCTL_TRY(Cron::parse(schedule.cron));
    if (const auto event = texts.find("event"); event != texts.end())
      schedule.event = event->second;
    if (!schedule.event.empty() && !check_event(schedule.event).has_value())
      return refuse_key("schedule.event", "a text that is JSON");
    schedules.push_back(std::move(schedule));
  }
  return {};
}

Result<> read_directories(const toml::table& table, std::vector<WatchedDirectory>& directories) {
  constexpr std::array<std::string_view, 2> names{"path", "at"};
  const auto tables = SOCKCTL_TRY(tables_of(table, "directory", names));
  for (const auto& texts : tables) {
    WatchedDirectory directory{.path = {}};
    if (const auto path = texts.find("path"); path != texts.end()) directory.path = path->second;
    if (const auto at = texts.find("at"); at != texts.end()) directory.at = at->second;
    for (const auto& path : {directory.path, directory.at})
      if (!path.starts_with('/') || !is_path_below(std::string_view{path}.substr(1)) ||
          path.contains('\0'))
        return refuse_key("directory", "path and at are absolute paths");
    directories.push_back(std::move(directory));
  }
  return {};
}

// Whose events are in one container have what that has in common: a root, a limit, an end.
Result<> read_sandbox(const toml::table& table, FunctionSpec& spec) {
  const char* const kinds = "\"own\" or \"application\"";
  const auto text = SOCKCTL_TRY(find<std::string>(table, "sandbox", kinds)).value_or("own");
  if (text != "own" && text != "application") return refuse_key("sandbox", kinds);
  if (text == "own") return {};
  spec.sandbox = FunctionSpec::Sandbox::application;
  const char* why = nullptr;
  if (spec.runtime != FunctionRuntime::python) why = "only functions in Python can share one";
  if (spec.application.empty()) why = "that of which `application`?";
  if (table.contains("instances")) why = "in one that is shared, each event has its own process";
  if (!spec.directories.empty()) why = "one that is shared has no `directory`";
  if (why != nullptr) return refuse_key("sandbox", why);
  return {};
}

Result<FunctionSpec> read_function(const toml::table& table) {
  SOCKCTL_TRY(refuse_unknown(table));
  const auto runtime = SOCKCTL_TRY(runtime_of(table));
  SOCKCTL_TRY(refuse_foreign(table, runtime));
  auto handler = SOCKCTL_TRY(handler_of(table, runtime));
  FunctionSpec spec{.runtime = runtime, .handler = std::move(handler)};
  spec.arguments =
      SOCKCTL_TRY(find_list<std::string>(table, "arguments", "a list of texts", read_argument));
  spec.wsgi = SOCKCTL_TRY(find<bool>(table, "wsgi", "true or false")).value_or(false);
  spec.packages = SOCKCTL_TRY(find_list<sock::Package>(
      table, "packages", R"(a list like ["numpy==1.24.2", "pandas"])", sock::Package::parse));
  spec.imports = SOCKCTL_TRY(
      find_list<std::string>(table, "imports", R"(a list like ["PIL.Image"])", read_module));
  SOCKCTL_TRY(read_limits(table, spec));
  SOCKCTL_TRY(read_events(table, spec.events));
  SOCKCTL_TRY(read_schedules(table, spec.schedules));
  SOCKCTL_TRY(read_directories(table, spec.directories));
  const char* const kinds = "\"reused\" or \"fresh\"";
  const auto instances =
      SOCKCTL_TRY(find<std::string>(table, "instances", kinds)).value_or("reused");
  if (instances != "reused" && instances != "fresh") return refuse_key("instances", kinds);
  if (runtime == FunctionRuntime::exec && table.contains("instances") && instances != "fresh")
    return refuse_key("instances", "each call of a program has one of its own");
  const bool is_fresh = instances == "fresh" || runtime == FunctionRuntime::exec;
  if (is_fresh) spec.instances = FunctionSpec::Instances::fresh;
  spec.application = SOCKCTL_TRY(find<std::string>(table, "application", "a name")).value_or("");
  if (!spec.application.empty() && !check_function_name(spec.application).has_value())
    return refuse_key("application", "letters, digits, - and _, at most 64");
  SOCKCTL_TRY(read_sandbox(table, spec));
  spec.env = SOCKCTL_TRY(environment_of(table));
  return spec;
}

}  // namespace

std::string_view to_string(FunctionRuntime runtime) {
  switch (runtime) {
    case FunctionRuntime::python:
      return "python";
    case FunctionRuntime::native:
      return "native";
    case FunctionRuntime::exec:
      return "exec";
  }
  return "";
}

Result<FunctionSpec> parse_function(std::string_view toml) {
  if (toml.size() > most_function_text) return refuse_key("the file", "it has more than 64 KiB");
  try {
    return read_function(toml::parse(toml));
  } catch (const toml::parse_error& error) {
    return refuse_key(fmt::format("line {}", error.source().begin.line),
                      std::string{error.description()});
  }
}

Result<> check_function_name(std::string_view name) {
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  const bool fits =
      !name.empty() && name.size() <= name_max && is_word(name.front()) &&
      std::ranges::all_of(name, [&](char c) { return is_word(c) || c == '-' || c == '_'; });
  if (fits) return {};
  return sockctl::refuse(Errc::invalid_spec, Stage::validate,
                         fmt::format("function '{}'", sock::printable(name)),
                         "letters, digits, - and _, at most 64");
}

}  // namespace sockd
