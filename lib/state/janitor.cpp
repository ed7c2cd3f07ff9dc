// Starting the janitor. The program itself is tools/janitor.

#include <array>

#include "base/try.hpp"
#include "state/instance.hpp"
#include "sys/file.hpp"
#include "sys/program.hpp"

namespace sock::state {

Janitor::Janitor(UniqueFd life_line, sys::Daemon daemon) noexcept
    : life_line_{std::move(life_line)}, daemon_{std::move(daemon)} {}

Result<Janitor> Janitor::start(const std::string& program, FdRef state_dir, const std::string& id) {
  sys::Pipe pipe = SOCK_TRY(base::in_stage(Stage::state, sys::make_pipe()));
  const std::array<std::string, 2> arguments{program, id};
  const std::array<FdRef, 2> descriptors{pipe.reader.ref(), state_dir};
  auto started = base::in_stage(Stage::state, sys::Daemon::start(arguments, descriptors));
  if (!started) {
    started.error().hint = "is sock installed, or HostOptions::libexec_dir set?";
    return std::unexpected(std::move(started).error());
  }
  return Janitor{std::move(pipe.writer), std::move(*started)};
}

Result<> Janitor::await() {
  return base::in_stage(Stage::state, daemon_.await());
}

}  // namespace sock::state
