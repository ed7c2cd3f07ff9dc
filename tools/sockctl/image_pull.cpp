// sockctl image pull and push: skopeo brings an image, which is then imported as any other, or
// takes one away that was exported as any other.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_store.hpp"
#include "image_verbs.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "temporary_directory.hpp"

namespace sockctl {
namespace {

Result<> pull(Format format, const ImageOptions& options) {
  const std::string& source = options.import.source;
  SOCKCTL_TRY(check_registry_name("SOURCE", source));
  const auto downloads = SOCKCTL_TRY(TemporaryDirectory::create());
  const LayoutImage layout{.directory = downloads.path() + "/layout", .tag = "pulled"};
  if (!options.import.quiet) complain("pulling " + sock::printable(source));
  SOCKCTL_TRY(copy_from_registry(source, layout, options.import.architecture, options.registry));
  ImageOptions import = options;
  if (import.import.name.empty()) import.import.name = name_in_registry(source);
  return import_and_tell(format, import,
                         {.kind = sock::ImageSource::Kind::oci_layout, .path = layout.directory});
}

Result<> push(Format format, const ImageOptions& options) {
  const std::string& name = options.image;
  const std::string& target = options.write.target;
  SOCKCTL_TRY(check_registry_name("TARGET", target));
  const auto compression = SOCKCTL_TRY(parse_compression(options.write.compression));
  const auto directory = SOCKCTL_TRY(image_store_dir(options.store.directory));
  const auto store = SOCKCTL_TRY(open_image_store(directory));
  const auto uploads = SOCKCTL_TRY(TemporaryDirectory::create());
  const LayoutImage layout{.directory = uploads.path() + "/layout", .tag = "pushed"};
  SOCKCTL_TRY(store.save(name,
                         {.kind = sock::ImageSource::Kind::oci_layout,
                          .path = layout.directory,
                          .reference = layout.tag},
                         {.compression = compression, .changes = options.write.changes}));
  SOCKCTL_TRY(copy_to_registry(layout, target, options.registry));
  if (format == Format::table)
    return write_all(sock::FdRef{1},
                     fmt::format("{} to {}\n", sock::printable(name), sock::printable(target)));
  return write_all(sock::FdRef{1}, line_of({{"image", name}, {"target", target}}) + "\n");
}

int act(const Globals& globals, const ImageOptions& options,
        Result<> (*verb)(Format, const ImageOptions&)) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(verb(*format, options));
}

}  // namespace

int image_pull(const Globals& globals, const ImageOptions& options) {
  return act(globals, options, pull);
}

int image_push(const Globals& globals, const ImageOptions& options) {
  return act(globals, options, push);
}

}  // namespace sockctl
