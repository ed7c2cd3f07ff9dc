// Sources of images.

#include "image/source.hpp"

#include <array>

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/reference.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

constexpr std::array kind_names{std::string_view{"oci"}, std::string_view{"oci-archive"},
                                std::string_view{"docker-archive"}, std::string_view{"dir"}};

std::string architecture_of(const ImportOptions& options) {
  return options.architecture.empty() ? machine_architecture() : options.architecture;
}

// An index may name an index for each platform, which names manifests.
Result<Descriptor> resolve_index(const BlobSource& blobs, const ImageSource& source,
                                 const ImportOptions& options, std::string& tag) {
  const auto& limits = options.limits;
  std::string text = SOCK_TRY(blobs.read("index.json", limits.document_max));
  std::string reference = source.reference;
  constexpr int most_levels = 4;
  for (int level = 0; level < most_levels; ++level) {
    const auto descriptors = SOCK_TRY(parse_index(text, limits));
    Descriptor chosen = SOCK_TRY(choose_manifest(descriptors, reference, architecture_of(options)));
    if (level == 0) tag = chosen.full_name.empty() ? chosen.name : chosen.full_name;
    if (is_manifest(chosen.media_type)) return chosen;
    text = SOCK_TRY(blobs.read_blob(chosen.digest, chosen.size, limits.document_max));
    reference.clear();  // A name is of the outermost index only.
  }
  return corrupt("image index", "indexes within indexes");
}

Result<> check_layout(const BlobSource& blobs, const ImportLimits& limits) {
  const std::string what = "oci-layout";
  const auto text = SOCK_TRY(blobs.read(what, limits.document_max));
  const auto document = SOCK_TRY(parse_document(text, limits.document_max, what));
  const auto version = SOCK_TRY(text_of(document, "imageLayoutVersion", what));
  if (!version.starts_with("1."))
    return base::refuse(Errc::unsupported, image_stage, "image layout of version '" + version + "'",
                        "1.0.0 is known");
  return {};
}

Result<SourceImage> open_oci(BlobSource blobs, const ImageSource& source,
                             const ImportOptions& options) {
  const auto& limits = options.limits;
  SOCK_TRY(check_layout(blobs, limits));
  std::string tag;
  const Descriptor chosen = SOCK_TRY(resolve_index(blobs, source, options, tag));
  std::string manifest_text =
      SOCK_TRY(blobs.read_blob(chosen.digest, chosen.size, limits.document_max));
  const Manifest manifest = SOCK_TRY(parse_manifest(manifest_text, limits));
  std::string config_text =
      SOCK_TRY(blobs.read_blob(manifest.config.digest, manifest.config.size, limits.document_max));
  Config config = SOCK_TRY(parse_config(config_text, limits));
  SourceImage image{.blobs = std::move(blobs),
                    .config = std::move(config),
                    .config_text = std::move(config_text),
                    .manifest_text = std::move(manifest_text),
                    .layers = {},
                    .name = {}};
  SOCK_TRY(check_config(image.config, manifest.layers.size(), architecture_of(options)));
  for (std::size_t i = 0; i < manifest.layers.size(); ++i)
    image.layers.push_back({.diff_id = image.config.diff_ids[i],
                            .path = blob_path(manifest.layers[i].digest),
                            .stored = manifest.layers[i].digest,
                            .size = manifest.layers[i].size});
  // A tag alone is no name; "quay.io/me/app:1" is.
  const auto full = tag.find_first_of(":/") != std::string::npos
                        ? parse_image_name(tag)
                        : Result<std::string>{name_from_path(source.path, tag)};
  image.name = full.has_value() ? *full : name_from_path(source.path, "");
  return image;
}

Result<SourceImage> open_docker(BlobSource blobs, const ImageSource& source,
                                const ImportOptions& options) {
  const auto& limits = options.limits;
  const auto text = SOCK_TRY(blobs.read("manifest.json", limits.document_max));
  const auto images = SOCK_TRY(parse_saved_images(text, limits));
  const SavedImage saved = SOCK_TRY(choose_saved_image(images, source.reference));
  std::string config_text = SOCK_TRY(blobs.read(saved.config, limits.document_max));
  Config config = SOCK_TRY(parse_config(config_text, limits));
  SourceImage image{.blobs = std::move(blobs),
                    .config = std::move(config),
                    .config_text = std::move(config_text),
                    .manifest_text = {},
                    .layers = {},
                    .name = {}};
  SOCK_TRY(check_config(image.config, saved.layers.size(), architecture_of(options)));
  for (std::size_t i = 0; i < saved.layers.size(); ++i)
    image.layers.push_back(
        {.diff_id = image.config.diff_ids[i], .path = saved.layers[i], .stored = {}, .size = {}});
  const auto given =
      source.reference.empty() && !saved.names.empty() ? saved.names.front() : source.reference;
  const auto name = parse_image_name(given);
  image.name = name.has_value() ? *name : name_from_path(source.path, "");
  return image;
}

}  // namespace

Result<SourceImage> open_source_image(const ImageSource& source, const ImportOptions& options) {
  using Kind = ImageSource::Kind;
  if (source.kind == Kind::oci_layout) {
    BlobSource directory = SOCK_TRY(BlobSource::open_directory(source.path));
    return open_oci(std::move(directory), source, options);
  }
  BlobSource archive = SOCK_TRY(BlobSource::open_archive(source.path));
  if (source.kind == Kind::oci_archive) return open_oci(std::move(archive), source, options);
  return open_docker(std::move(archive), source, options);
}

}  // namespace sock::image

namespace sock {

std::string_view to_string(ImageSource::Kind kind) noexcept {
  return image::kind_names[static_cast<std::size_t>(kind)];
}

// A reference may hold colons, and a path may not: as in skopeo.
Result<ImageSource> ImageSource::parse(std::string_view text) {
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  for (std::size_t i = 0; i < image::kind_names.size() && colon != std::string_view::npos; ++i) {
    if (kind != image::kind_names[i]) continue;
    ImageSource source{.kind = static_cast<Kind>(i), .path = std::string{text.substr(colon + 1)}};
    const auto next = source.path.find(':');
    if (source.kind != Kind::directory && next != std::string::npos) {
      source.reference = source.path.substr(next + 1);
      source.path.resize(next);
    }
    if (!source.path.empty() &&
        (next == std::string::npos || source.kind == Kind::directory || !source.reference.empty()))
      return source;
  }
  return base::refuse(
      Errc::invalid_spec, image::image_stage,
      "image source '" + std::string{text.substr(0, 300)} + "'",
      "oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME] or dir:DIR");
}

}  // namespace sock
