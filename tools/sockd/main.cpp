// sockd: a platform runtime for functions. Reads its settings, puts the parts together, and runs
// until it is told to end.

#include <csignal>
#include <cstdio>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "api.hpp"
#include "blocking.hpp"
#include "globals.hpp"
#include "parse.hpp"
#include "posix.hpp"
#include "settings.hpp"

namespace sockd {
namespace {

constexpr std::size_t workers = 8;  // Each waits for the kernel most of the time.
constexpr std::size_t most_settings = 1U << 20U;
constexpr std::size_t most_token = 4096;

struct CommandLine {
  std::string config = {};
  std::string state = {};
  std::vector<std::string> listen = {};
  std::string memory = {};
  std::string package_cache = {};
  std::string libexec = {};
  std::string cgroups = "automatic";
};

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
  app.add_option("--cgroups", line.cgroups, "automatic, v2, v1, hybrid or none")->type_name("");
}

std::uint64_t half_of_the_machine() {
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 2;
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto file = SOCKCTL_TRY(sockctl::open_at(sockctl::here, path, O_RDONLY));
  return sockctl::read_all(file, most);
}

Result<Settings> settings_of(const CommandLine& line) {
  Settings settings{.state = "/var/lib/sock/sockd"};
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
  return settings;
}

Result<std::string> read_token(const Settings& settings) {
  if (settings.token_file.empty()) return std::string{};
  std::string token = SOCKCTL_TRY(read_file(settings.token_file, most_token));
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ')) token.pop_back();
  constexpr std::size_t least = 16;
  if (token.size() >= least) return token;
  return sockctl::refuse(Errc::invalid_spec, Stage::validate, settings.token_file,
                         "a token has at least 16 bytes");
}

// Without a token whoever reaches the address may call functions.
Result<> check_listening(const Settings& settings, const std::string& token) {
  if (!token.empty()) return {};
  for (const auto& address : settings.listen)
    if (!address.starts_with("127.") && !address.starts_with("[::1]:"))
      return sockctl::refuse(Errc::invalid_spec, Stage::validate, "listen " + address,
                             "beyond this machine it needs token_file");
  return {};
}

/// Made where it is missing. Containers see parts of it, so its path has no links.
Result<std::string> make_state(const std::string& given) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path path = fs::weakly_canonical(given, failed);
  if (!failed) fs::create_directories(path.parent_path(), failed);
  if (failed) return sockctl::refuse(Errc::denied, Stage::state, given, failed.message());
  SOCKCTL_TRY(sockctl::ensure_private_dir(path));
  return path.string();
}

