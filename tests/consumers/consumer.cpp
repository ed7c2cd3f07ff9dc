// What a first user writes: opens a Host, runs a container, says what happened.
//
//   consumer STATE_DIR LIBEXEC_DIR

#include <iostream>

#include <sock/sock.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto host = sock::Host::open({.state_dir = argv[1], .libexec_dir = argv[2]});
  if (!host) {
    std::cerr << host.error().message() << '\n';
    return 1;
  }
  auto container = host->create({.name = "first",
                                 .rootfs = {.base = std::string{sock::host_image}},
                                 .argv = {"/bin/sh", "-c", "exit 42"}});
  if (!container) {
    std::cerr << container.error().message() << '\n';
    return 1;
  }
  const auto status = container->wait();
  if (!status) return 1;
  std::cout << to_string(status->kind) << ' ' << status->value << '\n';
  return 0;
}
