// Snapshots and zygotes of a Python, made once for many measurements.

#include "restore_setting.hpp"

#include <cstdio>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "grown_zygote.hpp"
#include "module_list.hpp"
#include "options.hpp"
#include "serve.h"

namespace {

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

int keep(Setting& setting, sock::SnapshotStore store, sock::Result<sock::Snapshot> written,
         double took) {
  if (!written) return complain(written.error());
  auto used = store.use(written->name);
  if (!used) return complain(used.error());
  setting.store.emplace(std::move(store));
  setting.snapshot.emplace(std::move(*used));
  setting.written.emplace(std::move(*written));
  setting.writing_us = took;
  return 0;
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
  using Options = sock::CheckpointOptions;
  const bool copies = setting.arguments.how == How::copy;
  const double begin = now_microseconds();
  auto written = original->checkpoint(
      *store, {.name = "bench",
               .after = Options::After::stop,
               .memory = copies ? Options::Memory::copied : Options::Memory::automatic});
  return keep(setting, std::move(*store), std::move(written), now_microseconds() - begin);
}

int make_zygote(Setting& setting) {
  auto made =
      grow_zygote(setting.host, setting.arguments.python, split_modules(setting.arguments.modules));
  if (!made) return complain(made.error());
  setting.domain.emplace(std::move(made->domain));
  setting.zygote.emplace(std::move(made->zygote));
  return 0;
}

int write_zygote_snapshot(Setting& setting) {
  if (make_zygote(setting) != 0) return -1;
  auto store = sock::SnapshotStore::open({.directory = setting.arguments.state + "/snapshots"});
  if (!store) return complain(store.error());
  const double begin = now_microseconds();
  auto written = setting.zygote->checkpoint(*store, {.name = "bench"});
  const double took = now_microseconds() - begin;
  setting.zygote.reset();
  setting.domain.reset();
  return keep(setting, std::move(*store), std::move(written), took);
}

How how_of(std::string_view word) {
  if (word == "create") return How::create;
  if (word == "fork") return How::fork;
  if (word == "copy") return How::copy;
  return word == "thaw" ? How::thaw : How::restore;
}

Cold cold_of(std::string_view word) {
  if (word == "first") return Cold::first;
  return word == "yes" ? Cold::yes : Cold::no;
}

int prepare_for(Setting& setting) {
  switch (setting.arguments.how) {
    case How::restore:
    case How::copy:
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

int complain(const sock::Error& error) {
  std::fprintf(stderr, "bench/restore: %s\n", error.message().c_str());
  return -1;
}

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) std::perror("pipe");
  return {sock::UniqueFd{ends[0]}, sock::UniqueFd{ends[1]}};
}

bool reads(const Pipe& pipe, char expected) {
  char byte = 0;
  return ::read(pipe.reader.get(), &byte, 1) == 1 && byte == expected;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  const bool known = read_options(argc, argv,
                                  {{"--how", [&](auto value) { arguments.how = how_of(value); }},
                                   {"--cold", [&](auto value) { arguments.cold = cold_of(value); }},
                                   {"--modules", text(arguments.modules)},
                                   {"--python", text(arguments.python)},
                                   {"--state", text(arguments.state)},
                                   {"--libexec", text(arguments.libexec)}});
  return known && !arguments.python.empty() && !arguments.state.empty();
}

std::optional<Setting> prepare(const Arguments& arguments) {
  auto host = sock::Host::open({.state_dir = arguments.state, .libexec_dir = arguments.libexec});
  if (!host) return complain(host.error()), std::nullopt;
  Setting setting{.arguments = arguments, .host = std::move(*host)};
  if (prepare_for(setting) != 0) return std::nullopt;
  return setting;
}

sock::Result<sock::Container> make(Setting& setting, const std::string& name,
                                   const sock::Stdio& stdio) {
  if (is_of_container(setting.arguments.how))
    return setting.host.restore(*setting.snapshot, {.name = name, .stdio = stdio});
  sock::ContainerSpec spec = payload(setting.arguments);
  spec.name = name;
  spec.stdio = stdio;
  if (setting.arguments.how == How::thaw) return setting.host.fork(*setting.snapshot, spec);
  return setting.arguments.how == How::create ? setting.host.create(spec)
                                              : setting.zygote->fork(spec);
}

int forget_snapshot(Setting& setting) {
  if (setting.arguments.cold == Cold::first) {
    auto again = setting.store->use("bench");
    if (!again) return complain(again.error());
    setting.snapshot.emplace(std::move(*again));
  }
  const std::filesystem::path store = setting.arguments.state + "/snapshots";
  for (const auto& entry : std::filesystem::recursive_directory_iterator{store}) {
    if (!entry.is_regular_file()) continue;
    const sock::UniqueFd file{::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC)};
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
  return 0;
}
