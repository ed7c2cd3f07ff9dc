// A small embedding program. It calls one verb of the library while the test around it makes system
// calls fail, or kills it.
//
//   inject_driver VERB STATE_DIR [ODD_STATE]
//
// It prints one line for each thing that the test waits for ("gate", "running PID") and, on
// failure, "error STAGE: message" with exit code 3. At the gate it waits for SIGUSR1, by
// a system call that the library never makes: so the test can attach strace exactly there.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <signal.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "odd_states.hpp"

namespace sock::test {
namespace {

enum ExitCode { succeeded = 0, misused = 2, failed = 3 };

int fail(const Error& error) {
  std::printf("error %s: %s\n", std::string{to_string(error.stage)}.c_str(),
              error.message().c_str());
  std::fflush(stdout);
  return failed;
}

template <class T>
int code_of(const Result<T>& result) {
  return result ? succeeded : fail(result.error());
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void wait_at_gate() {
  say("gate");
  sigset_t go;
  ::sigemptyset(&go);
  ::sigaddset(&go, SIGUSR1);
  // An EINTR storm may interrupt it.
  while (::sigwaitinfo(&go, nullptr) != SIGUSR1) {
  }
}

Result<Host> open(const std::string& state_dir) {
  HostOptions options{.state_dir = state_dir};
  options.libexec_dir = SOCK_TEST_LIBEXEC;
  options.cgroup.reserve = 2;
  return Host::open(options);
}

ContainerSpec specify(std::string name, std::vector<std::string> argv) {
  return {.name = std::move(name),
          .rootfs = {.base = std::string{host_image}},
          .argv = std::move(argv)};
}

const std::vector<std::string> short_payload{"/bin/true"};
const std::vector<std::string> long_payload{"/bin/sleep", "1000"};

int create(Host& host) {
  auto container = host.create(specify("one", short_payload));
  if (!container) return fail(container.error());
  return code_of(container->wait());
}

int open_and_create(const std::string& state_dir) {
  wait_at_gate();
  auto host = open(state_dir);
  if (!host) return fail(host.error());
  return create(*host);
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

using HostVerb = std::function<int(Host&)>;

HostVerb find_verb(std::string_view name) {
  const auto running = [](auto use) {
    return [use](Host& host) { return use_running(host, use); };
  };
  if (name == "create") return create_after_gate;
  if (name == "pause") return running(pause_and_resume);
  if (name == "exec") return running(execute);
  if (name == "kill") return running([](Container& it) { return code_of(it.kill()); });
  if (name == "stats") return running([](Container& it) { return code_of(it.stats()); });
  if (name == "watch") return running(watch);
  if (name == "paused") return stay_paused;
  if (name == "loop") return create_forever;
  if (name == "everything") return use_everything;
  return {};
}

int run(std::string_view verb, const std::string& state_dir) {
  if (verb == "recover") return code_of(Host::recover(state_dir));
  if (verb == "open") return open_and_create(state_dir);
  const HostVerb use = find_verb(verb);
  if (!use) return misused;
  auto host = open(state_dir);
  if (!host) return fail(host.error());
  return use(*host);
}

}  // namespace
}  // namespace sock::test

int main(int argc, char** argv) {
  if (argc < 3) return sock::test::misused;
  sigset_t go;
  ::sigemptyset(&go);
  ::sigaddset(&go, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &go, nullptr);
  if (argc > 3 && !sock::test::enter_odd_state(argv[3])) return sock::test::misused;
  try {
    return sock::test::run(argv[1], argv[2]);
  } catch (const std::bad_alloc&) {
    // The one exception that the library lets through.
    std::puts("error memory: out of memory");
    return sock::test::failed;
  }
}
