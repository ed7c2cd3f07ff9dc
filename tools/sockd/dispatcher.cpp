// One rule for whoever waits: an idle instance, or one that is just being paused, or a new one
// where the function may have one more and the memory is there; if it is not, idle ones end for it.

#include "dispatcher.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "blocking.hpp"

namespace sockd {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::seconds sweep_time{10};
// For the end of a payload that has closed its channel already.
constexpr std::chrono::seconds exit_time{1};

Outcome refusal(Outcome::Kind kind, std::string why) {
  return Outcome{.kind = kind, .body = std::move(why)};
}

void note(Outcome& outcome, std::string stage, Dispatcher::Clock::time_point since) {
  outcome.stages.push_back({.name = std::move(stage), .elapsed = Dispatcher::Clock::now() - since});
}

std::string describe(const sock::ExitStatus& status) {
  if (status.kind == sock::ExitStatus::Kind::exited)
    return fmt::format("the function's process has ended with exit status {}", status.value);
  return fmt::format("the function's process was ended by signal {} ({})", status.value,
                     to_string(status.kind));
}

/// Of an instance that has closed its channel.
Outcome::Kind how_it_ended(Instance& instance, std::string& why) {
  const auto status = instance.container().wait_until(Dispatcher::Clock::now() + exit_time);
  if (!status.has_value() || !status->has_value()) {
    why = "the function has closed its channel";
    return Outcome::Kind::exited;
  }
  why = describe(**status);
  const bool for_memory = (*status)->kind == sock::ExitStatus::Kind::oom_killed;
  return for_memory ? Outcome::Kind::out_of_memory : Outcome::Kind::exited;
}

}  // namespace

Dispatcher::Dispatcher(asio::io_context& loop, asio::thread_pool& workers, Starter& starter,
                       DispatchLimits limits, Observer observer, Retired retired)
    : loop_{loop},
      workers_{workers},
      starter_{starter},
      limits_{limits},
      observer_{std::move(observer)},
      retired_{std::move(retired)},
      sweep_{loop},
      changed_{loop} {
  asio::co_spawn(loop_, end_idle_ones(), asio::detached);
}

asio::awaitable<Outcome> Dispatcher::call(CallRequest request) {
  const auto start = Clock::now();
  Outcome outcome = co_await dispatch(request);
  observer_(request, outcome, Clock::now() - start);
  co_return outcome;
}

asio::awaitable<Outcome> Dispatcher::dispatch(const CallRequest& request) {
  if (is_closing_) co_return refusal(Outcome::Kind::closing, "the server is ending");
  const auto found = functions_.find(request.function);
  if (found == functions_.end())
    co_return refusal(Outcome::Kind::unknown_function,
                      fmt::format("there is no function '{}'", sock::printable(request.function)));
  const auto& spec = found->second->deployed->stored.spec;
  auto line = line_of({.id = request.id,
                       .function = request.function,
                       .remaining = spec.timeout,
                       .event = request.event});
  if (!line.has_value()) co_return refusal(Outcome::Kind::bad_event, line.error().message());

  Waiter waiter{.function = found->second, .timer = asio::steady_timer{loop_}};
  const FunctionPtr function = waiter.function;
  const auto start = Clock::now();
  auto refused = co_await wait_for_turn(waiter);
  if (refused) co_return std::move(*refused);
  Outcome outcome{.kind = Outcome::Kind::result, .version = function->deployed->stored.version};
  note(outcome, "queue", start);
  auto instance = co_await take_up(waiter, outcome);
  if (!instance) co_return outcome;
  const auto called = Clock::now();
  const auto deadline = called + function->deployed->stored.spec.timeout;
  Reply reply = co_await instance->call(std::move(*line), deadline);
  note(outcome, "call", called);
  outcome.printed = instance->output().take();
  co_await finish(function, std::move(instance), std::move(reply), outcome);
  co_return outcome;
}

// Nothing when it may go on.
asio::awaitable<std::optional<Outcome>> Dispatcher::wait_for_turn(Waiter& waiter) {
  waiters_.push_back(&waiter);
  ++waiter.function->waiting;
  serve_waiters();
  const auto is_granted = [&] { return waiter.grant != Waiter::Grant::none; };
  if (is_granted()) co_return std::nullopt;
  const bool too_many = waiter.function->waiting > limits_.function_queue;
  if (too_many || waiters_.size() > limits_.queue) {
    leave_queue(waiter);
    co_return too_many ? refusal(Outcome::Kind::function_busy, "too many calls of it wait")
                       : refusal(Outcome::Kind::overloaded, "too many calls wait");
  }
  waiter.timer.expires_after(limits_.queue_time);
  co_await waiter.timer.async_wait(as_values);
  if (is_granted()) co_return std::nullopt;
  leave_queue(waiter);
  co_return is_closing_ ? refusal(Outcome::Kind::closing, "the server is ending")
                        : refusal(Outcome::Kind::overloaded, "it has waited too long");
}

