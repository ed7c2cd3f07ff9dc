// Indexes and manifests: parsing, and choosing among several images.

#include "image/manifest.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"
#include "image/document.hpp"
#include "image/stage.hpp"

namespace sock::image {
namespace {

constexpr std::array index_types{
    std::string_view{"application/vnd.oci.image.index.v1+json"},
    std::string_view{"application/vnd.docker.distribution.manifest.list.v2+json"},
};
constexpr std::array manifest_types{
    std::string_view{"application/vnd.oci.image.manifest.v1+json"},
    std::string_view{"application/vnd.docker.distribution.manifest.v2+json"},
};
constexpr std::array config_types{
    std::string_view{"application/vnd.oci.image.config.v1+json"},
    std::string_view{"application/vnd.docker.container.image.v1+json"},
};
constexpr std::array layer_types{
    std::string_view{"application/vnd.oci.image.layer.v1.tar"},
    std::string_view{"application/vnd.oci.image.layer.v1.tar+gzip"},
    std::string_view{"application/vnd.oci.image.layer.v1.tar+zstd"},
    std::string_view{"application/vnd.oci.image.layer.nondistributable.v1.tar"},
    std::string_view{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"},
    std::string_view{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"},
    std::string_view{"application/vnd.docker.image.rootfs.diff.tar"},
    std::string_view{"application/vnd.docker.image.rootfs.diff.tar.gzip"},
    std::string_view{"application/vnd.docker.image.rootfs.diff.tar.zstd"},
    std::string_view{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& types, std::string_view type) {
  return std::ranges::find(types, type) != types.end();
}

std::unexpected<Error> unknown_type(const std::string& what, const std::string& type) {
  return base::refuse(Errc::unsupported, image_stage, what + " of type '" + type + "'",
                      "none of the types of OCI's image specification, or of Docker's");
}

Result<Descriptor> parse_descriptor(const nlohmann::json& value, const std::string& what) {
  const auto digest_text = SOCK_TRY(text_of(value, "digest", what));
  auto media_type = SOCK_TRY(text_of(value, "mediaType", what));
  auto digest = SOCK_TRY(store::Digest::parse(digest_text, what));
  const auto size = SOCK_TRY(number_of(value, "size", what));
  Descriptor descriptor{
      .media_type = std::move(media_type), .digest = std::move(digest), .size = size};
  if (const auto* notes = find_member(value, "annotations")) {
    descriptor.name = SOCK_TRY(text_of(*notes, "org.opencontainers.image.ref.name", what));
    descriptor.full_name = SOCK_TRY(text_of(*notes, "io.containerd.image.name", what));
  }
  if (const auto* platform = find_member(value, "platform")) {
    descriptor.architecture = SOCK_TRY(text_of(*platform, "architecture", what));
    descriptor.os = SOCK_TRY(text_of(*platform, "os", what));
  }
  return descriptor;
}

std::string names_in(const std::vector<Descriptor>& descriptors) {
  std::string names;
  for (const auto& descriptor : descriptors)
    if (names.size() < 300 && !descriptor.name.empty()) names += " " + descriptor.name;
  return names.empty() ? " images without a name" : names;
}

// Archives spell Docker's own registry out, people do not.
bool is_called(std::string_view name, std::string_view reference) {
  if (reference.empty()) return false;
  for (const std::string_view prefix : {"docker.io/library/", "docker.io/", ""}) {
    if (!name.starts_with(prefix)) continue;
    const auto rest = name.substr(prefix.size());
    if (rest == reference || rest == std::string{reference} + ":latest") return true;
  }
  return false;
}

bool is_for(const Descriptor& descriptor, const std::string& architecture) {
  return (descriptor.architecture.empty() || descriptor.architecture == architecture) &&
         (descriptor.os.empty() || descriptor.os == "linux");
}

}  // namespace

bool is_index(std::string_view media_type) noexcept {
  return is_one_of(index_types, media_type);
}
bool is_manifest(std::string_view media_type) noexcept {
  return is_one_of(manifest_types, media_type);
}
bool is_layer(std::string_view media_type) noexcept {
  return is_one_of(layer_types, media_type);
}

Result<std::vector<Descriptor>> parse_index(std::string_view text, const ImportLimits& limits) {
  const std::string what = "image index";
  const auto document = SOCK_TRY(parse_document(text, limits.document_max, what));
  std::vector<Descriptor> descriptors;
  for (const auto& item : SOCK_TRY(list_of(document, "manifests", what)))
    descriptors.push_back(SOCK_TRY(parse_descriptor(item, what)));
  return descriptors;
}

Result<Descriptor> choose_manifest(const std::vector<Descriptor>& descriptors,
                                   const std::string& reference, const std::string& architecture) {
  std::vector<Descriptor> named;
  for (const auto& descriptor : descriptors) {
    if (!is_index(descriptor.media_type) && !is_manifest(descriptor.media_type)) continue;
    if (reference.empty() || descriptor.name == reference || descriptor.full_name == reference)
      named.push_back(descriptor);
  }
  if (named.empty())
    return base::refuse(Errc::not_found, image_stage,
                        reference.empty() ? "the source holds no image" : "image " + reference,
                        "the source has:" + names_in(descriptors));
  std::vector<Descriptor> fitting;
  for (const auto& descriptor : named)
    if (is_for(descriptor, architecture)) fitting.push_back(descriptor);
  if (fitting.empty())
    return base::refuse(Errc::unsupported, image_stage,
                        "no image for " + architecture + " in the source",
                        "the first is for " + named.front().os + "/" + named.front().architecture);
  if (reference.empty() && fitting.size() > 1)
    return base::refuse(Errc::invalid_spec, image_stage, "several images in the source",
                        "name one of:" + names_in(fitting));
  return fitting.front();
}

Result<Manifest> parse_manifest(std::string_view text, const ImportLimits& limits) {
  const std::string what = "image manifest";
  const auto document = SOCK_TRY(parse_document(text, limits.document_max, what));
  const auto type = SOCK_TRY(text_of(document, "mediaType", what));
  if (!type.empty() && !is_manifest(type)) return unknown_type(what, type);
  const auto* config = find_member(document, "config");
  if (config == nullptr) return corrupt(what, "it names no config");
  auto described = SOCK_TRY(parse_descriptor(*config, what));
  Manifest manifest{.config = std::move(described), .layers = {}};
  if (!is_one_of(config_types, manifest.config.media_type))
    return unknown_type("image config", manifest.config.media_type);
  for (const auto& item : SOCK_TRY(list_of(document, "layers", what))) {
    manifest.layers.push_back(SOCK_TRY(parse_descriptor(item, what)));
    if (!is_layer(manifest.layers.back().media_type))
      return unknown_type("layer", manifest.layers.back().media_type);
  }
  return manifest;
}

Result<std::vector<SavedImage>> parse_saved_images(std::string_view text,
                                                   const ImportLimits& limits) {
  const std::string what = "manifest.json";
  const auto document = SOCK_TRY(parse_document(text, limits.document_max, what));
  if (!document.is_array()) return corrupt(what, "it is no list");
  std::vector<SavedImage> images;
  for (const auto& item : document) {
    SavedImage& image = images.emplace_back();
    image.config = SOCK_TRY(text_of(item, "Config", what));
    if (image.config.empty()) return corrupt(what, "it has an image without a config");
    image.names = SOCK_TRY(texts_of(item, "RepoTags", what));
    image.layers = SOCK_TRY(texts_of(item, "Layers", what));
  }
  return images;
}

Result<SavedImage> choose_saved_image(const std::vector<SavedImage>& images,
                                      const std::string& reference) {
  std::string names;
  for (const auto& image : images) {
    if (reference.empty() && images.size() == 1) return image;
    for (const auto& name : image.names) {
      if (is_called(name, reference)) return image;
      if (names.size() < 300) names += " " + name;
    }
  }
  if (reference.empty() && !images.empty())
    return base::refuse(Errc::invalid_spec, image_stage, "several images in the archive",
                        "name one of:" + names);
  return base::refuse(Errc::not_found, image_stage,
                      reference.empty() ? "the archive holds no image" : "image " + reference,
                      "the archive has:" + names);
}

std::string machine_architecture() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#elif defined(__i386__)
  return "386";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return "ppc64le";
#elif defined(__s390x__)
  return "s390x";
#else
  return "unknown";
#endif
}

}  // namespace sock::image
