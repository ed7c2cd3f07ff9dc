// The temporary directory of the benchmarks.

#include "bench_root.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

namespace bench {
namespace fs = std::filesystem;

BenchRoot::BenchRoot() {
  std::string pattern = fs::temp_directory_path() / "sock-bench-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
  path_ = pattern;
  for (const char* directory : {"bin", "dev/shm", "proc", "tmp", "etc"})
    fs::create_directories(path_ / "rootfs" / directory);
  for (const char* name : {"true", "now", "wait"})
    fs::copy_file(std::string{BENCH_PAYLOADS "/payload_"} + name, path_ / "rootfs/bin" / name);
  fs::create_directory(path_ / "libexec");
  for (const fs::path program : {BENCH_INIT, BENCH_JANITOR})
    fs::copy_file(program, path_ / "libexec" / program.filename());
  // mkdtemp made it private; payloads are nobody and must reach the root.
  fs::permissions(path_, fs::perms::others_exec | fs::perms::group_exec, fs::perm_options::add);
}

BenchRoot::~BenchRoot() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string BenchRoot::payload(const std::string& name) const {
  return path_ / "rootfs/bin" / name;
}

sock::Result<sock::Host> BenchRoot::open_host(sock::CgroupBackend backend) const {
  return sock::Host::open({.state_dir = path_ / "state",
                           .cgroup = {.backend = backend},
                           .libexec_dir = path_ / "libexec"});
}

sock::ContainerSpec BenchRoot::spec(const std::string& program) const {
  return {.name = next_name(),
          .rootfs = {.base = rootfs()},
          .argv = {"/bin/" + program},
          .init = sock::Init::none};
}

std::string next_name() {
  static std::atomic<long> next{0};
  return "bench-" + std::to_string(next.fetch_add(1));
}

}  // namespace bench