/// Held for as long as the daemon lives.
Result<sock::UniqueFd> own_state(const std::string& state) {
  auto file = SOCKCTL_TRY(
      sockctl::open_at(sockctl::here, state + "/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (SOCKCTL_TRY(sockctl::try_lock(file, sockctl::Lock::exclusive))) return file;
  return sockctl::refuse(Errc::exists, Stage::state, state, "another sockd uses it");
}

void say(const std::string& line) {
  fmt::print("sockd: {}\n", line);
  std::fflush(stdout);
}

/// All parts, in the order in which they depend on each other.
struct Daemon {
  Settings settings;
  sock::Host& host;
  CallLog log;
  Metrics metrics = {};
  Starter starter{host,
                  {.package_cache = settings.package_cache,
                   .zygote_memory = settings.zygote_memory,
                   .memory_max = settings.memory}};
  asio::io_context loop{1};
  asio::thread_pool threads{workers};
  Registrar registrar;
  InstancePool instances{loop,
                         threads,
                         {.memory = settings.memory,
                          .queue = settings.queue,
                          .function_queue = settings.function_queue,
                          .queue_time = settings.queue_time,
                          .idle_time = settings.idle_time},
                         [this](const StoredFunction& old) { registrar.forget(old); }};
  Dispatcher dispatcher{
      loop, threads, starter, instances,
      [this](const CallRequest& request, const Outcome& outcome, std::chrono::nanoseconds elapsed) {
        metrics.count(request, outcome, elapsed);
        log.write(request, outcome, elapsed);
      }};

  EventQueue events;

  Daemon(Settings wanted, sock::Host& own_host, CallLog own_log, FunctionStore store,
         EventStore event_store)
      : settings{std::move(wanted)},
        host{own_host},
        log{std::move(own_log)},
        registrar{std::move(store), starter},
        events{loop,
               std::move(event_store),
               dispatcher,
               instances,
               {.waiting = settings.events, .bytes = settings.event_bytes},
               [this](const std::string& function, EventFate fate) {
                 metrics.count_event(function, fate);
               }} {
    registrar.attach(instances);
  }
};

// The first signal drains; a second one does not wait.
asio::awaitable<void> end_on_signal(Daemon& daemon, HttpServer& server) {
  asio::signal_set signals{daemon.loop, SIGTERM, SIGINT};
  co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
  say("ending: calls that run may end by themselves");
  server.close();
  signals.async_wait([&daemon](boost::system::error_code failed, int) {
    if (!failed) daemon.loop.stop();
  });
  daemon.events.close();
  const auto deadline = InstancePool::Clock::now() + daemon.settings.drain_time;
  co_await daemon.instances.close(deadline);
  co_await daemon.events.settle(deadline);
  daemon.loop.stop();
}

Result<> serve(const CommandLine& line) {
  Settings settings = SOCKCTL_TRY(settings_of(line));
  const std::string token = SOCKCTL_TRY(read_token(settings));
  SOCKCTL_TRY(check_listening(settings, token));
  settings.state = SOCKCTL_TRY(make_state(settings.state));
  const auto lock = SOCKCTL_TRY(own_state(settings.state));
  const sockctl::Globals globals{.libexec_dir = line.libexec, .cgroups = line.cgroups};
  const auto options = SOCKCTL_TRY(sockctl::host_options(globals, settings.state + "/host"));
  auto host = SOCKCTL_TRY(sock::Host::open(options));
  auto store = SOCKCTL_TRY(FunctionStore::open(settings.state + "/functions"));
  auto log = SOCKCTL_TRY(CallLog::open(settings.state + "/logs"));
  auto events = SOCKCTL_TRY(EventStore::open(settings.state + "/events.db"));
  Daemon daemon{settings, host, std::move(log), std::move(store), std::move(events)};
  for (const auto& [name, error] : daemon.registrar.serve_all())
    fmt::print(stderr, "sockd: {} is not served: {}\n", name, error.message());
  SOCKCTL_TRY(daemon.events.start());
  Api api{{.dispatcher = daemon.dispatcher,
           .pool = daemon.instances,
           .events = daemon.events,
           .registrar = daemon.registrar,
           .starter = daemon.starter,
           .log = daemon.log,
           .metrics = daemon.metrics},
          token};
  HttpServer server{daemon.loop, api};
  const std::string control = settings.state + "/control";
  SOCKCTL_TRY(server.listen_unix(control, Peer::owner));
  for (const auto& address : settings.listen)
    say("listening on " + SOCKCTL_TRY(server.listen_tcp(address)));
  say("ready, with " + control);
  asio::co_spawn(daemon.loop, end_on_signal(daemon, server), asio::detached);
  daemon.loop.run();
  return {};
}

// Each connection takes one descriptor, each instance three.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

int run(int count, char** words) {
  CommandLine line;
  CLI::App app;
  describe(app, line);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  ::umask(022);
  std::signal(SIGPIPE, SIG_IGN);
  sockctl::fill_stdio();
  allow_many_descriptors();
  const auto served = serve(line);
  if (served.has_value()) return 0;
  fmt::print(stderr, "sockd: {}\n", served.error().message());
  return 1;
}

}  // namespace
}  // namespace sockd

int main(int count, char** words) {
  return sockd::run(count, words);
}
