// Restores of a Python that has imported packages, as a measuring program: serves the protocol of
// serve.h for bench/restore.
//   usage: restore_driver --how restore|thaw|fork|create --modules A,B|- --python PROGRAM
//                         --state DIR --libexec DIR
// A life is from the request to the payload's answer to a byte that waits for it; its end is not in
// it. `restore` is from a snapshot in which the modules are imported, `thaw` a fork from the
// snapshot of a zygote that has them, `fork` one from such a zygote itself, `create` starts an
// interpreter that imports them.

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "sock/sock.hpp"

#include "module_list.hpp"
#include "serve.h"

namespace {

enum class How { restore, thaw, fork, create };

struct Arguments {
  How how = How::restore;
  std::string modules;
  std::string python;
  std::string state;
  std::string libexec;
};

struct Setting {
  Arguments arguments;
  sock::Host host;
  std::optional<sock::SnapshotStore> store = {};
  std::optional<sock::SnapshotInUse> snapshot = {};
  std::optional<sock::ZygoteDomain> domain = {};
  std::optional<sock::Zygote> zygote = {};
  int creators = 0;
};

struct Pipe {
  sock::UniqueFd reader;
  sock::UniqueFd writer;
};

struct Creator {
  Setting& setting;
  std::string prefix;
  long lives = 0;
  std::optional<sock::Container> container = {};
  std::vector<stage_time> stages = {};
};

int complain(const sock::Error& error) {
  std::fprintf(stderr, "restore_driver: %s\n", error.message().c_str());
  return -1;
}

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) std::perror("pipe");
  return {sock::UniqueFd{ends[0]}, sock::UniqueFd{ends[1]}};
}

/// Imports (a zygote has done so), says that it is ready, and answers each byte.
sock::ContainerSpec payload(const Arguments& arguments) {
  std::string code;
  if (arguments.how != How::fork && arguments.how != How::thaw)
    for (const auto& module : split_modules(arguments.modules)) code += "import " + module + "\n";
  code += "import os\nos.write(1, b'r')\nwhile os.read(0, 1): os.write(1, b'x')\n";
  sock::ContainerSpec spec{.name = "original",
                           .rootfs = {.base = std::string{sock::host_image}},
                           .argv = {arguments.python, "-c", code}};
  spec.init = sock::Init::none;
  spec.env = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"};
  return spec;
}

bool reads(const Pipe& pipe, char expected) {
  char byte = 0;
  return ::read(pipe.reader.get(), &byte, 1) == 1 && byte == expected;
}

int write_snapshot(Setting& setting) {
  auto store = sock::SnapshotStore::open({.directory = setting.arguments.state + "/snapshots"});
  if (!store) return complain(store.error());
  sock::ContainerSpec spec = payload(setting.arguments);
  spec.checkpointable = true;
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  spec.stdio = {.in = in.reader, .out = out.writer};
  auto original = setting.host.create(spec);
  if (!original) return complain(original.error());
  if (!reads(out, 'r')) return -1;
  using After = sock::CheckpointOptions::After;
  const auto written = original->checkpoint(*store, {.name = "bench", .after = After::stop});
  if (!written) return complain(written.error());
  auto used = store->use("bench");
  if (!used) return complain(used.error());
  setting.store.emplace(std::move(*store));
  setting.snapshot.emplace(std::move(*used));
  return 0;
}

int make_zygote(Setting& setting) {
  auto domain = setting.host.open_domain({.name = "bench",
                                          .rootfs = {.base = std::string{sock::host_image}},
                                          .interpreter = {setting.arguments.python}});
  if (!domain) return complain(domain.error());
  auto first = domain->start_zygote();
  if (!first) return complain(first.error());
  auto grown = first->grow({.modules = split_modules(setting.arguments.modules)});
  if (!grown) return complain(grown.error());
  setting.domain.emplace(std::move(*domain));
  setting.zygote.emplace(std::move(*grown));
  return 0;
}

