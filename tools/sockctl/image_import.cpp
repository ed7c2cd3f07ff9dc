// sockctl image import: from what other tools write into the store.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_json.hpp"
#include "image_progress.hpp"
#include "image_store.hpp"
#include "image_verbs.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<sock::Image> import_image(sock::ImageStore& store, const sock::ImageSource& source,
                                 const ImageImportOptions& options) {
  ProgressView view{options.quiet ? ProgressView::Kind::none : ProgressView::kind_of_stderr()};
  sock::ImportOptions import{
      .name = options.name,
      .architecture = options.architecture,
      .progress = [&view](const sock::ImportProgress& progress) { view.show(progress); }};
  if (options.devices) import.devices = sock::unsafe::ImageDevices{};
  return store.add(source, import);
}

std::string summary(const sock::Image& image) {
  return fmt::format("{} {} {} in {} files, {} layers\n", image.names.front(),
                     short_digest(image.id), human_size(image.bytes), image.entries,
                     image.layers.size());
}

}  // namespace

Result<> import_and_tell(Format format, const ImageOptions& options,
                         const sock::ImageSource& source) {
  const auto directory = SOCKCTL_TRY(image_store_dir(options.store.directory));
  auto store = SOCKCTL_TRY(open_image_store(directory));
  const auto image = SOCKCTL_TRY(import_image(store, source, options.import));
  if (image.devices_skipped > 0)
    complain(fmt::format("{} device nodes left out; hint: --devices", image.devices_skipped));
  return write_all(sock::FdRef{1},
                   format == Format::table ? summary(image) : line_of(to_json(image)) + "\n");
}

int image_import(const Globals& globals, const ImageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  const auto source = sock::ImageSource::parse(options.import.source);
  if (!source.has_value()) return fail_usage(source.error());
  const auto done = import_and_tell(*format, options, *source);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
