// sockd: a platform runtime for functions. Reads its settings, puts the parts together, and runs
// until it is told to end.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "api.hpp"
#include "blocking.hpp"
#include "delegated_group.hpp"
#include "globals.hpp"
#include "held_zygotes.hpp"
#include "local_data.hpp"
#include "options.hpp"
#include "posix.hpp"
#include "redis_data.hpp"
#include "systemd.hpp"

namespace sockd {
namespace {

constexpr std::size_t workers = 16;  // Each waits for the kernel most of the time.
constexpr std::size_t prepared_cgroups = 8;
constexpr std::uint64_t least_results = 16U << 20U;  // Bytes on the bus of an application, see Bus.

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

std::unique_ptr<SharedData> make_data(const Settings& settings, std::optional<RedisAccess> redis) {
  const DataQuota quota{.bytes = settings.object_memory, .entries = settings.objects};
  if (!redis) return std::make_unique<LocalData>(quota);
  return std::make_unique<RedisData>(std::move(*redis), quota);
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
                   .zygote_directory = settings.state + "/zygotes",
                   .zygote_store = settings.zygote_store,
                   .spares = settings.spares,
                   .memory_max = settings.memory,
                   .watch = settings.watch}};
  asio::io_context loop{1};
  asio::signal_set endings{loop, SIGTERM, SIGINT};  ///< Noticed before anybody is told of us.
  LogFollowers followers{loop};
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
  std::unique_ptr<SharedData> data;
  Bus bus{loop, instances, *data, std::max(settings.object_memory, least_results)};
  Dispatcher dispatcher{
      loop,
      threads,
      starter,
      instances,
      bus,
      [this](const CallRequest& request, const Outcome& outcome, std::chrono::nanoseconds elapsed) {
        metrics.count(request, outcome, elapsed);
        // Names without end; and one that has been removed meanwhile has no log any more.
        if (!instances.find(request.function)) return;
        log.write(request, outcome, elapsed);
        followers.notify(request.function);
      }};

  EventQueue events;
  EventSources sources{loop, threads, events, settings.state + "/sources"};

  Daemon(Settings wanted, sock::Host& own_host, CallLog own_log, FunctionStore store,
         EventStore event_store, std::unique_ptr<SharedData> own_data)
      : settings{std::move(wanted)},
        host{own_host},
        log{std::move(own_log)},
        registrar{std::move(store), starter},
        data{std::move(own_data)},
        events{loop,
               std::move(event_store),
               dispatcher,
               instances,
               {.waiting = settings.events, .bytes = settings.event_bytes},
               [this](const std::string& function, EventFate fate) {
                 metrics.count_event(function, fate);
               }} {
    registrar.attach(instances, sources);
    bus.attach(dispatcher, events);
  }
};

// The first signal drains; a second one does not wait.
asio::awaitable<void> end_on_signal(Daemon& daemon, HttpServer& server) {
  co_await daemon.endings.async_wait(asio::as_tuple(asio::use_awaitable));
  say("ending: calls that run may end by themselves");
  tell_systemd("STOPPING=1\nSTATUS=Waiting for calls to end");
  server.close();
  daemon.endings.async_wait([&daemon](boost::system::error_code failed, int) {
    if (!failed) daemon.loop.stop();
  });
  daemon.sources.close();
  daemon.events.close();
  daemon.followers.close();
  const auto deadline = InstancePool::Clock::now() + daemon.settings.drain_time;
  co_await daemon.instances.close(deadline);
  co_await daemon.events.settle(deadline);
  co_await server.wait_for_answers(deadline);
  daemon.loop.stop();
}

/// Functions are served without them, too.
std::unique_ptr<HeldZygotes> hold_zygotes(const Settings& settings, sock::Host& host) {
  if (settings.zygotes.value_or("").empty()) return {};
  auto held = HeldZygotes::open(host, *settings.zygotes);
  if (held.has_value()) return std::move(*held);
  fmt::print(stderr, "sockd: sockctl's zygotes are not held: {}\n", held.error().message());
  return {};
}

