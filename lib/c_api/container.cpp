// sock_container of the C interface.

#include <algorithm>

#include "base/try.hpp"
#include "c_api/handles.hpp"
#include "c_api/sized.hpp"
#include "c_api/spec.hpp"
#include "c_api/status.hpp"

using sock::Result;
using sock::c_api::at_border;
using sock::c_api::require;

namespace {

// The verbs that take nothing but the container.
int call(sock_container* container, sock_error** error, Result<> (sock::Container::*verb)()) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    return ((*container->container).*verb)();
  });
}

template <class T>
std::uint64_t counted(const std::optional<T>& value) {
  if (!value) return SOCK_NOT_COUNTED;
  if constexpr (requires { value->count(); })
    return static_cast<std::uint64_t>(value->count());
  else
    return *value;
}

sock_stats to_stats(const sock::Stats& stats) {
  sock_stats result{};
  result.memory_current = counted(stats.memory_current);
  result.memory_peak = counted(stats.memory_peak);
  result.oom_kills = counted(stats.oom_kills);
  result.cpu_total_ns = counted(stats.cpu_total);
  result.cpu_user_ns = counted(stats.cpu_user);
  result.cpu_system_ns = counted(stats.cpu_system);
  result.cpu_throttled_ns = counted(stats.cpu_throttled);
  result.pids_current = counted(stats.pids_current);
  return result;
}

}  // namespace

int sock_container_create(sock_host* host, const sock_container_spec* spec,
                          sock_container** ret_container, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(host, "host"));
    SOCK_TRY(require(ret_container, "ret_container"));
    const auto container_spec = SOCK_TRY(sock::c_api::to_spec(spec));
    auto handle = std::make_unique<sock_container>();
    handle->container = SOCK_TRY(host->host->create(container_spec));
    *ret_container = handle.release();
    return {};
  });
}

const char* sock_container_name(const sock_container* container) {
  return container == nullptr ? "" : container->container->name().c_str();
}

int sock_container_pidfd(const sock_container* container) {
  return container == nullptr ? -1 : container->container->pidfd().get();
}

int sock_container_pid(const sock_container* container) {
  return container == nullptr ? -1 : container->container->pid();
}

int sock_container_terminal(const sock_container* container) {
  return container == nullptr ? -1 : container->container->terminal().get();
}

size_t sock_container_timings(const sock_container* container, sock_timing* timings,
                              size_t capacity) {
  if (container == nullptr) return 0;
  const auto measured = container->container->timings();
  const auto copied = measured.first(timings == nullptr ? 0 : std::min(capacity, measured.size()));
  std::ranges::transform(copied, timings, [](const sock::StageTiming& timing) {
    return sock_timing{.stage = to_string(timing.stage).data(),
                       .elapsed_ns = static_cast<std::uint64_t>(timing.elapsed.count())};
  });
  return measured.size();
}

int sock_container_wait(sock_container* container, sock_exit_status* ret_status,
                        sock_error** error) {
  return sock_container_wait_for(container, UINT64_MAX, ret_status, error);
}

int sock_container_wait_for(sock_container* container, uint64_t timeout_ms,
                            sock_exit_status* ret_status, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    SOCK_TRY(sock::c_api::check_output(ret_status, "ret_status"));
    const auto deadline = sock::c_api::deadline_in(timeout_ms);
    const auto status = SOCK_TRY(container->container->wait_until(deadline));
    sock::c_api::write_sized(sock::c_api::to_status(status), ret_status);
    return {};
  });
}

int sock_container_pause(sock_container* container, sock_error** error) {
  return call(container, error, &sock::Container::pause);
}

int sock_container_resume(sock_container* container, sock_error** error) {
  return call(container, error, &sock::Container::resume);
}

int sock_container_signal(sock_container* container, int number, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    return container->container->signal(number);
  });
}

int sock_container_kill(sock_container* container, sock_error** error) {
  return call(container, error, &sock::Container::kill);
}

int sock_container_stats(const sock_container* container, sock_stats* ret_stats,
                         sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    SOCK_TRY(sock::c_api::check_output(ret_stats, "ret_stats"));
    const auto stats = SOCK_TRY(container->container->stats());
    constexpr unsigned char not_counted = 0xff;  // each byte of SOCK_NOT_COUNTED
    sock::c_api::write_sized(to_stats(stats), ret_stats, not_counted);
    return {};
  });
}

int sock_container_update(sock_container* container, const sock_limits* limits,
                          sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    SOCK_TRY(require(limits, "limits"));
    const auto resources = SOCK_TRY(sock::c_api::to_resources(*limits));
    return container->container->update(resources);
  });
}

int sock_container_exec(sock_container* container, const sock_exec_spec* spec,
                        sock_process** ret_process, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(container, "container"));
    SOCK_TRY(require(ret_process, "ret_process"));
    const auto exec_spec = SOCK_TRY(sock::c_api::to_exec_spec(spec));
    auto handle = std::make_unique<sock_process>();
    handle->process = SOCK_TRY(container->container->exec(exec_spec));
    *ret_process = handle.release();
    return {};
  });
}

void sock_container_free(sock_container* container) {
  delete container;
}
