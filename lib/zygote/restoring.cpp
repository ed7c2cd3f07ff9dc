// The restorer is executed by its descriptor, so no root has to have it.

#include "zygote/restoring.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <signal.h>

#include "base/try.hpp"
#include "container/checked_spec.hpp"
#include "container/standard_fds.hpp"
#include "sys/clock.hpp"
#include "sys/process.hpp"
#include "wire/message.hpp"

namespace sock::zygote {
namespace {

constexpr std::size_t first_named = 3;

void put(wire::Writer& writer, wire::Field field, const std::vector<std::string>& strings) {
  std::string text;
  for (const std::string& item : strings) text.append(item).push_back('\0');
  writer.put(field, text);
}

Result<> check_restorable(const ContainerSpec& spec) {
  const auto cannot = [](std::string subject, std::string hint) {
    return base::refuse(Errc::invalid_spec, Stage::validate, std::move(subject), std::move(hint));
  };
  constexpr std::size_t most_fds = 28;  // Of 32; the restorer needs four.
  if (spec.checkpointable)
    return cannot("checkpointable", "only created containers can be written into snapshots");
  if (spec.fds.size() > most_fds) return cannot("fds", "at most 28");
  return {};
}

/// A container whose process has not confirmed its work: it is killed with its handle.
class Unconfirmed {
 public:
  explicit Unconfirmed(container::Launched launched) noexcept : launched_{std::move(launched)} {}
  Unconfirmed(const Unconfirmed&) = delete;
  Unconfirmed& operator=(const Unconfirmed&) = delete;
  ~Unconfirmed() {
    if (!launched_.pidfd) return;
    if (sys::send_signal(launched_.pidfd, SIGKILL))
      static_cast<void>(sys::reap(launched_.pidfd).has_value());
  }
  container::Launched confirm() && noexcept { return std::move(launched_); }

 private:
  container::Launched launched_;
};

}  // namespace

void restore_instead(const Image& image, FdRef channel, ContainerSpec& container) {
  const auto add = [&](const char* name, FdRef file) {
    // Any name will do that the container's own do not have: nobody is told of it.
    std::string free = name;
    while (std::ranges::count(container.fds, free, &NamedFd::name) > 0) free += "_";
    container.fds.push_back({.name = std::move(free), .fd = file});
    return std::to_string(first_named + container.fds.size() - 1);
  };
  const std::string channel_number = add("zygote", channel);
  const std::string plan = add("plan", image.plan);
  const std::string pages = add("pages", image.pages);
  const std::string restorer = add("restorer", image.restorer);
  container.argv = {"/proc/self/fd/" + restorer, channel_number, plan, pages};
  container.env.clear();
}

Result<> tell_to_serve(const Peer& channel) {
  std::array<std::byte, 64> memory;
  return channel.send(wire::Writer{memory, wire::Kind::serve}.message(), {});
}

Result<> tell_to_run(const Peer& channel, const ContainerSpec& spec) {
  std::vector<std::string> env = spec.env;
  if (!spec.fds.empty()) env.push_back(container::names_of(spec.fds));
  std::vector<std::byte> memory(wire::most_bytes);
  wire::Writer writer{memory, wire::Kind::run};
  put(writer, wire::Field::argv, spec.argv);
  put(writer, wire::Field::env, env);
  return channel.send(writer.message(), {});
}

Result<container::Launched> launch_restored(container::Workshop& workshop, const Image& image,
                                            const ContainerSpec& spec,
                                            std::chrono::milliseconds deadline) {
  const auto until = sys::deadline_in(deadline);
  SOCK_TRY(check_restorable(spec));
  SOCK_TRY(container::check(spec));
  Peer::Ends ends = SOCK_TRY(base::in_stage(Stage::restore, Peer::make()));
  SOCK_TRY(base::in_stage(Stage::restore, tell_to_run(ends.here, spec)));
  ContainerSpec inner = spec;
  restore_instead(image, ends.there, inner);
  auto launched = SOCK_TRY(container::launch(workshop, inner));
  const std::int64_t executed = sys::monotonic_nanoseconds();
  Unconfirmed unconfirmed{std::move(launched)};
  ends.there.reset();  // So that the process's end is noticed.
  SOCK_TRY(base::in_stage(Stage::restore, ends.here.expect(wire::Kind::hello, until)));
  container::Launched confirmed = std::move(unconfirmed).confirm();
  confirmed.origin = Origin::restored;
  confirmed.timings.push_back(
      {.stage = Stage::restore,
       .elapsed = std::chrono::nanoseconds{sys::monotonic_nanoseconds() - executed}});
  return confirmed;
}

}  // namespace sock::zygote
