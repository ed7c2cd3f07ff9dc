// Errors and exit statuses for people and shells.

#include "report.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "parse.hpp"
#include "posix.hpp"

namespace sockctl {

int exit_code(const sock::ExitStatus& status) {
  using Kind = sock::ExitStatus::Kind;
  switch (status.kind) {
    case Kind::exited:
      return status.value;
    case Kind::signaled:
    case Kind::oom_killed:
      return exit_status::signal_base + status.value;
    case Kind::timed_out:
      return exit_status::timed_out;
    case Kind::lost:
      break;
  }
  return exit_status::own_error;
}

int exit_code(const Error& error) {
  if (error.stage != Stage::exec) return exit_status::own_error;
  if (error.code == Errc::not_found || error.sys_errno == ENOENT) return exit_status::not_found;
  return error.sys_errno != 0 ? exit_status::cannot_execute : exit_status::own_error;
}

std::string describe(const Error& error) {
  std::string text = error.message();
  // Errors of sockctl's own system calls happen in no stage of a launch.
  constexpr std::string_view no_stage = "none: ";
  if (text.starts_with(no_stage)) text.erase(0, no_stage.size());
  return text;
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

void complain(std::string_view text) {
  // One write, so that lines of several processes do not mix; there is nobody to tell a failure.
  (void)write_all(sock::FdRef{2}, fmt::format("sockctl: {}\n", text));
}

int fail(const Error& error) {
  complain(describe(error));
  return exit_code(error);
}

int fail_usage(const Error& error) {
  complain(describe(error));
  return exit_status::usage;
}

int finish(const Result<>& done) {
  if (done.has_value()) return 0;
  return done.error().code == Errc::invalid_spec ? fail_usage(done.error()) : fail(done.error());
}

void explain_end(const std::string& name, const sock::ExitStatus& status) {
  using Kind = sock::ExitStatus::Kind;
  if (status.kind == Kind::oom_killed)
    complain(name + ": killed at its memory limit; hint: raise it with --memory");
  if (status.kind == Kind::timed_out)
    complain(name + ": killed at its time limit; hint: raise it with --wall");
  if (status.kind == Kind::lost)
    complain(name + ": its exit status was lost; another part of the process reaped it");
}

}  // namespace sockctl
