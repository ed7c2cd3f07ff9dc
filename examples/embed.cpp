// Starts a container with limits, pauses, resumes and kills it.
//
//   g++ -std=c++23 embed.cpp $(pkg-config --cflags --libs sock) -o embed
//   ./embed STATE_DIR [LIBEXEC_DIR]

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "sock/sock.hpp"

namespace {

template <class T>
T must(sock::Result<T> result) {
  if (!result) {
    std::cerr << "embed: " << result.error().message() << '\n';
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  sock::Host host =
      must(sock::Host::open({.state_dir = argv[1], .libexec_dir = argc > 2 ? argv[2] : ""}));
  sock::Container container = must(host.create({
      .name = "sleeper",
      .rootfs = {.base = std::string{sock::host_image}},
      .argv = {"/bin/sleep", "60"},
      .resources = {.memory_max = 64ULL << 20U, .pids_max = 16},
  }));
  std::cout << "started " << container.name() << '\n';
  must(container.pause());
  std::cout << "paused\n";
  must(container.resume());
  std::cout << "resumed\n";
  must(container.kill());
  const sock::ExitStatus status = must(container.wait());
  std::cout << "killed: " << to_string(status.kind) << ' ' << status.value << '\n';
  return status.value == SIGKILL ? 0 : 1;
}
