// The library as a measuring program: serves the protocol of serve.h for bench/peers.
//   usage: driver --rootfs DIR --state DIR --libexec DIR --init none|reaper
// A life includes the destruction of the Container, which gives the cgroup back.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sock/sock.hpp"

#include "serve.h"

namespace {

struct Creator {
  sock::Host& host;
  sock::ContainerSpec spec;
  std::string prefix;
  long lives = 0;
  std::vector<stage_time> stages = {};
  double running = 0;  // the start of "wait"
};

struct Setting {
  sock::Host host;
  sock::ContainerSpec spec;
  int creators = 0;
};

int complain(const sock::Error& error) {
  std::fprintf(stderr, "driver: %s\n", error.message().c_str());
  return -1;
}

void* open_creator(void* context) {
  auto& setting = *static_cast<Setting*>(context);
  const std::string prefix = "c" + std::to_string(setting.creators++) + "-";
  return std::make_unique<Creator>(Creator{setting.host, setting.spec, prefix}).release();
}

void close_creator(void* creator) {
  delete static_cast<Creator*>(creator);
}

int live(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  creator.spec.name = creator.prefix + std::to_string(creator.lives++);
  auto container = creator.host.create(creator.spec);
  if (!container) return complain(container.error());
  creator.stages.clear();
  creator.running = now_microseconds();
  const auto status = container->wait();
  if (!status) return complain(status.error());
  if (status->ok()) {
    for (const auto& [stage, elapsed] : container->timings())
      creator.stages.push_back(
          {to_string(stage).data(), static_cast<double>(elapsed.count()) / 1000});
    const double reaped = now_microseconds();
    creator.stages.push_back({"wait", reaped - creator.running});
    { const sock::Container gone = std::move(*container); }
    creator.stages.push_back({"give_back", now_microseconds() - reaped});
    return 0;
  }
  std::fprintf(stderr, "driver: the payload ended with %d\n", status->value);
  return -1;
}

std::size_t stages(void* argument, stage_time* times, std::size_t capacity) {
  const auto& all = static_cast<Creator*>(argument)->stages;
  const std::size_t count = std::min(all.size(), capacity);
  std::copy_n(all.begin(), count, times);
  return count;
}

struct Arguments {
  std::string rootfs;
  std::string state;
  std::string libexec;
  sock::Init init = sock::Init::reaper;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string_view value = argv[i + 1];
    if (option == "--rootfs")
      arguments.rootfs = value;
    else if (option == "--state")
      arguments.state = value;
    else if (option == "--libexec")
      arguments.libexec = value;
    else if (option == "--init" && value == "none")
      arguments.init = sock::Init::none;
    else if (option != "--init" || value != "reaper")
      return false;
  }
  return argc % 2 == 1 && !arguments.rootfs.empty() && !arguments.state.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs("usage: driver --rootfs DIR --state DIR --libexec DIR --init none|reaper\n", stderr);
    return 2;
  }
  auto host = sock::Host::open({.state_dir = arguments.state, .libexec_dir = arguments.libexec});
  if (!host) return complain(host.error()), 1;
  Setting setting{.host = std::move(*host),
                  .spec = {.name = "",
                           .rootfs = {.base = arguments.rootfs},
                           .argv = {"/bin/true"},
                           .init = arguments.init}};
  const subject measured{.context = &setting,
                         .open_creator = open_creator,
                         .live = live,
                         .stages = stages,
                         .close_creator = close_creator};
  return serve(&measured) == 0 ? 0 : 1;
}
