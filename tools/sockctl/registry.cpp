// What skopeo says on stderr is ours; on stdout it is told to say nothing.

#include "registry.hpp"

#include <vector>

#include "program.hpp"

namespace sockctl {
namespace {

constexpr std::string_view registry = "docker://";

std::string text_of(const LayoutImage& image) {
  return "oci:" + image.directory + ":" + image.tag;
}

Result<> run_skopeo(const std::vector<std::string>& words) {
  auto copied = run_program(words, ".");
  if (copied.has_value()) return {};
  auto error = std::move(copied).error();
  if (error.code == Errc::not_found) error.hint = "it is in the Debian package of that name";
  return std::unexpected(std::move(error));
}

/// `end`: which of the two is the registry, as skopeo's options have it: "src" or "dest".
void add_options(std::vector<std::string>& words, const std::string& end,
                 const RegistryOptions& options) {
  if (options.insecure) words.push_back("--" + end + "-tls-verify=false");
  if (options.authfile.empty()) return;
  words.push_back("--" + end + "-authfile");
  words.push_back(options.authfile);
}

}  // namespace

Result<> copy_from_registry(const std::string& source, const LayoutImage& target,
                            const std::string& architecture, const RegistryOptions& options) {
  std::vector<std::string> words{"skopeo"};
  if (!architecture.empty()) words.insert(words.end(), {"--override-arch", architecture});
  words.insert(words.end(), {"copy", "--quiet"});
  add_options(words, "src", options);
  words.insert(words.end(), {source, text_of(target)});
  return run_skopeo(words);
}

Result<> copy_to_registry(const LayoutImage& source, const std::string& target,
                          const RegistryOptions& options) {
  std::vector<std::string> words{"skopeo", "copy", "--quiet"};
  add_options(words, "dest", options);
  words.insert(words.end(), {text_of(source), target});
  return run_skopeo(words);
}

Result<> check_registry_name(std::string_view option, const std::string& text) {
  if (text.find(':') != std::string::npos && !text.starts_with('-')) return {};
  return refuse_option(option, text, "docker://NAME[:TAG], like docker://debian:12");
}

std::string name_in_registry(const std::string& text) {
  if (!text.starts_with(registry)) return {};
  return text.substr(registry.size(), text.find('@') - registry.size());
}

}  // namespace sockctl
