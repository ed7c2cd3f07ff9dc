// Starts a container with limits, pauses, resumes and kills it.
//
//   g++ -std=c++23 embed.cpp $(pkg-config --cflags --libs sock) -o embed
//   ./embed STATE_DIR [LIBEXEC_DIR]

#include <csignal>
#include <iostream>

#include "sock/sock.hpp"

int main(int argc, char** argv) try {
  if (argc < 2) return 2;
  auto host = sock::Host::open({.state_dir = argv[1], .libexec_dir = argc > 2 ? argv[2] : ""});
  auto container = host.value().create({
      .name = "sleeper",
      .rootfs = {.base = std::string{sock::host_image}},
      .argv = {"/bin/sleep", "60"},
      .resources = {.memory_max = 64ULL << 20U, .pids_max = 16},
  });
  std::cout << "started " << container.value().name() << '\n';
  container->pause().value();
  std::cout << "paused\n";
  container->resume().value();
  std::cout << "resumed\n";
  container->kill().value();
  const sock::ExitStatus status = container->wait().value();
  std::cout << "killed: " << to_string(status.kind) << ' ' << status.value << '\n';
  return status.value == SIGKILL ? 0 : 1;
} catch (const std::bad_expected_access<sock::Error>& failure) {
  std::cerr << "embed: " << failure.error().message() << '\n';
  return 1;
}
