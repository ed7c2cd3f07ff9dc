// sockctl image pull: skopeo brings an image, which is then imported as any other.

#include "image_verbs.hpp"
#include "program.hpp"
#include "report.hpp"
#include "temporary_directory.hpp"

namespace sockctl {
namespace {

constexpr std::string_view registry = "docker://";

std::vector<std::string> copy_command(const ImageImportOptions& options,
                                      const std::string& target) {
  std::vector<std::string> words{"skopeo"};
  if (!options.architecture.empty()) {
    words.emplace_back("--override-arch");
    words.push_back(options.architecture);
  }
  words.emplace_back("copy");
  // What it says on stdout is nobody's output here, and its own progress ours is enough of.
  words.emplace_back("--quiet");
  if (options.insecure) words.emplace_back("--src-tls-verify=false");
  if (!options.authfile.empty()) {
    words.emplace_back("--src-authfile");
    words.push_back(options.authfile);
  }
  words.push_back(options.source);
  words.push_back(target);
  return words;
}

Result<> pull(Format format, const ImageOptions& options) {
  const std::string& source = options.import.source;
  if (source.find(':') == std::string::npos)
    return refuse_option("SOURCE", source, "docker://NAME[:TAG], like docker://debian:12");
  const auto downloads = SOCKCTL_TRY(TemporaryDirectory::create());
  const std::string layout = downloads.path() + "/layout";
  if (!options.import.quiet) complain("pulling " + sock::printable(source));
  auto copied = run_program(copy_command(options.import, "oci:" + layout + ":pulled"), "/");
  if (!copied.has_value() && copied.error().code == Errc::not_found)
    copied.error().hint = "it is in the Debian package of that name";
  if (!copied.has_value()) return std::unexpected(copied.error());
  ImageOptions import = options;
  if (import.import.name.empty() && source.starts_with(registry))
    import.import.name = source.substr(registry.size(), source.find('@') - registry.size());
  return import_and_tell(format, import,
                         {.kind = sock::ImageSource::Kind::oci_layout, .path = layout});
}

}  // namespace

int image_pull(const Globals& globals, const ImageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(pull(*format, options));
}

}  // namespace sockctl
