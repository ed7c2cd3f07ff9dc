// How a container's cost grows with those that are there: serves the protocol of serve.h for
// bench/growth.
//   usage: growth_driver --how create|fork --modules A,B|- --python PROGRAM --rootfs DIR
//                        --state DIR --libexec DIR [--store DIR --image NAME]
// `keep N` makes idle containers, or ends some, until there are N; it answers with the count and
// the mean of what each holds, in bytes. A life is one more container: `create` as in driver.cpp,
// `fork` until the first statement of the payload, as in zygote_driver.cpp. With an image it is
// created from that, which is taken from its store each time.

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "grown_zygote.hpp"
#include "module_list.hpp"
#include "options.hpp"
#include "process_memory.hpp"
#include "serve.h"

namespace {

enum class How { create, fork };

struct Arguments {
  How how = How::create;
  std::vector<std::string> modules;
  std::string python;
  std::string rootfs;  // has /bin/true and /bin/wait
  std::string state;
  std::string libexec;
  std::string store;
  std::string image;  // has /bin/true too
};

struct Pipe {
  sock::UniqueFd reader;
  sock::UniqueFd writer;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  return {sock::UniqueFd{ends[0]}, sock::UniqueFd{ends[1]}};
}

struct Setting {
  const Arguments& arguments;
  sock::Host host;
  Pipe out = make_pipe();
  Pipe in = make_pipe();  // never written to: who reads from it is idle
  long names = 0;
  std::optional<sock::ImageStore> store = {};
  std::optional<sock::ZygoteDomain> domain = {};
  std::optional<sock::Zygote> zygote = {};
  std::vector<sock::Container> idle = {};
};

struct Creator {
  Setting& setting;
  std::optional<sock::Container> container = {};
};

int complain(const sock::Error& error) {
  std::fprintf(stderr, "growth_driver: %s\n", error.message().c_str());
  return -1;
}

bool said(const Setting& setting) {
  char byte = 0;
  return ::read(setting.out.reader.get(), &byte, 1) == 1;
}

sock::Result<sock::Container> create(Setting& setting, const char* program) {
  return setting.host.create({.name = "c" + std::to_string(setting.names++),
                              .rootfs = {.base = setting.arguments.rootfs},
                              .argv = {program},
                              .init = sock::Init::none});
}

sock::Result<sock::Container> fork(Setting& setting, const char* statements) {
  sock::ContainerSpec spec{.name = "f" + std::to_string(setting.names++),
                           .rootfs = {.base = std::string{sock::host_image}},
                           .argv = {setting.arguments.python, "-c", statements}};
  spec.init = sock::Init::none;
  spec.stdio.in = setting.in.reader;
  spec.stdio.out = setting.out.writer;
  return setting.zygote->fork(spec);
}

int add_idle(Setting& setting) {
  auto container = setting.arguments.how == How::create
                       ? create(setting, "/bin/wait")
                       : fork(setting, "import os\nos.write(1, b'x')\nos.read(0, 1)");
  if (!container) return complain(container.error());
  if (setting.arguments.how == How::fork && !said(setting)) return -1;
  setting.idle.push_back(std::move(*container));
  return 0;
}

int keep(void* context, int count) {
  auto& setting = *static_cast<Setting*>(context);
  while (setting.idle.size() < static_cast<std::size_t>(count))
    if (add_idle(setting) != 0) return -1;
  while (setting.idle.size() > static_cast<std::size_t>(count)) setting.idle.pop_back();
  std::vector<pid_t> pids;
  for (const auto& container : setting.idle) pids.push_back(container.pid());
  const Memory memory = mean_memory_of(pids);
  std::printf("count=%d pss=%.0f private=%.0f\n", count, memory.pss, memory.private_memory);
  return 0;
}

void* open_creator(void* context) {
  return std::make_unique<Creator>(Creator{*static_cast<Setting*>(context)}).release();
}

void close_creator(void* creator) {
  delete static_cast<Creator*>(creator);
}

int end_well(sock::Container container) {
  const auto status = container.wait();
  return status && status->ok() ? 0 : -1;
}

int create_one(Setting& setting) {
  auto container = create(setting, "/bin/true");
  return container ? end_well(std::move(*container)) : complain(container.error());
}

int create_from_image(Setting& setting) {
  const auto root = setting.store->use(setting.arguments.image);
  if (!root) return complain(root.error());
  auto container = setting.host.create({.name = "i" + std::to_string(setting.names++),
                                        .rootfs = root->rootfs(),
                                        .argv = {"/bin/true"},
                                        .init = sock::Init::none});
  return container ? end_well(std::move(*container)) : complain(container.error());
}

int live(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  if (creator.setting.store) return create_from_image(creator.setting);
  if (creator.setting.arguments.how == How::create) return create_one(creator.setting);
  auto container = fork(creator.setting, "import os\nos.write(1, b'x')");
  if (!container) return complain(container.error());
  creator.container.emplace(std::move(*container));
  return said(creator.setting) ? 0 : -1;
}

int settle(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  if (!creator.container) return 0;
  const auto status = creator.container->wait();
  creator.container.reset();
  return status ? 0 : complain(status.error());
}

int make_zygote(Setting& setting) {
  auto made = grow_zygote(setting.host, setting.arguments.python, setting.arguments.modules);
  if (!made) return complain(made.error());
  setting.domain.emplace(std::move(made->domain));
  setting.zygote.emplace(std::move(made->zygote));
  return 0;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  const bool known = read_options(
      argc, argv,
      {{"--how", [&](auto value) { arguments.how = value == "fork" ? How::fork : How::create; }},
       {"--modules", [&](auto value) { arguments.modules = split_modules(value); }},
       {"--python", text(arguments.python)},
       {"--rootfs", text(arguments.rootfs)},
       {"--state", text(arguments.state)},
       {"--libexec", text(arguments.libexec)},
       {"--store", text(arguments.store)},
       {"--image", text(arguments.image)}});
  return known && !arguments.state.empty();
}

// Each idle container holds some descriptors.
void allow_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: growth_driver --how create|fork --modules A,B|- --python PROGRAM --rootfs DIR "
        "--state DIR --libexec DIR [--store DIR --image NAME]\n",
        stderr);
    return 2;
  }
  allow_descriptors();
  auto host = sock::Host::open({.state_dir = arguments.state, .libexec_dir = arguments.libexec});
  if (!host) return complain(host.error()), 1;
  Setting setting{.arguments = arguments, .host = std::move(*host)};
  if (arguments.how == How::fork && make_zygote(setting) != 0) return 1;
  if (!arguments.store.empty()) {
    auto store = sock::ImageStore::open({.directory = arguments.store});
    if (!store) return complain(store.error()), 1;
    setting.store.emplace(std::move(*store));
  }
  const subject measured{.context = &setting,
                         .open_creator = open_creator,
                         .live = live,
                         .settle = settle,
                         .stages = nullptr,
                         .close_creator = close_creator,
                         .keep = keep};
  return serve(&measured) == 0 ? 0 : 1;
}