int write_zygote_snapshot(Setting& setting) {
  if (make_zygote(setting) != 0) return -1;
  auto store = sock::SnapshotStore::open({.directory = setting.arguments.state + "/snapshots"});
  if (!store) return complain(store.error());
  const auto written = setting.zygote->checkpoint(*store, {.name = "bench"});
  if (!written) return complain(written.error());
  auto used = store->use("bench");
  if (!used) return complain(used.error());
  setting.store.emplace(std::move(*store));
  setting.snapshot.emplace(std::move(*used));
  setting.zygote.reset();
  setting.domain.reset();
  return 0;
}

void* open_creator(void* context) {
  auto& setting = *static_cast<Setting*>(context);
  return new Creator{.setting = setting, .prefix = "c" + std::to_string(setting.creators++) + "-"};
}

void close_creator(void* creator) {
  delete static_cast<Creator*>(creator);
}

sock::Result<sock::Container> make(Setting& setting, const std::string& name,
                                   const sock::Stdio& stdio) {
  if (setting.arguments.how == How::restore)
    return setting.host.restore(*setting.snapshot, {.name = name, .stdio = stdio});
  sock::ContainerSpec spec = payload(setting.arguments);
  spec.name = name;
  spec.stdio = stdio;
  if (setting.arguments.how == How::thaw) return setting.host.fork(*setting.snapshot, spec);
  return setting.arguments.how == How::create ? setting.host.create(spec)
                                              : setting.zygote->fork(spec);
}

int live(void* argument) {
  auto& creator = *static_cast<Creator*>(argument);
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  if (::write(in.writer.get(), "?", 1) != 1) return -1;
  auto container = make(creator.setting, creator.prefix + std::to_string(creator.lives++),
                        {.in = in.reader, .out = out.writer});
  if (!container) return complain(container.error());
  const double made = now_microseconds();
  if (creator.setting.arguments.how != How::restore && !reads(out, 'r')) return -1;
  if (!reads(out, 'x')) return -1;
  const double answered = now_microseconds();
  creator.stages.clear();
  for (const auto& [stage, elapsed] : container->timings())
    creator.stages.push_back(
        {to_string(stage).data(), static_cast<double>(elapsed.count()) / 1000});
  creator.stages.push_back({"first_answer", answered - made});
  creator.container.emplace(std::move(*container));
  return 0;
}

int settle(void* argument) {
  static_cast<Creator*>(argument)->container.reset();
  return 0;
}

std::size_t stages(void* argument, stage_time* times, std::size_t capacity) {
  const auto& all = static_cast<Creator*>(argument)->stages;
  std::size_t count = 0;
  for (; count < all.size() && count < capacity; ++count) times[count] = all[count];
  return count;
}

How how_of(std::string_view word) {
  if (word == "create") return How::create;
  if (word == "fork") return How::fork;
  return word == "thaw" ? How::thaw : How::restore;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::string_view value = argv[i + 1];
    if (option == "--how")
      arguments.how = how_of(value);
    else if (option == "--modules")
      arguments.modules = value;
    else if (option == "--python")
      arguments.python = value;
    else if (option == "--state")
      arguments.state = value;
    else if (option == "--libexec")
      arguments.libexec = value;
    else
      return false;
  }
  return argc % 2 == 1 && !arguments.python.empty() && !arguments.state.empty();
}

int prepare(Setting& setting) {
  switch (setting.arguments.how) {
    case How::restore:
      return write_snapshot(setting);
    case How::thaw:
      return write_zygote_snapshot(setting);
    case How::fork:
      return make_zygote(setting);
    case How::create:
      return 0;
  }
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: restore_driver --how restore|thaw|fork|create --modules A,B|- --python PROGRAM "
        "--state DIR --libexec DIR\n",
        stderr);
    return 2;
  }
  auto host = sock::Host::open({.state_dir = arguments.state, .libexec_dir = arguments.libexec});
  if (!host) return complain(host.error()), 1;
  Setting setting{.arguments = arguments, .host = std::move(*host)};
  if (prepare(setting) != 0) return 1;
  const subject measured{.context = &setting,
                         .open_creator = open_creator,
                         .live = live,
                         .settle = settle,
                         .stages = stages,
                         .close_creator = close_creator};
  return serve(&measured) == 0 ? 0 : 1;
}
