// sockctl serve and config: sockd in the foreground, or what it says of its settings.

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "daemon_client.hpp"
#include "function_verbs.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

/// Beside sockctl where it is installed; in a build tree, in its own directory.
Result<std::string> find_sockd() {
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const fs::path& place : {self / "sockd", self.parent_path() / "sockd" / "sockd"})
    if (fs::is_regular_file(place, failed)) return place.string();
  return refuse(Errc::not_found, Stage::exec, "sockd", "it is not beside sockctl");
}

/// Does not return but with an error.
Result<> become_sockd(const FunctionOptions& options, std::vector<std::string> more) {
  const std::string program = SOCKCTL_TRY(find_sockd());
  std::vector<std::string> words{program};
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), options.words.begin(), options.words.end());
  std::vector<char*> pointers;
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  return last_error(program);
}

/// Somewhere to send calls to, unless told. A directory that nobody names may be the file's to say.
std::vector<std::string> serving(const FunctionOptions& options) {
  const bool listens = std::ranges::any_of(options.words, [](const auto& word) {
    return word.starts_with("--listen") || word.starts_with("--config");
  });
  std::vector<std::string> words;
  if (!options.daemon.empty() || std::getenv("SOCKD_STATE") != nullptr)
    words = {"--state", daemon_directory(options.daemon)};
  if (!listens) words.insert(words.end(), {"--listen", "127.0.0.1:8080"});
  return words;
}

std::vector<std::string> with_file(const char* flag, const FunctionOptions& options) {
  std::vector<std::string> words{flag};
  if (!options.config.empty()) words.insert(words.end(), {"--config", options.config});
  return words;
}

}  // namespace

int serve(const Globals&, const FunctionOptions& options) {
  return finish(become_sockd(options, serving(options)));
}

int config_show(const Globals&, const FunctionOptions& options) {
  return finish(become_sockd(options, with_file("--show-config", options)));
}

int config_validate(const Globals&, const FunctionOptions& options) {
  return finish(become_sockd(options, with_file("--validate-config", options)));
}

}  // namespace sockctl
