// Every key is known, and has one type.

#include "settings.hpp"

#include <functional>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "parse.hpp"
#include "redis_address.hpp"

namespace sockd {
namespace {

using sock::Result;

std::unexpected<sock::Error> refuse_key(std::string_view key, std::string hint) {
  return sockctl::refuse(sock::Errc::invalid_spec, sock::Stage::validate,
                         fmt::format("setting {}", key), std::move(hint));
}

/// Takes one value, or says what it may be.
using Reader = std::function<Result<>(const std::string& key, const toml::node&)>;

Reader text(std::string& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse_key(key, "a text");
    into = *value;
    return {};
  };
}

Reader text(std::optional<std::string>& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    return text(into.emplace())(key, node);
  };
}

Reader texts(std::vector<std::string>& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    if (!node.is_array()) return refuse_key(key, "a list of texts");
    std::vector<std::string> values;
    for (const auto& each : *node.as_array()) {
      const auto value = each.value_exact<std::string>();
      if (!value) return refuse_key(key, "a list of texts");
      values.push_back(*value);
    }
    into = std::move(values);
    return {};
  };
}

Reader size(std::uint64_t& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse_key(key, "a size like \"512m\"");
    into = SOCKCTL_TRY(sockctl::parse_size(key, *value));
    return {};
  };
}

Reader duration(std::chrono::milliseconds& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse_key(key, "a time like \"10s\"");
    into = SOCKCTL_TRY(sockctl::parse_duration(key, *value));
    return {};
  };
}

Reader count(std::size_t& into, std::int64_t least = 1, std::int64_t most = 1'000'000) {
  return [&into, least, most](const std::string& key, const toml::node& node) -> Result<> {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most)
      return refuse_key(key, fmt::format("{} to {}", least, most));
    into = static_cast<std::size_t>(*value);
    return {};
  };
}

Reader redis_address(std::string& into) {
  return [&into](const std::string& key, const toml::node& node) -> Result<> {
    const auto value = node.value_exact<std::string>();
    if (!value) return refuse_key(key, "a text like \"unix:/PATH\" or \"HOST:PORT\"");
    if (!value->empty()) SOCKCTL_TRY(parse_redis_address(*value));
    into = *value;
    return {};
  };
}

Result<> read_table(const toml::table& table, Settings& settings) {
  const std::map<std::string, Reader, std::less<>> readers{
      {"state", text(settings.state)},
      {"listen", texts(settings.listen)},
      {"token_file", text(settings.token_file)},
      {"package_cache", text(settings.package_cache)},
      {"zygotes", text(settings.zygotes)},
      {"watch", texts(settings.watch)},
      {"memory", size(settings.memory)},
      {"zygote_memory", size(settings.zygote_memory)},
      {"zygote_store", size(settings.zygote_store)},
      {"spares", count(settings.spares, 0, 64)},
      {"redis", redis_address(settings.redis)},
      {"redis_user", text(settings.redis_user)},
      {"redis_password_file", text(settings.redis_password_file)},
      {"object_memory", size(settings.object_memory)},
      {"objects", count(settings.objects)},
      {"queue", count(settings.queue)},
      {"function_queue", count(settings.function_queue)},
      {"events", count(settings.events)},
      {"event_bytes", size(settings.event_bytes)},
      {"queue_time", duration(settings.queue_time)},
      {"idle_time", duration(settings.idle_time)},
      {"drain_time", duration(settings.drain_time)}};
  for (const auto& [key, node] : table) {
    const auto reader = readers.find(key.str());
    if (reader == readers.end()) return refuse_key(key.str(), "there is none of this name");
    SOCKCTL_TRY(reader->second(reader->first, node));
  }
  return {};
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t mib = 1ULL << 20U;
  return bytes % mib == 0 ? fmt::format("{}m", bytes / mib) : std::to_string(bytes);
}

std::string time_text(std::chrono::milliseconds time) {
  constexpr std::chrono::milliseconds second{1000};
  return time % second == time.zero() ? fmt::format("{}s", time / second)
                                      : fmt::format("{}ms", time.count());
}

std::string quoted(std::string_view text) {
  std::ostringstream out;
  out << toml::value<std::string>{std::string{text}};
  return std::move(out).str();
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + quoted(text);
  return "[" + list + "]";
}

}  // namespace

std::string to_toml(const Settings& settings) {
  const std::pair<const char*, std::string> lines[] = {
      {"state", quoted(settings.state)},
      {"listen", quoted(settings.listen)},
      {"token_file", quoted(settings.token_file)},
      {"package_cache", quoted(settings.package_cache)},
      {"zygotes", quoted(settings.zygotes.value_or(""))},
      {"watch", quoted(settings.watch)},
      {"memory", quoted(size_text(settings.memory))},
      {"zygote_memory", quoted(size_text(settings.zygote_memory))},
      {"zygote_store", quoted(size_text(settings.zygote_store))},
      {"spares", std::to_string(settings.spares)},
      {"redis", quoted(settings.redis)},
      {"redis_user", quoted(settings.redis_user)},
      {"redis_password_file", quoted(settings.redis_password_file)},
      {"object_memory", quoted(size_text(settings.object_memory))},
      {"objects", std::to_string(settings.objects)},
      {"queue", std::to_string(settings.queue)},
      {"function_queue", std::to_string(settings.function_queue)},
      {"queue_time", quoted(time_text(settings.queue_time))},
      {"events", std::to_string(settings.events)},
      {"event_bytes", quoted(size_text(settings.event_bytes))},
      {"idle_time", quoted(time_text(settings.idle_time))},
      {"drain_time", quoted(time_text(settings.drain_time))}};
  std::string text;
  for (const auto& [key, value] : lines) text += fmt::format("{} = {}\n", key, value);
  return text;
}

Result<> read_settings(std::string_view toml, Settings& settings) {
  try {
    return read_table(toml::parse(toml), settings);
  } catch (const toml::parse_error& error) {
    return refuse_key(fmt::format("file, line {}", error.source().begin.line),
                      std::string{error.description()});
  }
}

}  // namespace sockd
