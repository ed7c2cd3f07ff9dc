// From a channel to main().

#include "native/payload.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "native/events.hpp"
#include "server/channel.hpp"
#include "server/environment.hpp"
#include "server/work.hpp"

namespace sock::zygote {
namespace {

/// Of the C library; what it takes from the kernel (arc4random) differs by itself.
void reseed() noexcept {
  struct {
    unsigned random;
    long rand48;
  } seeds{};
  if (::getrandom(&seeds, sizeof seeds, GRND_NONBLOCK) < 0) return;
  ::srandom(seeds.random);
  ::srand48(seeds.rand48);
}

/// The strings of a message as main() and environ have them: where they are, in memory that is this
/// process's alone and stays to its end.
struct Strings {
  int count = 0;
  char** list = nullptr;  ///< Ends with a null.

  /// False: the last one has no end.
  bool read(const wire::FieldView& field) noexcept {
    std::size_t number = 0;
    if (!wire::for_each_string(field, [&](std::string_view) { ++number; })) return false;
    list = static_cast<char**>(std::calloc(number + 1, sizeof *list));
    if (list == nullptr) return false;
    return wire::for_each_string(
        field, [&](std::string_view text) { list[count++] = const_cast<char*>(text.data()); });
  }
};

/// Descriptors 0, 1 and 2 are others now; what the streams remember is of the zygote's.
void renew_stdio() noexcept {
  ::__fpurge(stdin);
  std::clearerr(stdin);
  if (::isatty(STDOUT_FILENO) != 0) std::setvbuf(stdout, nullptr, _IOLBF, 0);
}

int run(const Object& object, const Strings& argv) noexcept {
  ::prctl(PR_SET_NAME, object.file_name());  // What ps shows.
  renew_stdio();
  const sock_handler& handler = object.handler;
  return handler.main != nullptr ? handler.main(argv.count, argv.list) : serve_events(handler);
}

}  // namespace

void prepare_payload(const Objects& objects) noexcept {
  reseed();
  objects.after_fork();
}

void run_payload(int channel, const Objects& objects) noexcept {
  prepare_payload(objects);
  static Work work;
  Inbox inbox;
  // Else it is a spare that nobody needs any more.
  if (inbox.receive(channel) != Inbox::Outcome::message || !work.read(inbox)) ::_exit(0);
  Strings argv;
  Strings env;
  if (!argv.read(work.argv()) || !env.read(work.env()) || argv.count == 0) ::_exit(0);
  const Object* const object = objects.find(argv.list[0]);
  if (object == nullptr) work.refuse(channel, ENOENT);
  work.confine(channel);
  inbox.forget_descriptors();
  ::environ = env.list;
  forget_first_environment();
  std::exit(run(*object, argv));
}

}  // namespace sock::zygote
