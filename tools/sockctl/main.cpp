// sockctl: lean containers at a prompt. Reads the command line and does what it says.

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "command_line.hpp"
#include "image_store.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

// `run`, `exec` and `zygote fork` end with somebody else's command line.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string usage = CLI::Formatter::make_usage(app, std::move(name));
    if (!app->get_prefix_command()) return usage;
    usage.erase(usage.find_last_not_of('\n') + 1);
    return usage + " [--] COMMAND [ARGUMENT...]\n";
  }
};

void describe_completion(CLI::App& app, Invocation& invocation) {
  CLI::App& verb = *app.add_subcommand("completion", "Print a completion script for a shell");
  verb.add_option("SHELL", invocation.shell, "bash, zsh or fish")->required()->type_name("");
  verb.footer(
      "Examples:\n  sockctl completion bash > ~/.local/share/bash-completion/completions/"
      "sockctl");
  verb.callback([&app, &invocation] {
    invocation.action = [&app, &invocation] {
      const auto script = completion_script(app, invocation.shell);
      if (!script.has_value()) return fail_usage(script.error());
      return write_all(sock::FdRef{1}, *script).has_value() ? 0 : exit_status::own_error;
    };
  });
}

// "sockctl zygote plan": as far as the command line was understood.
std::string path_of_verb(const CLI::App& app) {
  std::string path = app.get_name();
  for (auto verbs = app.get_subcommands(); !verbs.empty(); verbs = verbs.front()->get_subcommands())
    path += " " + verbs.front()->get_name();
  return path;
}

// The payload's words: those that CLI11 did not take, then those after "--".
Result<std::vector<std::string>> command_words(const CLI::App& verb, const std::string& path,
                                               const Arguments& arguments, bool may_be_empty) {
  std::vector<std::string> words = verb.remaining();
  if (!words.empty() && words.front().starts_with('-') && words.front() != "-")
    return refuse(Errc::invalid_spec, Stage::validate, "unknown option " + words.front(),
                  "see " + path + " --help");
  if (!words.empty() && arguments.separated) words.emplace_back("--");
  words.insert(words.end(), arguments.beyond.begin(), arguments.beyond.end());
  if (words.empty() && !may_be_empty)
    return refuse(Errc::invalid_spec, Stage::validate, "no command given",
                  "see " + path + " --help");
  return words;
}

Result<> take_command(const CLI::App& app, const Arguments& arguments, Invocation& invocation) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  if (!verb->get_prefix_command()) return {};
  // An image may have a command of its own.
  const bool has_image =
      verb->get_name() == "prefetch" || (verb->get_name() == "run" && uses_image(invocation.run));
  auto words = SOCKCTL_TRY(command_words(*verb, path_of_verb(app), arguments, has_image));
  (verb->get_name() == "exec" ? invocation.exec.command : invocation.run.command) =
      std::move(words);
  return {};
}

// Help goes to stdout; a mistake is one line.
int answer_parse_error(const CLI::App& app, const CLI::ParseError& error,
                       const std::vector<std::string>& words) {
  if (error.get_exit_code() == 0) return app.exit(error);
  const auto verbs = app.get_subcommands();
  if (verbs.empty() && !words.empty()) {
    complain("'" + sock::printable(words.front()) + "': no such verb; see sockctl --help");
    return exit_status::usage;
  }
  complain(sock::printable(error.what()) + "; see " + path_of_verb(app) + " --help");
  return exit_status::usage;
}

int main(const std::vector<std::string>& words) {
  fill_stdio();
  Invocation invocation;
  CLI::App app{"Lean containers for Linux", "sockctl"};
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.set_version_flag("--version", "sockctl " SOCKCTL_VERSION);
  app.footer(
      "Examples:\n"
      "  sockctl run -- echo hello\n"
      "  sockctl check\n"
      "  sockctl run --help");
  if (words.empty() || !describe_one(app, invocation, words.front())) {
    describe_verbs(app, invocation);
    describe_completion(app, invocation);
  }

  const auto arguments = split_arguments(words);
  try {
    // CLI11 takes the words from the back.
    app.parse(std::vector<std::string>{arguments.ours.rbegin(), arguments.ours.rend()});
  } catch (const CLI::ParseError& error) {
    return answer_parse_error(app, error, words);
  }
  const auto taken = take_command(app, arguments, invocation);
  return taken.has_value() ? invocation.action() : fail_usage(taken.error());
}

}  // namespace
}  // namespace sockctl

int main(int argc, char** argv) {
  return sockctl::main({argv + std::min(argc, 1), argv + argc});
}
