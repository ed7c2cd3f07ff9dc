// Restores of a Python that has imported packages, as a measuring program: serves the protocol of
// serve.h for bench/restore.
//   usage: restore_driver --how restore|copy|thaw|fork|create --modules A,B|- --python PROGRAM
//                         --state DIR --libexec DIR [--cold yes|first]
// A life is from the request to the payload's answer to a byte that waits for it; its end is not in
// it.

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "sock/sock.hpp"

#include "restore_setting.hpp"
#include "serve.h"

namespace {

struct Creator {
  Setting& setting;
  std::string prefix;
  long lives = 0;
  std::optional<sock::Container> container = {};
  std::vector<stage_time> stages = {};
};

void* open_creator(void* context) {
  auto& setting = *static_cast<Setting*>(context);
  return new Creator{.setting = setting, .prefix = "c" + std::to_string(setting.creators++) + "-"};
}

void close_creator(void* creator) {
  delete static_cast<Creator*>(creator);
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
  if (!is_of_container(creator.setting.arguments.how) && !reads(out, 'r')) return -1;
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
  auto& creator = *static_cast<Creator*>(argument);
  creator.container.reset();
  return creator.setting.arguments.cold == Cold::no ? 0 : forget_snapshot(creator.setting);
}

std::size_t stages(void* argument, stage_time* times, std::size_t capacity) {
  const auto& all = static_cast<Creator*>(argument)->stages;
  std::size_t count = 0;
  for (; count < all.size() && count < capacity; ++count) times[count] = all[count];
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(
        "usage: restore_driver --how restore|copy|thaw|fork|create --modules A,B|- --python "
        "PROGRAM "
        "--state DIR --libexec DIR [--cold yes|first]\n",
        stderr);
    return 2;
  }
  auto setting = prepare(arguments);
  if (!setting) return 1;
  const subject measured{.context = &*setting,
                         .open_creator = open_creator,
                         .live = live,
                         .settle = settle,
                         .stages = stages,
                         .close_creator = close_creator};
  return serve(&measured) == 0 ? 0 : 1;
}
