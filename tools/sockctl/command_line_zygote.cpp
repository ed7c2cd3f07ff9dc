// `sockctl zygote`: a group of verbs.

#include <CLI/CLI.hpp>

#include "command_line.hpp"

namespace sockctl {

void describe_zygote(CLI::App& app, Invocation& invocation) {
  CLI::App& group = add_group(app, "zygote", "Zygotes: processes to fork containers from",
                              "  sockctl zygote create ds --preload numpy,pandas\n"
                              "  sockctl zygote fork ds -- python -c 'import pandas'\n"
                              "  sockctl zygote plan --help");
  describe_held_zygotes(group, invocation);
  describe_zygote_trees(group, invocation);
}

}  // namespace sockctl
