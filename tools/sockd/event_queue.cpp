// What waits is known in memory but for its text; the store is asked for that, and told of every
// change before it counts.

#include "event_queue.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "blocking.hpp"
#include "call_line.hpp"

namespace sockd {
namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::minutes longest_sleep{1};  // The clock of the machine may be set.

EventTime now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Outcome function_removed() {
  return {.kind = Outcome::Kind::unknown_function, .body = "the function was removed"};
}

}  // namespace

EventQueue::EventQueue(asio::io_context& loop, EventStore store, Dispatcher& dispatcher,
                       const InstancePool& pool, EventLimits limits, Observer observer)
    : loop_{loop},
      store_{std::move(store)},
      dispatcher_{dispatcher},
      pool_{pool},
      limits_{limits},
      observer_{std::move(observer)},
      changed_{loop},
      chance_{std::random_device{}()} {}

Result<> EventQueue::start() {
  auto events = SOCKCTL_TRY(store_.waiting());
  for (auto& event : events) {
    enter(event);
    add({.event = std::move(event)});
  }
  asio::co_spawn(loop_, deliver_all(), asio::detached);
  return {};
}

asio::awaitable<Result<>> EventQueue::accept(std::string function, std::string source,
                                             std::string text, std::string id) {
  const auto refuse = [](Errc code, std::string hint) {
    return sockctl::refuse(code, Stage::none, "event", std::move(hint));
  };
  if (is_closing_) co_return refuse(Errc::closed, "the server is ending");
  if (text.size() > most_event) co_return refuse(Errc::invalid_spec, "at most 256 KiB");
  if (!is_json(text)) co_return refuse(Errc::invalid_spec, "it is no JSON");
  const std::uint64_t size = text.size();
  if (!has_room(function, size)) co_return refuse(Errc::exhausted, "too many wait");
  Arrival arrival{.event = {.id = std::move(id),
                            .function = std::move(function),
                            .source = std::move(source),
                            .text = std::move(text),
                            .size = size,
                            .accepted = now(),
                            .due = now()},
                  .stored = asio::steady_timer{loop_, asio::steady_timer::time_point::max()}};
  enter(arrival.event);
  arrivals_.push_back(&arrival);
  if (!std::exchange(is_storing_, true)) asio::co_spawn(loop_, store_arrivals(), asio::detached);
  while (!arrival.is_stored) co_await arrival.stored.async_wait(as_values);
  co_return arrival.result;
}

// All that have come while the last ones were written, in one go.
asio::awaitable<void> EventQueue::store_arrivals() {
  while (!arrivals_.empty()) {
    const auto batch = std::exchange(arrivals_, {});
    std::vector<Event> events;
    for (Arrival* const arrival : batch) events.push_back(std::move(arrival->event));
    auto write = [this, &events] { return store_.add(events); };
    const Result<> stored = co_await run_blocking(thread_, write);
    for (Arrival* const arrival : batch) {
      arrival->result = stored;
      arrival->is_stored = true;
      arrival->stored.cancel();
    }
    for (auto& event : events) {
      event.text.clear();
      if (stored.has_value()) observer_(event.function, EventFate::accepted);
      if (stored.has_value())
        co_await add_unless_removed(std::move(event));
      else
        leave(event);
    }
    changed_.cancel();
  }
  is_storing_ = false;
}

void EventQueue::add(Waiting waiting) {
  auto& queue = queues_[waiting.event.function];
  queue.waiting.emplace(waiting.event.due, std::move(waiting));
}

// It may have gone while they were written.
asio::awaitable<void> EventQueue::add_unless_removed(Event event) {
  if (!pool_.find(event.function)) {
    const bool is_buried = co_await bury(event, function_removed());
    if (is_buried) co_return;
  }
  add({.event = std::move(event)});
}

