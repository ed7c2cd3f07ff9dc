// A container forked for a client: started with the client's stdio, attended until its end, killed
// when the client hangs up.

#include <array>
#include <csignal>

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "launch.hpp"
#include "parse.hpp"
#include "process_files.hpp"
#include "run_options_json.hpp"
#include "stdio_message.hpp"
#include "zygote_host.hpp"

namespace sockctl {
namespace {

// The zygote's root unless another is named, with the mounts of both.
RunOptions in_root_of(const RunOptions& zygote, RunOptions options) {
  if (options.rootfs.empty() && options.image == sock::host_image) {
    options.rootfs = zygote.rootfs;
    options.image = zygote.image;
  }
  options.volumes.insert(options.volumes.begin(), zygote.volumes.begin(), zygote.volumes.end());
  // As the zygote was given them: what it has imported must be what the container sees.
  options.cached_packages = zygote.cached_packages;
  options.package_cache = zygote.package_cache;
  options.python = zygote.python;
  return options;
}

enum class Delivery : std::uint8_t { passed_on, must_end };

// The kernel keeps signals without a handler from a payload that is pid 1 of its namespace
// (pid_namespaces(7)); to anything else they would have been the end.
Delivery deliver(sock::Container& container, int number) {
  const auto status = read_process_file(container.pid(), "status");
  if (status.has_value() && !handles_signal(*status, number)) return Delivery::must_end;
  // It may have ended meanwhile, which is noticed next.
  (void)container.signal(number);
  return Delivery::passed_on;
}

}  // namespace

Result<nlohmann::json> ZygoteSession::fork(const nlohmann::json& request, Message& message) {
  const auto zygote = SOCKCTL_TRY(host_.find(request.at("name")));
  const auto lease = SOCKCTL_TRY(zygote->lease());
  auto asked = SOCKCTL_TRY(run_options_of(request.at("options")));
  const auto options = in_root_of(zygote->options(), std::move(asked));
  auto launch = SOCKCTL_TRY(prepare_launch(options, {}));
  launch.spec.init = sock::Init::none;
  launch.spec.stdio = SOCKCTL_TRY(stdio_of(request, message));
  const auto time_limit = launch.spec.time_limit;
  const auto declared = SOCKCTL_TRY(parse_requirements(options.requirements));
  auto forked = SOCKCTL_TRY(zygote->fork(std::move(launch.spec), declared));
  sock::Container& container = forked.container;
  message.fds.clear();  // Or the client would wait for the end of its pipes.
  Deadline deadline;
  if (time_limit) deadline = std::chrono::steady_clock::now() + *time_limit;
  const sock::FdRef master = container.terminal();
  SOCKCTL_TRY(send_message(socket_,
                           {{"ok", true},
                            {"event", "started"},
                            {"pid", container.pid()},
                            {"origin", forked.told},
                            {"timings", to_json(container.timings())}},
                           {&master, master ? 1U : 0U}));
  const auto status = SOCKCTL_TRY(attend(container, deadline));
  return nlohmann::json{{"ok", true}, {"event", "exited"}, {"exit", to_json(status)}};
}

Result<sock::ExitStatus> ZygoteSession::attend(sock::Container& container, Deadline deadline) {
  const auto readable = [](sock::FdRef fd) {
    return pollfd{.fd = fd.get(), .events = POLLIN, .revents = 0};
  };
  for (;;) {
    std::array fds{readable(container.pidfd()), readable(socket_), readable(stop_)};
    // After its deadline, wait() kills it.
    if (SOCKCTL_TRY(wait_for(fds, deadline)) == 0 || fds[0].revents != 0) return container.wait();
    std::optional<Message> message;
    if (fds[2].revents == 0)
      if (auto received = receive_message(socket_); received.has_value())
        message = std::move(*received);
    const int number = message ? parse_json(message->text).value("number", SIGKILL) : SIGKILL;
    if (message && number > 0 && number != SIGKILL && number <= SIGRTMAX &&
        deliver(container, number) == Delivery::passed_on)
      continue;
    SOCKCTL_TRY(container.kill());
    SOCKCTL_TRY(container.wait());
    return sock::ExitStatus{.kind = sock::ExitStatus::Kind::signaled, .value = number};
  }
}

}  // namespace sockctl
