// A small embedding program. It calls one verb of the library while the test around it makes system
// calls fail, or kills it.
//
//   inject_driver VERB STATE_DIR [ODD_STATE]
//
// It prints one line for each thing that the test waits for ("gate", "running PID") and, on
// failure, "error STAGE: message" with exit code 3. At the gate it waits for SIGUSR1, by
// a system call that the library never makes: so the test can attach strace exactly there.

#include <new>
#include <string>
#include <string_view>

#include <signal.h>

#include "odd_states.hpp"
#include "own_leftovers.hpp"
#include "saying.hpp"
#include "verbs.hpp"

namespace sock::test {
namespace {

int open_and_create(const std::string& state_dir) {
  wait_at_gate();
  auto host = open(state_dir);
  if (!host) return fail(host.error());
  return create(*host);
}

int use(std::string_view verb, const std::string& state_dir) {
  if (verb == "recover") return code_of(Host::recover(state_dir));
  if (verb == "open") return open_and_create(state_dir);
  const HostVerb use_host = find_verb(verb, state_dir);
  if (!use_host) return misused;
  auto host = open(state_dir);
  if (!host) return fail(host.error());
  return use_host(*host);
}

/// The one exception that the library lets through counts as a clean error.
int use_all_but_memory(std::string_view verb, const std::string& state_dir) {
  try {
    return use(verb, state_dir);
  } catch (const std::bad_alloc&) {
    say("error memory: out of memory");
    return failed;
  }
}

/// Whatever became of the verb: with all handles gone, the program must own what it did before.
int run(std::string_view verb, const std::string& state_dir) {
  const OwnLeftovers leftovers;
  const int code = use_all_but_memory(verb, state_dir);
  const std::string found = leftovers.find();
  if (found.empty()) return code;
  say("leaked " + found);
  return leaked;
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
  return sock::test::run(argv[1], argv[2]);
}