// A function whose events nobody takes keeps a quarter of the places free for others.
bool EventQueue::has_room(const std::string& function, std::uint64_t size) const {
  if (all_.events >= limits_.waiting || all_.bytes + size > limits_.bytes) return false;
  const auto found = held_.find(function);
  const Held own = found != held_.end() ? found->second : Held{};
  return own.events < limits_.waiting - limits_.waiting / 4 &&
         own.bytes + size <= limits_.bytes - limits_.bytes / 4;
}

void EventQueue::enter(const Event& event) {
  for (Held* const held : {&all_, &held_[event.function]}) {
    ++held->events;
    held->bytes += event.size;
  }
}

/// It is not in the store any more.
void EventQueue::leave(const Event& event) {
  const auto own = held_.find(event.function);
  for (Held* const held : {&all_, &own->second}) {
    --held->events;
    held->bytes -= event.size;
  }
  if (own->second.events == 0) held_.erase(own);
}

asio::awaitable<void> EventQueue::deliver_all() {
  while (!is_closing_) {
    const auto sleep = std::min<std::chrono::milliseconds>(deliver_due() - now(), longest_sleep);
    changed_.expires_after(sleep);
    co_await changed_.async_wait(as_values);
  }
}

// In turn: a function with many events does not keep the others waiting.
EventTime EventQueue::deliver_due() {
  EventTime next = now() + longest_sleep;
  auto at = queues_.upper_bound(last_);
  for (std::size_t count = queues_.size(); count > 0; --count) {
    if (at == queues_.end()) at = queues_.begin();
    auto& [function, queue] = *at;
    const std::size_t most = most_under_way(function);
    while (!queue.waiting.empty() && queue.under_way < most && under_way_ < limits_.at_once) {
      const auto first = queue.waiting.begin();
      if (first->first > now()) {
        next = std::min(next, first->first);
        break;
      }
      first->second.removals = queue.removals;
      ++queue.under_way;
      ++under_way_;
      last_ = function;
      asio::co_spawn(loop_, deliver(function, std::move(first->second)), asio::detached);
      queue.waiting.erase(first);
    }
    const bool is_done = queue.waiting.empty() && queue.under_way == 0;
    at = is_done ? queues_.erase(at) : std::next(at);
  }
  return next;
}

// Some of the places are for other functions.
std::size_t EventQueue::most_under_way(const std::string& function) const {
  const auto found = pool_.find(function);
  const std::size_t most = std::max<std::size_t>(limits_.at_once / 4, 1);
  return found ? std::min(found->deployed->stored.spec.concurrency, most) : 1;
}

// What is not served just now may allow its events any age.
RetryPolicy EventQueue::policy_of(const std::string& function) const {
  const auto found = pool_.find(function);
  return found ? found->deployed->stored.spec.events : RetryPolicy{.event_age = most_event_age};
}

asio::awaitable<void> EventQueue::deliver(std::string function, Waiting waiting) {
  auto read = [this, &waiting] { return store_.text(waiting.event.id); };
  auto text = co_await run_blocking(thread_, read);
  Outcome outcome{.kind = Outcome::Kind::not_started};
  if (text.has_value()) {
    CallRequest request{.function = function,
                        .event = std::move(*text),
                        .id = waiting.event.id,
                        .source = waiting.event.source};
    outcome = co_await dispatcher_.call(std::move(request));
  } else {
    outcome.body = text.error().message();
  }
  co_await conclude(std::move(waiting), outcome);
  --queues_[function].under_way;
  --under_way_;
  changed_.cancel();
}

