// sockctl snapshot push and pull. In a registry a snapshot is an image of one file, the one that
// `export` writes: so whatever copies images copies it, and it is verified as an image and as a
// snapshot.

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sock/image.hpp"

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "snapshot_verbs.hpp"
#include "temporary_directory.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* image_name = "snapshot";
constexpr const char* file_name = "snapshot.tar";

Result<> remove_tree(const std::string& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (failed) return refuse(Errc::io, Stage::none, path, failed.message());
  return {};
}

/// Puts it into a layout. What is not needed any more goes at once: a snapshot may be large.
Result<LayoutImage> pack(const SnapshotOptions& options, const std::string& directory) {
  const std::string content = directory + "/content";
  SOCKCTL_TRY(ensure_private_dir(content));
  SOCKCTL_TRY(save_snapshot(options, content + "/" + file_name));
  auto images = SOCKCTL_TRY(sock::ImageStore::open({.directory = directory + "/images"}));
  SOCKCTL_TRY(images.add({.kind = sock::ImageSource::Kind::directory, .path = content},
                         {.name = image_name}));
  SOCKCTL_TRY(remove_tree(content));
  LayoutImage layout{.directory = directory + "/layout", .tag = "pushed"};
  SOCKCTL_TRY(images.save(image_name,
                          {.kind = sock::ImageSource::Kind::oci_layout,
                           .path = layout.directory,
                           .reference = layout.tag},
                          {.compression = sock::Compression::zstd}));
  return layout;
}

Result<> push(Format format, const SnapshotOptions& options) {
  const std::string& name = options.archive.snapshot;
  const std::string& target = options.archive.place;
  SOCKCTL_TRY(check_registry_name("TARGET", target));
  const auto uploads = SOCKCTL_TRY(TemporaryDirectory::create());
  const auto layout = SOCKCTL_TRY(pack(options, uploads.path()));
  SOCKCTL_TRY(copy_to_registry(layout, target, options.registry));
  if (format == Format::table)
    return write_all(sock::FdRef{1}, fmt::format("{} to {}\n", name, sock::printable(target)));
  return write_all(sock::FdRef{1}, line_of({{"snapshot", name}, {"target", target}}) + "\n");
}

/// Whoever has written the image is not trusted: the file may be a link, or a pipe.
Result<std::string> find_file(const sock::ImageRoot& root, const std::string& source) {
  const std::string path = root.path() + "/" + file_name;
  std::error_code failed;
  if (fs::symlink_status(path, failed).type() == fs::file_type::regular) return path;
  return refuse(Errc::corrupt, Stage::checkpoint, source,
                "it is no snapshot that sockctl snapshot push has written");
}

Result<> pull(Format format, const SnapshotOptions& options) {
  const std::string& source = options.archive.place;
  SOCKCTL_TRY(check_registry_name("SOURCE", source));
  const auto downloads = SOCKCTL_TRY(TemporaryDirectory::create());
  const LayoutImage layout{.directory = downloads.path() + "/layout", .tag = "pulled"};
  if (!options.quiet) complain("pulling " + sock::printable(source));
  SOCKCTL_TRY(copy_from_registry(source, layout, {}, options.registry));
  auto images = SOCKCTL_TRY(sock::ImageStore::open({.directory = downloads.path() + "/images"}));
  // Memory that is all zeros takes next to nothing.
  constexpr std::uint32_t most_for_a_byte = 50'000;
  SOCKCTL_TRY(images.add({.kind = sock::ImageSource::Kind::oci_layout, .path = layout.directory},
                         {.name = image_name, .limits = {.ratio_max = most_for_a_byte}}));
  SOCKCTL_TRY(remove_tree(layout.directory));
  const auto root = SOCKCTL_TRY(images.use(image_name));
  const auto file = SOCKCTL_TRY(find_file(root, source));
  return import_and_tell(format, options, file);
}

int act(const Globals& globals, const SnapshotOptions& options,
        Result<> (*verb)(Format, const SnapshotOptions&)) {
  const auto format = format_of(globals);
  if (!format.has_value()) return fail_usage(format.error());
  return finish(verb(*format, options));
}

}  // namespace

int snapshot_push(const Globals& globals, const SnapshotOptions& options) {
  return act(globals, options, push);
}

int snapshot_pull(const Globals& globals, const SnapshotOptions& options) {
  return act(globals, options, pull);
}

}  // namespace sockctl
