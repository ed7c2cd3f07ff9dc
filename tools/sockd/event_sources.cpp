// A coroutine for each source, which ends when its function gets another version.

#include "event_sources.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "blocking.hpp"
#include "cron.hpp"
#include "directory_mark.hpp"
#include "directory_watch.hpp"
#include "posix.hpp"

namespace sockd {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
constexpr auto refused_time = 1s;     // Until an event that was not accepted is tried again.
constexpr auto gone_time = 2s;        // Until a directory that is gone is looked for again.
constexpr auto longest_sleep = 1min;  // The clock of the machine may be set.

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::chrono::nanoseconds now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

std::string event_of(const Schedule& schedule, Cron::Time time) {
  if (!schedule.event.empty()) return schedule.event;
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  return text_of(
      {{"schedule", schedule.cron}, {"time", fmt::format("{:%FT%TZ}", fmt::gmtime(seconds))}});
}

std::string event_of(const WatchedDirectory& directory, const FoundFile& file) {
  return text_of({{"directory", directory.path},
                  {"name", file.name},
                  {"path", directory.at + "/" + file.name},
                  {"size", file.size}});
}

/// What has come to a directory since it was last looked at. Blocking: it asks for each file.
std::vector<FoundFile> new_files(const std::string& directory, const DirectoryMark& mark) {
  auto files = files_of(directory);
  std::erase_if(files, [&](const FoundFile& file) { return !mark.is_behind(file); });
  return files;
}

}  // namespace

/// One schedule or directory, of one version of a function.
struct EventSources::Source {
  asio::io_context& loop;
  asio::thread_pool& workers;
  EventQueue& queue;
  std::string function;
  asio::steady_timer timer;
  std::unique_ptr<DirectoryWatch> watch = {};
  bool is_stopped = false;
  bool has_complained = false;

  void stop();
  void complain(const std::string& what, const sock::Error& error);
  asio::awaitable<void> sleep(std::chrono::nanoseconds time);
  /// Until it is accepted, or this source is stopped.
  asio::awaitable<void> emit(const char* kind, std::string event);
  asio::awaitable<void> emit_all(const WatchedDirectory& directory, std::vector<FoundFile> files,
                                 DirectoryMark& mark);
  asio::awaitable<void> follow(const WatchedDirectory& directory, DirectoryMark& mark);
  // They keep the source.
  static asio::awaitable<void> run(std::shared_ptr<Source> source, Schedule schedule, Cron cron);
  static asio::awaitable<void> run(std::shared_ptr<Source> source, WatchedDirectory directory,
                                   std::string mark_file);
};

void EventSources::Source::stop() {
  is_stopped = true;
  timer.cancel();
  if (watch) watch->stop();
}

asio::awaitable<void> EventSources::Source::sleep(std::chrono::nanoseconds time) {
  timer.expires_after(std::chrono::duration_cast<asio::steady_timer::duration>(time));
  if (!is_stopped) co_await timer.async_wait(as_values);
}

// Said once, however often it is tried.
void EventSources::Source::complain(const std::string& what, const sock::Error& error) {
  if (std::exchange(has_complained, true)) return;
  fmt::print(stderr, "sockd: {}: {}: {}\n", function, what, error.message());
}

asio::awaitable<void> EventSources::Source::emit(const char* kind, std::string event) {
  while (!is_stopped) {
    const auto accepted = co_await queue.accept(function, kind, event, new_request_id());
    if (accepted.has_value()) has_complained = false;
    if (accepted.has_value()) co_return;
    complain(fmt::format("an event of a {} is not accepted", kind), accepted.error());
    if (accepted.error().code == Errc::invalid_spec) co_return;
    co_await sleep(refused_time);
  }
}