asio::awaitable<void> EventQueue::conclude(Waiting waiting, const Outcome& outcome) {
  Event& event = waiting.event;
  const double chance = std::uniform_real_distribution{}(chance_);
  const auto verdict =
      judge(event, waiting.refusals, outcome.kind, policy_of(event.function), now(), chance);
  if (verdict.kind == Verdict::Kind::done) {
    auto remove = [this, &event] { return store_.remove(event.id); };
    // What cannot be removed is delivered once more after the next start.
    [[maybe_unused]] const auto removed = co_await run_blocking(thread_, remove);
    leave(event);
    observer_(event.function, EventFate::delivered);
    co_return;
  }
  waiting.refusals = verdict.attempts == event.attempts ? waiting.refusals + 1 : 0;
  event.attempts = verdict.attempts;
  event.due = verdict.due;
  const bool is_removed = waiting.removals != queues_[event.function].removals;
  if (verdict.kind == Verdict::Kind::dead || is_removed) {
    // A statement of its own: g++ 12 destroys what a conditional expression has made twice.
    const Outcome fate = is_removed ? function_removed() : outcome;
    const bool is_buried = co_await bury(event, fate);
    if (is_buried) co_return;
    event.due = now() + longest_sleep;  // A full disk, perhaps: it is not forgotten for that.
  }
  auto postpone = [this, &event] { return store_.postpone(event.id, event.due, event.attempts); };
  [[maybe_unused]] const auto written = co_await run_blocking(thread_, postpone);
  observer_(event.function, EventFate::postponed);
  if (waiting.removals != queues_[event.function].removals) {
    const bool is_buried = co_await bury(event, function_removed());
    if (is_buried) co_return;
  }
  add(std::move(waiting));
}

asio::awaitable<bool> EventQueue::bury(const Event& event, const Outcome& outcome) {
  const DeadLetter letter{.event = event,
                          .died = now(),
                          .outcome = std::string{to_string(outcome.kind)},
                          .error = std::string{shortened(outcome.body)}};
  auto write = [this, &letter] { return store_.bury(letter); };
  const auto buried = co_await run_blocking(thread_, write);
  if (!buried.has_value()) co_return false;
  leave(event);
  observer_(event.function, EventFate::dead);
  co_return true;
}

void EventQueue::close() {
  is_closing_ = true;
  changed_.cancel();
}

asio::awaitable<void> EventQueue::settle(std::chrono::steady_clock::time_point deadline) {
  while (under_way_ > 0 && std::chrono::steady_clock::now() < deadline) {
    changed_.expires_at(deadline);
    co_await changed_.async_wait(as_values);
  }
}

std::vector<std::string> EventQueue::functions() const {
  const auto names = held_ | std::views::keys;
  return {names.begin(), names.end()};
}

EventsOfFunction EventQueue::events_of(const std::string& function) const {
  const auto found = queues_.find(function);
  if (found == queues_.end()) return {};
  return {.waiting = found->second.waiting.size(), .under_way = found->second.under_way};
}

asio::awaitable<Result<std::vector<DeadLetter>>> EventQueue::dead_letters(std::string function,
                                                                          std::size_t most) {
  auto read = [this, &function, most] { return store_.dead(function, most); };
  co_return co_await run_blocking(thread_, read);
}

asio::awaitable<Result<std::size_t>> EventQueue::revive(std::string function) {
  auto move = [this, &function] { return store_.revive(function, now()); };
  auto revived = co_await run_blocking(thread_, move);
  if (!revived.has_value()) co_return std::unexpected(revived.error());
  for (auto& event : *revived) {
    enter(event);
    observer_(function, EventFate::accepted);
    co_await add_unless_removed(std::move(event));
  }
  changed_.cancel();
  co_return revived->size();
}

asio::awaitable<Result<>> EventQueue::forget_dead(std::string function) {
  auto forget = [this, &function] { return store_.forget_dead(function); };
  co_return co_await run_blocking(thread_, forget);
}

// Those that are under way are given up when they come back, should they fail.
asio::awaitable<void> EventQueue::withdraw(std::string function) {
  const auto found = queues_.find(function);
  if (found == queues_.end()) co_return;
  ++found->second.removals;
  auto all = std::exchange(found->second.waiting, {});
  for (auto& waiting : all | std::views::values) {
    const bool is_buried = co_await bury(waiting.event, function_removed());
    if (!is_buried) add(std::move(waiting));
  }
}

}  // namespace sockd
