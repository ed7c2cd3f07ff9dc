// sockctl completion: scripts for shells, made from the tree of verbs and options, so that they
// cannot differ from it. Names come from `sockctl ps --quiet`
// and `sockctl zygote ls --quiet`.

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "command_line.hpp"

namespace sockctl {
namespace {

struct Option {
  std::vector<std::string> names;  ///< With their dashes.
  std::string help;
  bool takes_value;
};

struct Verb {
  std::string name;
  std::string help;
  std::string lister;  ///< The verb that lists what it takes: "ps", "image ls" or none.
  std::vector<Option> options;
  std::vector<Verb> verbs;  ///< Of a group such as `zygote`.
};

Option option_of(const CLI::Option& option) {
  Option out{.names = {},
             .help = option.get_description(),
             .takes_value = option.get_items_expected_max() > 0 && option.get_type_size_max() > 0};
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  return out;
}

// What does not exist yet cannot be completed.
std::string lister_of(const CLI::Option& positional, const std::string& verb) {
  if (positional.get_single_name() == "ZYGOTE") return "zygote ls";
  if (positional.get_single_name() == "IMAGE") return "image ls";
  if (positional.get_single_name() == "PACKAGE") return "package ls";
  if (positional.get_single_name() == "SNAPSHOT") return "snapshot ls";
  if (positional.get_single_name() == "FUNCTION") return "fn ls";
  return positional.get_single_name() == "NAME" && verb != "create" && verb != "fetch" ? "ps" : "";
}

std::vector<Verb> verbs_of(const CLI::App& app) {
  std::vector<Verb> verbs;
  for (const CLI::App* app_verb : app.get_subcommands(nullptr)) {
    if (app_verb->get_group().empty()) continue;
    Verb verb{.name = app_verb->get_name(),
              .help = app_verb->get_description(),
              .lister = {},
              .options = {},
              .verbs = verbs_of(*app_verb)};
    for (const CLI::Option* option : app_verb->get_options(nullptr)) {
      if (option->get_positional()) verb.lister = lister_of(*option, verb.name);
      if (!option->get_positional() && !option->get_group().empty())
        verb.options.push_back(option_of(*option));
    }
    verbs.push_back(std::move(verb));
  }
  return verbs;
}

std::string names_of(const std::vector<Verb>& verbs) {
  std::string names;
  for (const auto& verb : verbs) names += (names.empty() ? "" : " ") + verb.name;
  return names;
}

std::string option_words(const Verb& verb) {
  std::string words;
  for (const auto& option : verb.options)
    for (const auto& name : option.names) words += (words.empty() ? "" : " ") + name;
  return words;
}

std::string quoted(std::string text) {
  for (auto at = text.find('\''); at != std::string::npos; at = text.find('\'', at + 4))
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

// A verb is a path: "/run", "/zygote/plan".
struct BashCases {
  std::string paths;
  std::string words;
};

void add_bash_cases(const std::vector<Verb>& verbs, const std::string& above, BashCases& cases) {
  for (const auto& verb : verbs) {
    const auto path = above + "/" + verb.name;
    cases.paths += (cases.paths.empty() ? "" : "|") + path;
    if (path != "/completion")
      cases.words +=
          fmt::format("    {}) words='{}'; lister='{}' ;;\n", path,
                      verb.verbs.empty() ? option_words(verb) : names_of(verb.verbs), verb.lister);
    add_bash_cases(verb.verbs, path, cases);
  }
}

std::string bash(const std::vector<Verb>& verbs) {
  BashCases cases;
  add_bash_cases(verbs, "", cases);
  return "# bash completion for sockctl, made by: sockctl completion bash\n"
         "_sockctl() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} verb='' word='' words='' lister=''\n"
         "  COMPREPLY=()\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $verb/$word in\n"
         "      " +
         cases.paths +
         ") verb+=/$word ;;\n"
         "    esac\n"
         "  done\n"
         "  case $verb in\n"
         "    '') words='" +
         names_of(verbs) + "' ;;\n" + cases.words +
         "    /completion) words='bash zsh fish' ;;\n"
         "  esac\n"
         "  [ -z \"$lister\" ] || words+=\" $(eval \"sockctl $lister --quiet\" 2>/dev/null)\"\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _sockctl sockctl\n";
}

std::string zsh_options(const Verb& verb) {
  std::string specs;
  for (const auto& option : verb.options)
    for (const auto& name : option.names)
      specs += " " + quoted(fmt::format("*{}[{}]{}", name, option.help,
                                        option.takes_value ? ":value:_files" : ""));
  return specs;
}

// Completes one word of verbs, and then what the verb takes.
std::string zsh_verbs(const std::vector<Verb>& verbs) {
  std::string names;
  std::string cases;
  for (const auto& verb : verbs) {
    names += "    " + quoted(verb.name + ":" + verb.help) + "\n";
    if (verb.name == "completion")
      cases += "    completion) _values shell bash zsh fish ;;\n";
    else if (!verb.verbs.empty())
      cases += "    " + verb.name + ")\n" + zsh_verbs(verb.verbs) + "    ;;\n";
    else
      cases += fmt::format(
          "    {}) _arguments{} {} ;;\n", verb.name, zsh_options(verb),
          verb.lister.empty()
              ? "'*::command:_normal'"
              : fmt::format("'*:name:($(sockctl {} --quiet 2>/dev/null))'", verb.lister));
  }
  return "  verbs=(\n" + names +
         "  )\n"
         "  if (( CURRENT == 2 )); then _describe verb verbs; return; fi\n"
         "  verb=$words[2]\n"
         "  shift words; (( CURRENT-- ))\n"
         "  case $verb in\n" +
         cases + "  esac\n";
}

std::string zsh(const std::vector<Verb>& verbs) {
  return "#compdef sockctl\n"
         "# zsh completion for sockctl, made by: sockctl completion zsh\n"
         "_sockctl() {\n"
         "  local -a verbs\n"
         "  local verb\n" +
         zsh_verbs(verbs) +
         "}\n"
         "_sockctl \"$@\"\n";
}

std::string fish_option(const std::string& seen, const Option& option) {
  std::string names;
  for (const auto& name : option.names)
    names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return fmt::format("complete -c sockctl -n '{}'{}{} -d {}\n", seen, names,
                     option.takes_value ? " -r" : "", quoted(option.help));
}

// `offered`: when these verbs are offered; `above`: when one of them may have been seen.
std::string fish_verbs(const std::vector<Verb>& verbs, const std::string& offered,
                       const std::string& above) {
  std::string script;
  for (const auto& verb : verbs) {
    script += fmt::format("complete -c sockctl -n '{}' -f -a {} -d {}\n", offered, verb.name,
                          quoted(verb.help));
    const auto seen = above + "__fish_seen_subcommand_from " + verb.name;
    for (const auto& option : verb.options) script += fish_option(seen, option);
    if (!verb.lister.empty())
      script +=
          fmt::format("complete -c sockctl -n '{}' -f -a '(sockctl {} --quiet 2>/dev/null)'\n",
                      seen, verb.lister);
    script += fish_verbs(verb.verbs,
                         seen + "; and not __fish_seen_subcommand_from " + names_of(verb.verbs),
                         seen + "; and ");
  }
  return script;
}

std::string fish(const std::vector<Verb>& verbs) {
  return "# fish completion for sockctl, made by: sockctl completion fish\n"
         "complete -c sockctl -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n" +
         fish_verbs(verbs, "__fish_use_subcommand", "");
}

}  // namespace

Result<std::string> completion_script(const CLI::App& app, const std::string& shell) {
  const auto verbs = verbs_of(app);
  if (shell == "bash") return bash(verbs);
  if (shell == "zsh") return zsh(verbs);
  if (shell == "fish") return fish(verbs);
  return refuse_option("completion", shell, "one of bash, zsh, fish");
}

}  // namespace sockctl
