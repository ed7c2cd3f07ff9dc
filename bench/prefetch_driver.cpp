// One load of an image's files: what was recorded of a command by the named engine, then everything
// below the root by plain reading, as a container would. bench/image_load drops the page cache
// before each.
//
//   prefetch_driver STORE IMAGE none|io_uring|threads|record PARALLEL COMMAND...

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "sock/image.hpp"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::uint64_t read_everything(const std::string& root) {
  static std::array<char, 256U << 10U> buffer;
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator{root}) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    std::ifstream file{entry.path(), std::ios::binary};
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0)
      bytes += static_cast<std::uint64_t>(file.gcount());
  }
  return bytes;
}

int measure(const sock::ImageRoot& root, std::string_view engine, unsigned parallel,
            const std::vector<std::string>& command) {
  const auto start = Clock::now();
  sock::PrefetchReport report;
  if (engine == "io_uring" || engine == "threads") {
    const auto kind = engine == "threads" ? sock::LoadEngine::threads : sock::LoadEngine::io_uring;
    auto prefetch = root.prefetch(command, {.engine = kind, .parallel = parallel}).value();
    if (!prefetch) return EXIT_FAILURE;
    report = prefetch->wait().value();
  }
  const double asked = milliseconds_since(start);
  const std::uint64_t bytes = read_everything(root.path());
  if (engine == "record") root.record_prefetch(command).value();
  std::printf("{\"asked_ms\": %.3f, \"read_ms\": %.3f, \"files\": %llu, \"bytes\": %llu}\n", asked,
              milliseconds_since(start), static_cast<unsigned long long>(report.files),
              static_cast<unsigned long long>(bytes));
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  // What goes wrong ends the program, with its reason.
  const auto store = sock::ImageStore::open({.directory = argv[1]}).value();
  const auto root = store.use(argv[2]).value();
  return measure(root, argv[3], static_cast<unsigned>(std::atoi(argv[4])), {argv + 5, argv + argc});
}
