// sockctl image export: an image of the store for other tools.

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "image_store.hpp"
#include "image_verbs.hpp"
#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {
namespace {

Result<> export_and_tell(Format format, const ImageOptions& options) {
  const auto target = SOCKCTL_TRY(sock::ImageSource::parse(options.write.target));
  const auto compression = SOCKCTL_TRY(parse_compression(options.write.compression));
  const auto directory = SOCKCTL_TRY(image_store_dir(options.store.directory));
  const auto store = SOCKCTL_TRY(open_image_store(directory));
  const std::string& name = options.image;
  SOCKCTL_TRY(
      store.save(name, target, {.compression = compression, .changes = options.write.changes}));
  if (format == Format::table)
    return write_all(sock::FdRef{1}, fmt::format("{} to {}\n", sock::printable(name),
                                                 sock::printable(options.write.target)));
  return write_all(sock::FdRef{1},
                   line_of({{"image", name}, {"target", options.write.target}}) + "\n");
}

}  // namespace

Result<sock::Compression> parse_compression(const std::string& text) {
  if (text == "none") return sock::Compression::none;
  if (text == "gzip") return sock::Compression::gzip;
  if (text == "zstd") return sock::Compression::zstd;
  return refuse_option("--compress", text, "one of none, gzip, zstd");
}

int image_export(const Globals& globals, const ImageOptions& options) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(export_and_tell(*format, options));
}

}  // namespace sockctl
