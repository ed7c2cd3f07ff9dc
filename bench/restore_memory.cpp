// What copies of a snapshot hold, for bench/restore: of each, its share of memory.
//   usage: restore_memory --how restore|thaw|create --modules A,B|- --python PROGRAM --state DIR
//                         --libexec DIR
// Makes 1, 10 and 100 that have answered once and wait; prints a line of JSON: bytes of the
// snapshot, microseconds that it has taken, and means in bytes.

#include <algorithm>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "sock/sock.hpp"

#include "process_memory.hpp"
#include "restore_setting.hpp"

namespace {

struct Copy {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  std::optional<sock::Container> container = {};
};

bool start(Setting& setting, Copy& copy, std::size_t number) {
  auto made =
      make(setting, "m" + std::to_string(number), {.in = copy.in.reader, .out = copy.out.writer});
  if (!made) return complain(made.error()) == 0;
  copy.container.emplace(std::move(*made));
  return true;
}

bool has_answered(const Setting& setting, Copy& copy) {
  if (!is_of_container(setting.arguments.how) && !reads(copy.out, 'r')) return false;
  return ::write(copy.in.writer.get(), "?", 1) == 1 && reads(copy.out, 'x');
}

// As many at once as there are CPUs: those that import take long.
bool fill(Setting& setting, std::deque<Copy>& copies, std::size_t count) {
  const std::size_t cpus = std::max(1u, std::thread::hardware_concurrency());
  while (copies.size() < count) {
    const std::size_t first = copies.size();
    while (copies.size() < std::min(count, first + cpus))
      if (!start(setting, copies.emplace_back(), copies.size())) return false;
    for (std::size_t i = first; i < copies.size(); ++i)
      if (!has_answered(setting, copies[i])) return false;
  }
  return true;
}

bool print_counts(Setting& setting) {
  std::deque<Copy> copies;
  for (const std::size_t count : {1, 10, 100}) {
    if (!fill(setting, copies, count)) return false;
    std::vector<pid_t> pids;
    for (const auto& copy : copies) pids.push_back(copy.container->pid());
    print_memory(std::to_string(count).c_str(), mean_memory_of(pids), count == 100 ? "" : ", ");
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return 2;
  auto setting = prepare(arguments);
  if (!setting) return 1;
  std::printf("{");
  if (setting->written)
    std::printf("\"bytes\": %llu, \"writing_us\": %.0f, ",
                static_cast<unsigned long long>(setting->written->bytes), setting->writing_us);
  if (!print_counts(*setting)) return 1;
  std::puts("}");
  return 0;
}
