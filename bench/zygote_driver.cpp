// Forks of a zygote as a measuring program: serves the protocol of serve.h for bench/zygote.
//   usage: zygote_driver --how fork|spares|create --modules A,B|- --python PROGRAM --state DIR
//                        --libexec DIR [--depth N] [--apart MILLISECONDS]
// The zygote is N zygotes below the one that has imported the modules.
// A life is from the request to the first statement of the Python payload, which writes a byte; the
// end of the container is not in it. `create` starts a fresh interpreter in a container, which
// imports the same modules before that statement.

#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "grown_zygote.hpp"
#include "module_list.hpp"
#include "options.hpp"
#include "serve.h"

namespace {

enum class How { fork, spares, create };

struct Arguments {
  How how = How::fork;
  std::vector<std::string> modules;
  std::string python;
  std::string state;
  std::string libexec;
  int depth = 0;
  std::chrono::milliseconds apart{0};  ///< From the end of a container to the next request.
};

struct Setting {
  Arguments arguments;
  sock::Host host;
  std::optional<sock::ZygoteDomain> domain = {};
  std::vector<sock::Zygote> above = {};
  std::optional<sock::Zygote> zygote = {};
  int creators = 0;
};

struct Creator {
  Setting& setting;
  sock::ContainerSpec spec;
  std::string prefix;
  long lives = 0;
  sock::UniqueFd reader = {};
  sock::UniqueFd writer = {};
  std::optional<sock::Container> container = {};
  std::vector<stage_time> stages = {};
};

constexpr std::size_t spares = 4;

int complain(const sock::Error& error) {
  std::fprintf(stderr, "zygote_driver: %s\n", error.message().c_str());
  return -1;
}

std::string statement(const Arguments& arguments) {
  std::string code;
  if (arguments.how == How::create)
    for (const std::string& module : arguments.modules) code += "import " + module + "\n";
  return code + "import os\nos.write(1, b'x')\n";
}

void* open_creator(void* context) {
  auto& setting = *static_cast<Setting*>(context);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return nullptr;
  sock::ContainerSpec spec{.name = "",
                           .rootfs = {.base = std::string{sock::host_image}},
                           .argv = {setting.arguments.python, "-c", statement(setting.arguments)}};
  spec.init = sock::Init::none;
  spec.stdio.out = sock::FdRef{ends[1]};
  spec.env = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"};
  return new Creator{.setting = setting,
                     .spec = std::move(spec),
                     .prefix = "c" + std::to_string(setting.creators++) + "-",
                     .reader = sock::UniqueFd{ends[0]},
                     .writer = sock::UniqueFd{ends[1]}};
}

void close_creator(void* creator) {
  delete static_cast<Creator*>(creator);
}

int live(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  Setting& setting = creator.setting;
  creator.spec.name = creator.prefix + std::to_string(creator.lives++);
  auto container = setting.arguments.how == How::create ? setting.host.create(creator.spec)
                                                        : setting.zygote->fork(creator.spec);
  if (!container) return complain(container.error());
  const double started = now_microseconds();
  char byte = 0;
  if (::read(creator.reader.get(), &byte, 1) != 1) return -1;
  const double said = now_microseconds();
  creator.stages.clear();
  for (const auto& [stage, elapsed] : container->timings())
    creator.stages.push_back(
        {to_string(stage).data(), static_cast<double>(elapsed.count()) / 1000});
  creator.stages.push_back({"first_statement", said - started});
  creator.container.emplace(std::move(*container));
  return 0;
}

int settle(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  const auto status = creator.container->wait();
  if (!status) return complain(status.error());
  creator.container.reset();
  std::this_thread::sleep_for(creator.setting.arguments.apart);
  return 0;
}

std::size_t stages(void* argument, stage_time* times, std::size_t capacity) {
  const auto& all = static_cast<Creator*>(argument)->stages;
  std::size_t count = 0;
  for (; count < all.size() && count < capacity; ++count) times[count] = all[count];
  return count;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  const bool known = read_options(
      argc, argv,
      {{"--how",
        [&](auto value) {
          arguments.how = value == "create"   ? How::create
                          : value == "spares" ? How::spares
                                              : How::fork;
        }},
       {"--modules", [&](auto value) { arguments.modules = split_modules(value); }},
       {"--depth", [&](auto value) { arguments.depth = std::stoi(std::string{value}); }},
       {"--apart",
        [&](auto value) {
          arguments.apart = std::chrono::milliseconds{std::stoi(std::string{value})};
        }},
       {"--python", text(arguments.python)},
       {"--state", text(arguments.state)},
       {"--libexec", text(arguments.libexec)}});
  return known && !arguments.python.empty() && !arguments.state.empty();
}

int make_zygote(Setting& setting) {
  const Arguments& arguments = setting.arguments;
  auto made = grow_zygote(setting.host, arguments.python, arguments.modules);
  if (!made) return complain(made.error());
  sock::Zygote zygote = std::move(made->zygote);
  for (int level = 0; level < arguments.depth; ++level) {
    auto deeper = zygote.grow({.modules = {}});
    if (!deeper) return complain(deeper.error());
    setting.above.push_back(std::move(zygote));
    zygote = std::move(*deeper);
  }
  if (arguments.how == How::spares)
    if (auto kept = zygote.keep_spares(spares); !kept) return complain(kept.error());
  setting.domain.emplace(std::move(made->domain));
  setting.zygote.emplace(std::move(zygote));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: zygote_driver --how fork|spares|create --modules A,B|- --python PROGRAM "
        "--state DIR --libexec DIR [--depth N] [--apart MILLISECONDS]\n",
        stderr);
    return 2;
  }
  auto host = sock::Host::open({.state_dir = arguments.state, .libexec_dir = arguments.libexec});
  if (!host) return complain(host.error()), 1;
  Setting setting{.arguments = arguments, .host = std::move(*host)};
  if (arguments.how != How::create && make_zygote(setting) != 0) return 1;
  const subject measured{.context = &setting,
                         .open_creator = open_creator,
                         .live = live,
                         .settle = settle,
                         .stages = stages,
                         .close_creator = close_creator};
  return serve(&measured) == 0 ? 0 : 1;
}
