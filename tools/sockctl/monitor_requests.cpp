// What a monitor answers. Requests are {"verb":..., ...}; replies {"ok":true, ...} or
// {"error":...}.

#include <csignal>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "sock/container.hpp"

#include "json_values.hpp"
#include "monitor_loop.hpp"
#include "parse.hpp"
#include "snapshot_json.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"
#include "stdio_message.hpp"

namespace sockctl {
namespace {

nlohmann::json ok() {
  return {{"ok", true}};
}

template <class T>
T member(const nlohmann::json& json, const char* name, T fallback) {
  return json.value(name, fallback);
}

sock::CheckpointOptions::Memory memory_of(const nlohmann::json& request) {
  using Memory = sock::CheckpointOptions::Memory;
  const auto word = member(request, "memory", std::string{});
  if (word == "mapped") return Memory::mapped;
  return word == "copied" ? Memory::copied : Memory::automatic;
}

}  // namespace

Monitor::Reply Monitor::answer(Client& client, const nlohmann::json& request, Message& message) {
  try {
    auto reply = dispatch(client, request, message);
    if (reply.has_value()) return std::move(*reply);
    return nlohmann::json{{"error", to_json(reply.error())}};
  } catch (const nlohmann::json::exception&) {
    return nlohmann::json{
        {"error",
         to_json(Error{.code = Errc::corrupt, .stage = Stage::validate, .subject = "a request"})}};
  }
}

Result<Monitor::Reply> Monitor::dispatch(Client& client, const nlohmann::json& request,
                                         Message& message) {
  const auto verb = member(request, "verb", std::string{});
  if (verb == "inspect") return inspect();
  if (verb == "stats") return stats();
  if (verb == "pause") return pause();
  if (verb == "resume") return resume();
  if (verb == "signal") return signal(client, member(request, "number", SIGKILL));
  if (verb == "wait") return wait(client);
  if (verb == "remove") return remove(member(request, "force", false));
  if (verb == "checkpoint") return checkpoint(request);
  if (verb == "exec") return exec(client, request, message);
  return refuse(Errc::unsupported, Stage::validate, verb, "the monitor is of another version");
}

Result<> Monitor::require_running() const {
  if (container_) return {};
  return refuse(Errc::closed, Stage::none, parts_.entry.name,
                "it has exited; sockctl rm removes it");
}

Result<Monitor::Reply> Monitor::inspect() {
  constexpr std::array names{"running", "paused", "exited"};
  nlohmann::json out{{"name", parts_.entry.name},
                     {"state", names[static_cast<std::size_t>(state_)]},
                     {"monitor_pid", ::getpid()},
                     {"started", started_},
                     {"options", to_json(parts_.options)}};
  if (container_) {
    out["pid"] = container_->pid();
    out["timings"] = to_json(container_->timings());
  }
  if (status_) {
    out["exit"] = to_json(*status_);
    out["ended"] = ended_;
  }
  return Reply{{{"ok", true}, {"container", std::move(out)}}};
}

Result<Monitor::Reply> Monitor::stats() {
  nlohmann::json out = nlohmann::json::object();
  if (container_) {
    const auto now = SOCKCTL_TRY(container_->stats());
    out = to_json(now);
  } else if (final_stats_) {
    out = to_json(*final_stats_);
  }
  out["name"] = parts_.entry.name;
  if (!parts_.options.memory.empty())
    out["memory_max"] = SOCKCTL_TRY(parse_size("--memory", parts_.options.memory));
  return Reply{{{"ok", true}, {"stats", std::move(out)}}};
}

Result<Monitor::Reply> Monitor::pause() {
  SOCKCTL_TRY(require_running());
  SOCKCTL_TRY(container_->pause());
  state_ = State::paused;
  return Reply{ok()};
}

Result<Monitor::Reply> Monitor::resume() {
  SOCKCTL_TRY(require_running());
  SOCKCTL_TRY(container_->resume());
  state_ = State::running;
  return Reply{ok()};
}

// On the connection of an exec, the signal is for its process.
Result<Monitor::Reply> Monitor::signal(Client& client, int number) {
  if (client.process) {
    (void)client.process->signal(number);
    return Reply{};
  }
  SOCKCTL_TRY(require_running());
  if (number == SIGKILL) {
    SOCKCTL_TRY(container_->kill());
  } else {
    SOCKCTL_TRY(container_->signal(number));
  }
  return Reply{ok()};
}

nlohmann::json Monitor::exited_event() const {
  return {{"ok", true}, {"event", "exited"}, {"exit", to_json(*status_)}};
}

Result<Monitor::Reply> Monitor::wait(Client& client) {
  if (status_) return Reply{exited_event()};
  client.waiting = true;
  return Reply{};
}

Result<Monitor::Reply> Monitor::remove(bool force) {
  if (container_ && !force)
    return refuse(Errc::exists, Stage::none, parts_.entry.name,
                  "it is running; sockctl rm --force");
  if (container_) {
    SOCKCTL_TRY(container_->kill());
    SOCKCTL_TRY(container_ended());
  }
  ending_ = true;
  // Before the reply: whoever gets it may use the name at once.
  SOCKCTL_TRY(remove_entry());
  return Reply{ok()};
}

// Nothing else is answered meanwhile: the container stands still for the most part anyway.
Result<Monitor::Reply> Monitor::checkpoint(const nlohmann::json& request) {
  SOCKCTL_TRY(require_running());
  auto store = SOCKCTL_TRY(open_snapshot_store(member(request, "store", std::string{})));
  using After = sock::CheckpointOptions::After;
  const auto written = SOCKCTL_TRY(container_->checkpoint(
      store, {.name = member(request, "snapshot", std::string{}),
              .after = member(request, "stop", false) ? After::stop : After::keep_running,
              .origins = parts_.origins,
              .deadline = checkpoint_time,
              .memory = memory_of(request)}));
  return Reply{{{"ok", true}, {"snapshot", to_json(written)}}};
}

Result<Monitor::Reply> Monitor::exec(Client& client, const nlohmann::json& request,
                                     Message& message) {
  SOCKCTL_TRY(require_running());
  if (client.process) return refuse(Errc::exists, Stage::validate, "one exec for each connection");
  const auto stdio = SOCKCTL_TRY(stdio_of(request, message));
  sock::ExecSpec spec{.argv = member(request, "argv", std::vector<std::string>{}),
                      .env = member(request, "env", std::vector<std::string>{}),
                      .cwd = member(request, "cwd", std::string{"/"}),
                      .identity = parts_.identity,
                      .stdio = stdio};
  if (const auto user = member(request, "user", std::string{}); !user.empty()) {
    const auto ids = SOCKCTL_TRY(parse_user(user));
    spec.identity.uid = ids.uid;
    spec.identity.gid = ids.gid;
  }
  client.process.emplace(SOCKCTL_TRY(container_->exec(spec)));
  const nlohmann::json started{{"ok", true}, {"event", "started"}, {"pid", client.process->pid()}};
  // A terminal's master is the client's to relay; a client that is gone is noticed by the loop.
  const sock::FdRef master = client.process->terminal();
  (void)send_message(client.socket, started, {&master, master ? 1U : 0U});
  return Reply{};
}

}  // namespace sockctl