// Times that have passed while nothing ran, or while an event was not accepted, are left out.
asio::awaitable<void> EventSources::Source::run(std::shared_ptr<Source> source, Schedule schedule,
                                                Cron cron) {
  while (!source->is_stopped) {
    const auto next =
        cron.next(std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()));
    if (!next) co_return;
    while (!source->is_stopped && now() < next->time_since_epoch())
      co_await source->sleep(
          std::min<std::chrono::nanoseconds>(next->time_since_epoch() - now(), longest_sleep));
    std::string event = event_of(schedule, *next);
    co_await source->emit("schedule", std::move(event));
  }
}

asio::awaitable<void> EventSources::Source::run(std::shared_ptr<Source> source,
                                                WatchedDirectory directory, std::string mark_file) {
  DirectoryMark mark{std::move(mark_file), directory.path, now()};
  while (!source->is_stopped) {
    auto opened = DirectoryWatch::open(source->loop, directory.path);
    if (opened.has_value()) {
      source->watch = std::move(*opened);
      co_await source->follow(directory, mark);
      source->watch.reset();
    } else {
      source->complain("a directory cannot be watched", opened.error());
    }
    co_await source->sleep(gone_time);
  }
}

// What has come before the watch is looked for; what comes from now on is told.
asio::awaitable<void> EventSources::Source::follow(const WatchedDirectory& directory,
                                                   DirectoryMark& mark) {
  const auto look = [&] { return new_files(directory.path, mark); };
  auto files = co_await run_blocking(workers, look);
  std::set<FoundFile> looked_at{files.begin(), files.end()};  // The watch may tell of them as well.
  while (!is_stopped) {
    co_await emit_all(directory, std::move(files), mark);
    if (is_stopped) co_return;
    auto arrivals = co_await watch->wait();
    if (!arrivals) co_return;
    files = std::move(arrivals->files);
    std::erase_if(files, [&](const FoundFile& file) { return looked_at.contains(file); });
    if (!arrivals->missed) continue;
    files = co_await run_blocking(workers, look);
    looked_at = {files.begin(), files.end()};
  }
}

asio::awaitable<void> EventSources::Source::emit_all(const WatchedDirectory& directory,
                                                     std::vector<FoundFile> files,
                                                     DirectoryMark& mark) {
  for (const auto& file : files) {
    std::string event = event_of(directory, file);
    co_await emit("directory", std::move(event));
    if (is_stopped) co_return;
    mark.advance(file);
  }
}

std::shared_ptr<EventSources::Source> EventSources::add(const std::string& function) {
  auto source = std::make_shared<Source>(Source{.loop = loop_,
                                                .workers = workers_,
                                                .queue = queue_,
                                                .function = function,
                                                .timer = asio::steady_timer{loop_}});
  sources_[function].push_back(source);
  return source;
}

void EventSources::serve(const StoredFunction& function) {
  stop(function.name);
  for (const auto& schedule : function.spec.schedules) {
    const auto cron = Cron::parse(schedule.cron);  // It was understood before.
    if (cron.has_value())
      asio::co_spawn(loop_, Source::run(add(function.name), schedule, *cron), asio::detached);
  }
  for (std::size_t i = 0; const auto& directory : function.spec.directories)
    asio::co_spawn(loop_,
                   Source::run(add(function.name), directory,
                               fmt::format("{}/{}-{}", marks_, function.name, i++)),
                   asio::detached);
}

void EventSources::stop(const std::string& function) {
  const auto found = sources_.find(function);
  if (found == sources_.end()) return;
  for (const auto& source : found->second) source->stop();
  sources_.erase(found);
}

// If it comes back, what has come meanwhile is not its own.
void EventSources::withdraw(const std::string& function) {
  stop(function);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{marks_, ignored})
    if (const std::string name = entry.path().filename();
        name.substr(0, name.rfind('-')) == function)
      fs::remove(entry.path(), ignored);
}

void EventSources::close() {
  while (!sources_.empty()) stop(std::string{sources_.begin()->first});
}

}  // namespace sockd
