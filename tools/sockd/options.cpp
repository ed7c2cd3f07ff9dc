// Options win over the file.

#include "options.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "globals.hpp"
#include "parse.hpp"
#include "posix.hpp"

namespace sockd {
namespace {

using sock::Errc;
using sock::Result;
using sock::Stage;

constexpr std::size_t most_settings = 1U << 20U;
constexpr std::size_t most_secret = 4096;
/// The state of the daemon that is there for everybody, and for sockctl's zygotes.
constexpr const char* machines_own = "/var/lib/sock/sockd";

std::uint64_t half_of_the_machine() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 2;
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto file = SOCKCTL_TRY(sockctl::open_at(sockctl::here, path, O_RDONLY));
  return sockctl::read_all(file, most);
}

/// What an editor has left behind it is no part of it.
Result<std::string> read_secret(const std::string& path) {
  std::string secret = SOCKCTL_TRY(read_file(path, most_secret));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == ' ')) secret.pop_back();
  return secret;
}

}  // namespace

void describe(CLI::App& app, CommandLine& line) {
  app.description("A platform runtime: functions in lean containers, called over HTTP");
  app.footer(
      "Examples:\n"
      "  sockd --listen 127.0.0.1:8080\n"
      "  sockctl fn create hello examples/functions/hello\n"
      "  curl -d '{\"name\":\"you\"}' http://127.0.0.1:8080/run/hello");
  app.set_version_flag("--version", SOCKD_VERSION);
  app.add_option("--config", line.config, "A file of settings, in TOML")->type_name("FILE");
  app.add_option("--state", line.state, "Functions, logs and the control socket")->type_name("DIR");
  app.add_option("--listen", line.listen, "Where calls come in; may be given again")
      ->type_name("ADDRESS:PORT")
      ->allow_extra_args(false);
  app.add_option("--memory", line.memory, "For all instances (half of the machine's)")
      ->type_name("SIZE");
  app.add_option("--package-cache", line.package_cache, "Where packages are")->type_name("DIR");
  app.add_option("--libexec", line.libexec, "Where sock-init and sock-janitor are")
      ->type_name("DIR");
  auto* const show = app.add_flag("--show-config", line.show, "Print the settings, and end");
  app.add_flag("--validate-config", line.validate, "Only say whether the settings can be")
      ->excludes(show);
  app.add_option("--cgroups", line.cgroups, "automatic, v2, v1, hybrid or none")->type_name("");
}

Result<Settings> settings_of(const CommandLine& line) {
  Settings settings{.state = machines_own};
  if (!line.config.empty()) {
    const auto text = SOCKCTL_TRY(read_file(line.config, most_settings));
    SOCKCTL_TRY(read_settings(text, settings));
  }
  if (!line.state.empty()) settings.state = line.state;
  if (!line.listen.empty()) settings.listen = line.listen;
  if (!line.package_cache.empty()) settings.package_cache = line.package_cache;
  if (!line.memory.empty())
    settings.memory = SOCKCTL_TRY(sockctl::parse_size("--memory", line.memory));
  if (settings.memory == 0) settings.memory = half_of_the_machine();
  if (!settings.zygotes && settings.state == machines_own)
    settings.zygotes = SOCKCTL_TRY(sockctl::state_dir({}));
  if (settings.zygotes == settings.state)
    return sockctl::refuse(Errc::invalid_spec, Stage::validate, "setting zygotes",
                           "a directory of sockctl's, not the daemon's own");
  return settings;
}

Result<std::string> read_token(const Settings& settings) {
  if (settings.token_file.empty()) return std::string{};
  std::string token = SOCKCTL_TRY(read_secret(settings.token_file));
  constexpr std::size_t least = 16;
  if (token.size() >= least) return token;
  return sockctl::refuse(Errc::invalid_spec, Stage::validate, settings.token_file,
                         "a token has at least 16 bytes");
}

Result<std::optional<RedisAccess>> read_redis_access(const Settings& settings) {
  const std::string& file = settings.redis_password_file;
  if (settings.redis.empty() && !file.empty())
    return sockctl::refuse(Errc::invalid_spec, Stage::validate, "setting redis_password_file",
                           "it is of use with redis alone");
  if (file.empty() && !settings.redis_user.empty())
    return sockctl::refuse(Errc::invalid_spec, Stage::validate, "setting redis_user",
                           "it is of use with redis_password_file alone");
  if (settings.redis.empty()) return std::optional<RedisAccess>{};
  RedisAccess access{.address = {}, .user = settings.redis_user};
  access.address = SOCKCTL_TRY(parse_redis_address(settings.redis));
  if (file.empty()) return std::optional{std::move(access)};
  access.password = SOCKCTL_TRY(read_secret(file));
  if (access.password.empty())
    return sockctl::refuse(Errc::invalid_spec, Stage::validate, file, "there is no password in it");
  return std::optional{std::move(access)};
}

Result<> check_listening(const Settings& settings, const std::string& token) {
  if (!token.empty()) return {};
  for (const auto& address : settings.listen)
    if (!address.starts_with("127.") && !address.starts_with("[::1]:"))
      return sockctl::refuse(Errc::invalid_spec, Stage::validate, "listen " + address,
                             "beyond this machine it needs token_file");
  return {};
}

}  // namespace sockd
