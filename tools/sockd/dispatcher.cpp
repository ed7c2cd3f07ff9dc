// From an event to an outcome.

#include "dispatcher.hpp"

#include <csignal>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "application_sandbox.hpp"
#include "blocking.hpp"

namespace sockd {
namespace {

using Clock = InstancePool::Clock;

// For the end of a payload that has closed its channel already.
constexpr std::chrono::seconds exit_time{1};

Outcome refusal(Outcome::Kind kind, std::string why) {
  return Outcome{.kind = kind, .body = std::move(why)};
}

Outcome no_such(const std::string& function) {
  return refusal(Outcome::Kind::unknown_function,
                 fmt::format("there is no function '{}'", sock::printable(function)));
}

void note(Outcome& outcome, std::string stage, Clock::time_point since) {
  outcome.stages.push_back({.name = std::move(stage), .elapsed = Clock::now() - since});
}

std::string describe(const sock::ExitStatus& status) {
  if (status.kind == sock::ExitStatus::Kind::exited)
    return fmt::format("the function's process has ended with exit status {}", status.value);
  return fmt::format("the function's process was ended by signal {} ({})", status.value,
                     to_string(status.kind));
}

/// Of an instance that has closed its channel; nothing when it has not ended yet.
using Ending = std::optional<sock::ExitStatus>;

constexpr sock::ExitStatus out_of_memory{.kind = sock::ExitStatus::Kind::oom_killed,
                                         .value = SIGKILL};

bool has_lost_processes(const sock::Container& container) {
  const auto stats = container.stats();
  return stats.has_value() && stats->oom_kills.value_or(0) > 0;
}

Ending how_it_ended(Instance& instance) {
  constexpr int killed = 128 + SIGKILL;
  auto& container = instance.container();
  const auto status = container.wait_until(Clock::now());
  const Ending ending = status.has_value() ? *status : Ending{};
  // As a first process says it of one that it has started, and which had all the memory.
  const bool lost_one =
      ending && ending->kind == sock::ExitStatus::Kind::exited && ending->value == killed;
  return lost_one && has_lost_processes(container) ? out_of_memory : ending;
}

/// Of one that anybody has waited for: who is killed for memory closes its channel, and may take
/// longer than that to be gone.
Ending presumed_ending(Instance& instance) {
  const Ending ending = how_it_ended(instance);
  return !ending && has_lost_processes(instance.container()) ? out_of_memory : ending;
}

bool is_success(const Ending& ending) {
  return ending && ending->kind == sock::ExitStatus::Kind::exited && ending->value == 0;
}

// Not one in which an event has left something on the bus: the next one would get the answer. What
// a sandbox has not imported, each event in it imports again: until the right zygote is up, none is
// kept; and no process of an event is there any more, so nothing changes after this look.
bool may_be_reused(const Deployed& function, const Instance& instance) {
  if (!instance.is_bus_at_rest()) return false;
  if (shares_sandbox(function)) return instance.had_all_packages();
  return function.stored.spec.instances == FunctionSpec::Instances::reused;
}

using Process = asio::posix::stream_descriptor;

/// It is the container's, and stays open.
struct Borrowed {
  Process& process;
  ~Borrowed() { process.release(); }
};

void tell_ending(Outcome& outcome, const Ending& ending) {
  const bool for_memory = ending && ending->kind == sock::ExitStatus::Kind::oom_killed;
  outcome.kind = for_memory ? Outcome::Kind::out_of_memory : Outcome::Kind::exited;
  outcome.body = ending ? describe(*ending) : "the function has closed its channel";
}

}  // namespace

asio::awaitable<Outcome> Dispatcher::call(CallRequest request) {
  const auto start = Clock::now();
  Outcome outcome = co_await dispatch(request);
  observer_(request, outcome, Clock::now() - start);
  co_return outcome;
}

asio::awaitable<std::string> Dispatcher::event_of(const std::string& body) {
  if (body.empty()) co_return "null";
  auto read = [&body] { return check_event(body).has_value() ? body : as_json_text(body); };
  co_return co_await run_by_size(workers_, body.size(), read);
}

asio::awaitable<Outcome> Dispatcher::dispatch(const CallRequest& request) {
  if (pool_.is_closing()) co_return refusal(Outcome::Kind::closing, "the server is ending");
  if (!pool_.find(request.function)) co_return no_such(request.function);
  auto check = [&request] { return check_event(request.event); };
  const auto is_event = co_await run_by_size(workers_, request.event.size(), check);
  if (!is_event.has_value())
    co_return refusal(Outcome::Kind::bad_event, is_event.error().message());
  // Either may have changed meanwhile.
  if (pool_.is_closing()) co_return refusal(Outcome::Kind::closing, "the server is ending");
  const FunctionPtr function = pool_.find(request.function);
  if (!function) co_return no_such(request.function);

  const auto& spec = function->deployed->stored.spec;
  const auto start = Clock::now();
  const FunctionPtr home = pool_.home_of(function);
  auto turn = co_await pool_.wait_for_turn(home, function);
  if (!turn.has_value()) co_return refusal(turn.error().kind, turn.error().why);
  Outcome outcome{.kind = Outcome::Kind::result, .version = function->deployed->stored.version};
  note(outcome, "queue", start);
  // Two statements: g++ 12 destroys what a conditional expression has awaited.
  std::unique_ptr<Instance> instance;
  if (turn->idle)
    instance = resume(home, std::move(*turn->idle), outcome);
  else
    instance = co_await start_instance(home, request, outcome);
  if (!instance) co_return outcome;
  Call call{.id = request.id,
            .function = request.function,
            .remaining = spec.timeout,
            .event = request.event};
  if (home != function) {
    call.handler = spec.handler;
    call.wsgi = spec.wsgi;
    call.env = function->deployed->env;
  }
  const auto called = Clock::now();
  Reply reply = co_await instance->call(call, request.depth, called + spec.timeout);
  note(outcome, "call", called);
  outcome.printed = instance->output().take();
  co_await finish(home, spec.timeout, std::move(instance), std::move(reply), outcome);
  co_return outcome;
}

// On failure: empty, and the outcome says why.
std::unique_ptr<Instance> Dispatcher::resume(const FunctionPtr& function, InstancePool::Idle idle,
                                             Outcome& outcome) {
  const auto since = Clock::now();
  outcome.path = idle.is_paused ? "paused" : "warm";
  outcome.zygote = idle.instance->zygote();
  if (!idle.is_paused) return std::move(idle.instance);
  const auto& spec = function->deployed->stored.spec;
  auto& container = idle.instance->container();
  auto resumed = idle.memory < spec.memory ? container.update(resources_of(spec)) : Result<>{};
  if (resumed.has_value()) resumed = container.resume();
  note(outcome, "resume", since);
  if (resumed.has_value()) return std::move(idle.instance);
  outcome.kind = Outcome::Kind::not_started;
  outcome.body = resumed.error().message();
  pool_.dispose(function, std::move(idle.instance));
  return nullptr;
}

// On failure as resume().
asio::awaitable<std::unique_ptr<Instance>> Dispatcher::start_instance(FunctionPtr function,
                                                                      const CallRequest& request,
                                                                      Outcome& outcome) {
  const auto since = Clock::now();
  auto start = [this, function, &request] {
    return starter_.start(*function->deployed, request.id);
  };
  auto started = co_await run_blocking(workers_, start);
  if (!started.has_value()) {
    note(outcome, "start", since);
    outcome.kind = Outcome::Kind::not_started;
    outcome.body = started.error().message();
    pool_.give_up(function);
    co_return nullptr;
  }
  pool_.has_started(function);
  for (const auto& [stage, elapsed] : started->container.timings())
    outcome.stages.push_back({.name = std::string{to_string(stage)}, .elapsed = elapsed});
  note(outcome, "start", since);
  outcome.path = started->path;
  outcome.zygote = started->zygote;
  outcome.fallback = started->fallback;
  const auto& application = function->deployed->stored.spec.application;
  auto connection =
      started->bus ? bus_.connect(application, std::move(started->bus)) : Bus::ConnectionPtr{};
  co_return std::make_unique<Instance>(loop_, workers_, std::move(*started), std::move(connection));
}

// Not in a worker: whoever closes its channel and goes on would have one for that time.
asio::awaitable<void> Dispatcher::wait_for_end(Instance& instance) {
  const auto process = std::make_shared<Process>(loop_, instance.container().pidfd().get());
  const Borrowed borrowed{*process};
  asio::steady_timer timer{loop_, exit_time};
  timer.async_wait([process](boost::system::error_code failed) {
    boost::system::error_code ignored;
    if (!failed) process->cancel(ignored);
  });
  co_await process->async_wait(Process::wait_read, asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> Dispatcher::finish(FunctionPtr home, std::chrono::milliseconds timeout,
                                         std::unique_ptr<Instance> instance, Reply reply,
                                         Outcome& outcome) {
  switch (reply.kind) {
    case Reply::Kind::answered: {
      const bool is_result = reply.answer->kind == Answer::Kind::result;
      outcome.kind = is_result ? Outcome::Kind::result : Outcome::Kind::raised;
      outcome.body = std::move(reply.answer->text);
      if (may_be_reused(*home->deployed, *instance))
        pool_.release(home, std::move(instance));
      else
        pool_.dispose(home, std::move(instance));
      co_return;
    }
    case Reply::Kind::late:
      outcome.kind = Outcome::Kind::timed_out;
      outcome.body = fmt::format("it has not answered in {:.2f} seconds",
                                 std::chrono::duration<double>(timeout).count());
      break;
    case Reply::Kind::broken:
      outcome.kind = Outcome::Kind::bad_answer;
      outcome.body = std::move(reply.reason);
      break;
    case Reply::Kind::finished:
    case Reply::Kind::gone: {
      Instance* const own = instance.get();
      auto look = [own] { return how_it_ended(*own); };
      Ending ending = co_await run_blocking(workers_, look);
      if (!ending) {
        co_await wait_for_end(*own);
        auto look_again = [own] { return presumed_ending(*own); };
        ending = co_await run_blocking(workers_, look_again);
      }
      if (reply.kind == Reply::Kind::finished && is_success(ending))
        outcome.body = std::move(reply.answer->text);
      else
        tell_ending(outcome, ending);
      // What it had to say of its end.
      Printed last = instance->output().take();
      outcome.printed.text += last.text;
      outcome.printed.dropped += last.dropped;
      break;
    }
  }
  pool_.dispose(home, std::move(instance));
}

}  // namespace sockd