// What needs it fails until it can be reached; the rest does not wait.
asio::awaitable<void> complain_of_missing_data(SharedData& data) {
  const auto reached = co_await data.reach();
  if (!reached.has_value())
    fmt::print(stderr, "sockd: objects and counters cannot be used yet: {}\n",
               reached.error().message());
}

// Of functions whose removal was not finished when the daemon before this one ended.
void withdraw_strays(Daemon& daemon) {
  const auto stored = daemon.registrar.names();
  if (!stored.has_value()) return;  // As serve_all() has said.
  for (const auto& name : daemon.events.functions()) {
    if (std::ranges::find(*stored, name) != stored->end()) continue;
    daemon.log.remove(name);
    asio::co_spawn(daemon.loop, daemon.events.withdraw(name), asio::detached);
  }
}

asio::awaitable<void> tend(SharedData& data, Bus& bus, Api& api) {
  constexpr std::chrono::seconds pause{5};
  asio::steady_timer timer{co_await asio::this_coro::executor};
  for (;;) {
    timer.expires_after(pause);
    co_await timer.async_wait(asio::use_awaitable);
    data.forget_old();
    bus.forget_results();
    api.tell_refusals();
  }
}

Result<> serve(const CommandLine& line) {
  Settings settings = SOCKCTL_TRY(settings_of(line));
  const std::string token = SOCKCTL_TRY(read_token(settings));
  const auto redis = SOCKCTL_TRY(read_redis_access(settings));
  SOCKCTL_TRY(check_listening(settings, token));
  if (line.show) fmt::print("{}", to_toml(settings));
  if (line.show || line.validate) return {};
  settings.state = SOCKCTL_TRY(make_state(settings.state));
  const auto lock = SOCKCTL_TRY(own_state(settings.state));
  const sockctl::Globals globals{.libexec_dir = line.libexec, .cgroups = line.cgroups};
  auto options = SOCKCTL_TRY(sockctl::host_options(globals, settings.state + "/host"));
  options.cgroup.reserve = prepared_cgroups;
  // Without it limits are made further up, or not at all: sockd goes on as it can.
  if (const auto moved = leave_delegated_group(); !moved.has_value())
    fmt::print(stderr, "sockd: its cgroup stays as it is: {}\n", moved.error().message());
  auto host = SOCKCTL_TRY(sock::Host::open(options));
  auto store = SOCKCTL_TRY(FunctionStore::open(settings.state + "/functions"));
  auto log = SOCKCTL_TRY(CallLog::open(settings.state + "/logs"));
  auto events = SOCKCTL_TRY(EventStore::open(settings.state + "/events.db"));
  for (const char* const part : {"/sources", "/zygotes"})
    SOCKCTL_TRY(sockctl::ensure_private_dir(settings.state + part));
  Daemon daemon{settings,          host,
                std::move(log),    std::move(store),
                std::move(events), make_data(settings, redis)};
  for (const auto& [name, error] : daemon.registrar.serve_all())
    fmt::print(stderr, "sockd: {} is not served: {}\n", name, error.message());
  SOCKCTL_TRY(daemon.events.start());
  withdraw_strays(daemon);
  const auto zygotes = hold_zygotes(settings, host);
  Api api{{.dispatcher = daemon.dispatcher,
           .pool = daemon.instances,
           .events = daemon.events,
           .registrar = daemon.registrar,
           .starter = daemon.starter,
           .log = daemon.log,
           .followers = daemon.followers,
           .metrics = daemon.metrics},
          token};
  HttpServer server{daemon.loop, api};
  const std::string control = settings.state + "/control";
  SOCKCTL_TRY(server.listen_unix(control, Peer::owner));
  for (const auto& address : settings.listen)
    say("listening on " + SOCKCTL_TRY(server.listen_tcp(address)));
  for (auto& socket : take_passed_sockets())
    say("listening on " + SOCKCTL_TRY(server.listen_passed(std::move(socket), !token.empty())));
  say("ready, with " + control);
  tell_systemd("READY=1\nSTATUS=Serving functions");
  asio::co_spawn(daemon.loop, complain_of_missing_data(*daemon.data), asio::detached);
  asio::co_spawn(daemon.loop, tend(*daemon.data, daemon.bus, api), asio::detached);
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