void Dispatcher::leave_queue(Waiter& waiter) {
  waiters_.remove(&waiter);
  --waiter.function->waiting;
  retire_if_done(*waiter.function);
}

// On failure: empty, and the outcome says why.
asio::awaitable<std::unique_ptr<Instance>> Dispatcher::take_up(Waiter& waiter, Outcome& outcome) {
  const auto since = Clock::now();
  const FunctionPtr function = waiter.function;
  if (waiter.grant == Waiter::Grant::idle) {
    auto instance = std::move(waiter.idle->instance);
    outcome.path = waiter.idle->is_paused ? "paused" : "warm";
    outcome.zygote = instance->zygote();
    if (!waiter.idle->is_paused) co_return instance;
    const auto resumed = instance->container().resume();
    note(outcome, "resume", since);
    if (resumed.has_value()) co_return instance;
    outcome.kind = Outcome::Kind::not_started;
    outcome.body = resumed.error().message();
    dispose(function, std::move(instance));
    co_return nullptr;
  }
  auto start = [this, function] { return starter_.start(*function->deployed); };
  auto started = co_await run_blocking(workers_, start);
  if (!started.has_value()) {
    note(outcome, "start", since);
    outcome.kind = Outcome::Kind::not_started;
    outcome.body = started.error().message();
    forget_instance(function);
    co_return nullptr;
  }
  for (const auto& [stage, elapsed] : started->container.timings())
    outcome.stages.push_back({.name = std::string{to_string(stage)}, .elapsed = elapsed});
  note(outcome, "start", since);
  outcome.path = started->path;
  outcome.zygote = started->zygote;
  outcome.fallback = started->fallback;
  co_return std::make_unique<Instance>(loop_, std::move(*started));
}

asio::awaitable<void> Dispatcher::finish(FunctionPtr function, std::unique_ptr<Instance> instance,
                                         Reply reply, Outcome& outcome) {
  const auto& spec = function->deployed->stored.spec;
  switch (reply.kind) {
    case Reply::Kind::answered: {
      const bool is_result = reply.answer->kind == Answer::Kind::result;
      outcome.kind = is_result ? Outcome::Kind::result : Outcome::Kind::raised;
      outcome.body = std::move(reply.answer->text);
      if (spec.instances == FunctionSpec::Instances::reused)
        release(function, std::move(instance));
      else
        dispose(function, std::move(instance));
      co_return;
    }
    case Reply::Kind::late:
      outcome.kind = Outcome::Kind::timed_out;
      outcome.body = fmt::format("it has not answered in {:.2f} seconds",
                                 std::chrono::duration<double>(spec.timeout).count());
      break;
    case Reply::Kind::broken:
      outcome.kind = Outcome::Kind::bad_answer;
      outcome.body = std::move(reply.reason);
      break;
    case Reply::Kind::gone: {
      Instance* const gone = instance.get();
      std::string why;
      auto look = [gone, &why] { return how_it_ended(*gone, why); };
      outcome.kind = co_await run_blocking(workers_, look);
      outcome.body = std::move(why);
      // What it had to say of its end.
      Printed last = instance->output().take();
      outcome.printed.text += last.text;
      outcome.printed.dropped += last.dropped;
      break;
    }
  }
  dispose(function, std::move(instance));
}

// To whoever waits for it, or into the pause.
void Dispatcher::release(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  if (!function->is_served || is_closing_) {
    dispose(function, std::move(instance));
    return;
  }
  if (function->waiting > 0) {
    function->idle.push_back(
        {.instance = std::move(instance), .since = Clock::now(), .is_paused = false});
    serve_waiters();
    return;
  }
  ++function->pausing;
  asio::co_spawn(loop_, park(function, std::move(instance)), asio::detached);
}

asio::awaitable<void> Dispatcher::park(FunctionPtr function, std::unique_ptr<Instance> instance) {
  Instance* const own = instance.get();
  auto pause = [own] { return own->container().pause(); };
  const auto paused = co_await run_blocking(workers_, pause);
  --function->pausing;
  if (!paused.has_value() || !function->is_served || is_closing_) {
    dispose(function, std::move(instance));
    co_return;
  }
  function->idle.push_back(
      {.instance = std::move(instance), .since = Clock::now(), .is_paused = true});
  serve_waiters();
}

void Dispatcher::dispose(const FunctionPtr& function, std::unique_ptr<Instance> instance) {
  asio::co_spawn(loop_, end(function, std::move(instance)), asio::detached);
}

