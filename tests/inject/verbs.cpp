// The verbs. What comes before the gate is preparation, and nothing is made to fail in it.

#include "verbs.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image_verbs.hpp"
#include "saying.hpp"
#include "zygote_verbs.hpp"

namespace sock::test {
namespace {

ContainerSpec specify(std::string name, std::vector<std::string> argv) {
  return {.name = std::move(name),
          .rootfs = {.base = std::string{host_image}},
          .argv = std::move(argv)};
}

const std::vector<std::string> short_payload{"/bin/true"};
const std::vector<std::string> long_payload{"/bin/sleep", "1000"};

/// With everything that costs system calls of its own.
ContainerSpec specify_richly() {
  ContainerSpec spec = specify("rich", short_payload);
  spec.namespaces.mount = MountNamespace::own;
  spec.namespaces.user = UserNamespace{.uids = {{0, 100000, 65536}}, .gids = {{0, 100000, 65536}}};
  spec.namespaces.network = Network::loopback();
  spec.rootfs.binds = {{"/usr/share", "/tmp/share"}};
  spec.resources.memory_max = 256U << 20U;
  spec.resources.cpu_weight = 50;
  spec.rlimits = {{"nofile", 64}};
  spec.identity.groups = {7};
  spec.stdio.terminal = Terminal{};
  spec.time_limit = std::chrono::seconds{60};
  return spec;
}

int run_to_end(Host& host, const ContainerSpec& spec) {
  auto container = host.create(spec);
  if (!container) return fail(container.error());
  return code_of(container->wait());
}

int create_richly(Host& host) {
  wait_at_gate();
  return run_to_end(host, specify_richly());
}

int create_after_gate(Host& host) {
  wait_at_gate();
  return create(host);
}

/// With a container that runs before the gate.
template <class Use>
int use_running(Host& host, Use use) {
  auto container = host.create(specify("one", long_payload));
  if (!container) return fail(container.error());
  say("running " + std::to_string(container->pid()));
  wait_at_gate();
  return use(*container);
}

/// Of a payload that ends because of what is done after the gate.
int wait_for_end(Host& host) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return misused;
  const UniqueFd reader{ends[0]};
  const UniqueFd writer{ends[1]};
  ContainerSpec spec = specify("one", {"/bin/cat"});
  spec.stdio.in = reader;
  auto container = host.create(spec);
  if (!container) return fail(container.error());
  wait_at_gate();
  ::shutdown(writer.get(), SHUT_WR);  // A call that the library does not make.
  return code_of(container->wait());
}

/// With a container that is paused before the gate.
template <class Use>
int use_paused(Host& host, Use use) {
  auto container = host.create(specify("one", long_payload));
  if (!container) return fail(container.error());
  if (const auto paused = container->pause(); !paused) return fail(paused.error());
  wait_at_gate();
  return use(*container);
}

/// What follows is the end of the handle and of the Host.
int close(Container&) {
  return succeeded;
}

int pause_and_resume(Container& container) {
  const auto paused = container.pause();
  if (!paused) return fail(paused.error());
  return code_of(container.resume());
}

int execute(Container& container) {
  auto process = container.exec({.argv = short_payload});
  if (!process) return fail(process.error());
  return code_of(process->wait());
}

/// Stays with a paused container until it is killed.
int stay_paused(Host& host) {
  auto container = host.create(specify("one", long_payload));
  if (!container) return fail(container.error());
  if (const auto paused = container->pause(); !paused) return fail(paused.error());
  say("paused");
  for (;;) ::pause();
}

/// Tells what became of the container when others killed something of it.
int watch(Container& container) {
  const auto status =
      container.wait_until(std::chrono::steady_clock::now() + std::chrono::seconds{10});
  if (!status) return fail(status.error());
  if (!*status) return fail({.code = Errc::timed_out, .stage = Stage::wait});
  say("ended " + std::string{to_string((*status)->kind)} + " " + std::to_string((*status)->value));
  return succeeded;
}

/// Until it is killed, or a create fails.
int create_forever(Host& host) {
  constexpr int threads = 4;
  std::atomic<int> result{succeeded};
  say("looping");
  {
    std::vector<std::jthread> creators;
    for (int thread = 0; thread < threads; ++thread)
      creators.emplace_back([&, thread] {
        while (result == succeeded) {
          auto made = host.create(specify("loop-" + std::to_string(thread), short_payload));
          const int code = made ? code_of(made->wait()) : fail(made.error());
          if (code != succeeded) result = code;
        }
      });
  }
  return result;
}

/// Each verb once, and more containers than could leak descriptors unnoticed.
int use_everything(Host& host) {
  constexpr int rounds = 10;
  for (int round = 0; round < rounds; ++round)
    if (const int code = create(host); code != succeeded) return code;
  auto container = host.create(specify("long", long_payload));
  if (!container) return fail(container.error());
  for (const auto& verb : {pause_and_resume, execute})
    if (const int code = verb(*container); code != succeeded) return code;
  if (const auto stats = container->stats(); !stats) return fail(stats.error());
  return code_of(container->kill());
}

}  // namespace

Result<Host> open(const std::string& state_dir) {
  HostOptions options{.state_dir = state_dir};
  options.libexec_dir = SOCK_TEST_LIBEXEC;
  options.cgroup.reserve = 2;
  return Host::open(options);
}

int create(Host& host) {
  return run_to_end(host, specify("one", short_payload));
}

HostVerb find_verb(std::string_view name, const std::string& state_dir) {
  const auto running = [](auto use) {
    return [use](Host& host) { return use_running(host, use); };
  };
  const auto paused = [](auto use) { return [use](Host& host) { return use_paused(host, use); }; };
  if (name == "create") return create_after_gate;
  if (name == "create-rich") return create_richly;
  if (name == "wait") return wait_for_end;
  if (name == "resume") return paused([](Container& it) { return code_of(it.resume()); });
  if (name == "kill-paused") return paused([](Container& it) { return code_of(it.kill()); });
  if (name == "close") return running(close);
  if (name == "close-paused") return paused(close);
  if (name == "signal") return running([](Container& it) { return code_of(it.signal(SIGTERM)); });
  if (name == "update")
    return running([](Container& it) {
      return code_of(it.update({.memory_max = 256U << 20U, .cpu_weight = 50, .pids_max = 20}));
    });
  if (name == "pause") return running(pause_and_resume);
  if (name == "exec") return running(execute);
  if (name == "kill") return running([](Container& it) { return code_of(it.kill()); });
  if (name == "stats") return running([](Container& it) { return code_of(it.stats()); });
  if (name == "watch") return running(watch);
  if (name == "paused") return stay_paused;
  if (name == "loop") return create_forever;
  if (name == "everything") return use_everything;
  if (HostVerb verb = find_image_verb(name, state_dir)) return verb;
  return find_zygote_verb(name, state_dir);
}

}  // namespace sock::test
