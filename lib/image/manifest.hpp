#pragma once

// The documents of an image, as OCI's image specification and `docker save` write them. Pure: text
// in, values or Errc::corrupt out.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sock/image.hpp"

#include "store/digest.hpp"

namespace sock::image {

/// An entry of an index or a manifest.
struct Descriptor {
  std::string media_type;
  store::Digest digest;
  std::uint64_t size;
  std::string name = {};  ///< From the annotations of an index; may be empty.
  std::string architecture = {};
  std::string os = {};
  /// The image's name where the tag alone is in `name` (containerd and podman note it).
  std::string full_name = {};
};

[[nodiscard]] bool is_index(std::string_view media_type) noexcept;
[[nodiscard]] bool is_manifest(std::string_view media_type) noexcept;
[[nodiscard]] bool is_layer(std::string_view media_type) noexcept;

/// `index.json`, or an index among the blobs.
Result<std::vector<Descriptor>> parse_index(std::string_view text, const ImportLimits& limits);
/// The one with that tag or name (empty: the only one there is) for that architecture. Those of
/// another kind (signatures, attestations) are passed over. On failure: Errc::not_found, with what
/// there is as hint.
Result<Descriptor> choose_manifest(const std::vector<Descriptor>& descriptors,
                                   const std::string& reference, const std::string& architecture);

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
};
Result<Manifest> parse_manifest(std::string_view text, const ImportLimits& limits);

struct Config {
  std::string architecture;
  std::string os;
  std::string created;
  std::vector<store::Digest> diff_ids;
  ImageConfig run;
};
Result<Config> parse_config(std::string_view text, const ImportLimits& limits);
/// Refuses what this machine cannot run, and a number of layers other than the manifest's.
Result<> check_config(const Config& config, std::size_t layers, const std::string& architecture);

/// One element of `manifest.json` in what `docker save` writes.
struct SavedImage {
  std::string config;  ///< A path in the archive, as all of these.
  std::vector<std::string> names;
  std::vector<std::string> layers;
};
Result<std::vector<SavedImage>> parse_saved_images(std::string_view text,
                                                   const ImportLimits& limits);
Result<SavedImage> choose_saved_image(const std::vector<SavedImage>& images,
                                      const std::string& reference);

/// As Go, and so all these documents, spells it.
[[nodiscard]] std::string machine_architecture();

}  // namespace sock::image