// Its memory is free only when all of it is gone.
asio::awaitable<void> Dispatcher::end(FunctionPtr function, std::unique_ptr<Instance> instance) {
  Instance* const own = instance.get();
  auto kill = [own] { return own->container().kill(); };
  [[maybe_unused]] const auto killed = co_await run_blocking(workers_, kill);
  // If that failed, its destruction tries again. The realm's would wait, if it is the last.
  auto realm = instance->realm();
  instance.reset();
  asio::post(workers_, [realm = std::move(realm)] {});
  forget_instance(function);
}

void Dispatcher::forget_instance(const FunctionPtr& function) {
  const std::uint64_t memory = function->deployed->stored.spec.memory;
  promised_ -= memory;
  leaving_ -= std::min(leaving_, memory);
  --function->instances;
  --instances_;
  retire_if_done(*function);
  changed_.cancel();
  serve_waiters();
}

void Dispatcher::serve_waiters() {
  for (const auto& function : functions_ | std::views::values) function->claimed = 0;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    Waiter& waiter = **at;
    if (!grant(waiter)) {
      ++at;
      continue;
    }
    at = waiters_.erase(at);
    --waiter.function->waiting;
    waiter.timer.cancel();
  }
}

bool Dispatcher::grant(Waiter& waiter) {
  Function& function = *waiter.function;
  if (!function.idle.empty()) {
    waiter.idle = std::move(function.idle.back());
    function.idle.pop_back();
    waiter.grant = Waiter::Grant::idle;
    return true;
  }
  if (function.claimed < function.pausing) {
    ++function.claimed;
    return false;
  }
  const auto& spec = function.deployed->stored.spec;
  if (function.instances >= spec.concurrency || !has_memory(spec.memory)) return false;
  promised_ += spec.memory;
  ++function.instances;
  ++instances_;
  waiter.grant = Waiter::Grant::start;
  return true;
}

// Where it is not there, as many idle ones end as are needed for it.
bool Dispatcher::has_memory(std::uint64_t bytes) {
  if (promised_ + bytes <= limits_.memory) return true;
  for (;;) {
    const std::uint64_t later = promised_ - leaving_ + bytes;
    const std::uint64_t before = leaving_;
    if (later <= limits_.memory) return false;
    evict_one();
    if (leaving_ == before) return false;
  }
}

void Dispatcher::evict_one() {
  FunctionPtr oldest;
  for (const auto& function : functions_ | std::views::values)
    if (!function->idle.empty() &&
        (!oldest || function->idle.front().since < oldest->idle.front().since))
      oldest = function;
  if (!oldest) return;
  leaving_ += oldest->deployed->stored.spec.memory;
  auto instance = std::move(oldest->idle.front().instance);
  oldest->idle.pop_front();
  dispose(oldest, std::move(instance));
}

void Dispatcher::serve(DeployedPtr deployed) {
  auto& function = functions_[deployed->stored.name];
  if (function) retire(function);
  function = std::make_shared<Function>(Function{.deployed = std::move(deployed)});
  serve_waiters();
}

void Dispatcher::withdraw(const std::string& name) {
  const auto found = functions_.find(name);
  if (found == functions_.end()) return;
  const FunctionPtr function = found->second;
  functions_.erase(found);
  retire(function);
}

// Those that wait for it are served by it still.
void Dispatcher::retire(const FunctionPtr& function) {
  function->is_served = false;
  for (auto& idle : std::exchange(function->idle, {})) dispose(function, std::move(idle.instance));
  retire_if_done(*function);
}

void Dispatcher::retire_if_done(const Function& function) {
  if (!function.is_served && function.instances == 0 && function.waiting == 0)
    retired_(function.deployed->stored);
}

asio::awaitable<void> Dispatcher::end_idle_ones() {
  for (;;) {
    sweep_.expires_after(sweep_time);
    auto [failed] = co_await sweep_.async_wait(as_values);
    if (failed || is_closing_) co_return;
    const auto before = Clock::now() - limits_.idle_time;
    for (const auto& function : functions_ | std::views::values)
      while (!function->idle.empty() && function->idle.front().since < before) {
        auto instance = std::move(function->idle.front().instance);
        function->idle.pop_front();
        dispose(function, std::move(instance));
      }
  }
}

asio::awaitable<void> Dispatcher::close(Clock::time_point deadline) {
  is_closing_ = true;
  sweep_.cancel();
  for (Waiter* const waiter : waiters_) waiter->timer.cancel();
  for (const auto& function : functions_ | std::views::values)
    for (auto& idle : std::exchange(function->idle, {}))
      dispose(function, std::move(idle.instance));
  while (instances_ > 0 && Clock::now() < deadline) {
    changed_.expires_at(deadline);
    co_await changed_.async_wait(as_values);
  }
}

std::vector<FunctionState> Dispatcher::functions() const {
  std::vector<FunctionState> states;
  for (const auto& function : functions_ | std::views::values)
    states.push_back({.deployed = function->deployed,
                      .instances = function->instances,
                      .idle = function->idle.size(),
                      .waiting = function->waiting});
  return states;
}

}  // namespace sockd
