#pragma once

// Images: root file systems kept in a content-addressed store, imported from what other tools
// write. Every import is checked against the digests it names, on the bytes that were used.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/prefetch.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"
#include "sock/unsafe.hpp"

namespace sock::unsafe {

/// Token for ImportOptions::devices: device nodes of an image are made in the store.
struct ImageDevices {
  explicit ImageDevices() = default;
};

}  // namespace sock::unsafe

namespace sock {

/// Where an image comes from.
struct ImageSource {
  enum class Kind : std::uint8_t {
    oci_layout,      ///< A directory with `oci-layout`, `index.json` and `blobs/`.
    oci_archive,     ///< The same in an uncompressed tar file.
    docker_archive,  ///< What `docker save` and `podman save` write; an uncompressed tar file.
    directory,       ///< A root file system as it lies in a directory: one layer, no config.
  };
  Kind kind;
  std::string path;
  /// Which image, where there are several: a tag, or a name. Empty: the only one.
  std::string reference = {};

  /// "oci:DIR[:TAG]", "oci-archive:FILE[:TAG]", "docker-archive:FILE[:NAME[:TAG]]", "dir:DIR", as
  /// skopeo spells them.
  static Result<ImageSource> parse(std::string_view text);
  friend bool operator==(const ImageSource&, const ImageSource&) = default;
};
/// "oci", "oci-archive", "docker-archive" or "dir".
[[nodiscard]] std::string_view to_string(ImageSource::Kind) noexcept;

/// What an import may take. What goes beyond it is refused with Errc::exhausted before it is
/// written.
struct ImportLimits {
  std::uint64_t bytes_max = 64ULL << 30U;  ///< Of all files, holes included; of all tar streams.
  std::uint64_t entries_max = 4'000'000;   ///< Files, directories, links and whiteouts.
  std::uint32_t depth_max = 64;            ///< Directories above a file.
  std::uint32_t path_max = 4095;           ///< bytes
  std::uint32_t name_max = 255;            ///< bytes
  std::uint32_t layers_max = 512;
  std::uint32_t ratio_max = 1200;            ///< Unpacked bytes for each compressed one.
  std::uint64_t document_max = 4ULL << 20U;  ///< bytes of a manifest, an index or a config
  std::uint64_t xattrs_max = 128ULL << 10U;  ///< bytes of extended attributes of one file
  friend bool operator==(const ImportLimits&, const ImportLimits&) = default;
};

/// How far an import is, or the export of a snapshot. The total is what the layers of an image take
/// as they are stored in the source, the file that a snapshot is imported from, or all files of one
/// that is exported; 0 where that is not known.
struct ImportProgress {
  enum class Step : std::uint8_t { waiting, unpacking, assembling, syncing, packing };
  Step step;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t entries = 0;
};
[[nodiscard]] std::string_view to_string(ImportProgress::Step) noexcept;

struct ImportOptions {
  /// NAME[:TAG] for it in the store. Empty: the one in the source, or else made from its path.
  std::string name = {};
  std::string architecture = {};  ///< As Go spells it ("arm64"). Empty: this machine's.
  ImportLimits limits = {};
  /// Device nodes are left out unless this is given. No container can use one: roots are mounted
  /// without devices.
  std::optional<unsafe::ImageDevices> devices = {};
  /// Called now and then, from the importing thread.
  std::function<void(const ImportProgress&)> progress = {};
};

enum class Compression : std::uint8_t { none, gzip, zstd };

struct ExportOptions {
  Compression compression = Compression::gzip;  ///< Of layers.
  /// A directory whose content becomes one more layer, on top: what a container has left in a
  /// volume, say. Empty for none.
  std::string changes = {};
};

/// What the image says about running it.
struct ImageConfig {
  std::vector<std::string> env = {};  ///< "NAME=value"
  std::vector<std::string> entrypoint = {};
  std::vector<std::string> cmd = {};
  std::string workdir = {};
  std::string user = {};  ///< "UID[:GID]", or names of the image's own /etc/passwd.
  friend bool operator==(const ImageConfig&, const ImageConfig&) = default;
};

struct ImageLayer {
  std::string diff_id;      ///< "sha256:..." of the uncompressed layer.
  std::uint64_t bytes = 0;  ///< Of its files.
  std::uint64_t entries = 0;
  friend bool operator==(const ImageLayer&, const ImageLayer&) = default;
};

/// An image in a store. A description only: holding one keeps nothing alive.
struct Image {
  std::string id;                         ///< "sha256:...", the digest of its config.
  std::vector<std::string> digests = {};  ///< Of the manifests it was imported by.
  std::vector<std::string> names = {};    ///< "NAME:TAG", sorted.
  std::string architecture = {};
  std::string os = {};
  std::string created = {};  ///< As the image says.
  std::chrono::system_clock::time_point imported = {};
  std::uint64_t bytes = 0;  ///< Of the files in its root.
  std::uint64_t entries = 0;
  std::uint64_t devices_skipped = 0;
  std::uint64_t xattrs_dropped = 0;
  std::vector<ImageLayer> layers = {};
  ImageConfig config = {};
  friend bool operator==(const Image&, const Image&) = default;
};

/// The root of an image, in use: as long as the handle lives, gc() leaves it alone. Move-only. Keep
/// it for as long as containers run from it.
class ImageRoot {
 public:
  ImageRoot(ImageRoot&&) noexcept;
  ImageRoot& operator=(ImageRoot&&) noexcept;
  ~ImageRoot();

  [[nodiscard]] const Image& image() const noexcept;
  /// An absolute path without symlinks, for Rootfs::base.
  [[nodiscard]] const std::string& path() const noexcept;
  /// A Rootfs with that base and the usual tmpfs mounts; with real root, owners are shifted.
  [[nodiscard]] Rootfs rootfs() const;
  /// Whom ImageConfig::user means, by the image's own /etc/passwd and /etc/group; empty when the
  /// image names nobody. What an image says is not trusted: uid 0 belongs into a user namespace. On
  /// failure: Errc::not_found for a name that is not there.
  [[nodiscard]] Result<std::optional<Identity>> identity() const;

  /// Starts to bring what was recorded of `command` into the page cache; where only others with its
  /// first word were recorded, the last of those. Empty when there is nothing. Starts a thread.
  /// On failure: Errc::corrupt for a damaged list.
  [[nodiscard]] Result<std::optional<Prefetch>> prefetch(const std::vector<std::string>& command,
                                                         const PrefetchOptions& options = {}) const;
  /// Makes the page cache forget the root's files, but for what somebody has mapped just now.
  /// Before a start that is to be recorded, or measured. Blocking: as long as opening each file
  /// takes.
  [[nodiscard]] Result<> drop_page_cache() const;
  /// Records for `command` what of the root's files is in memory now.
  [[nodiscard]] Result<PrefetchSummary> record_prefetch(
      const std::vector<std::string>& command) const;
  [[nodiscard]] Result<std::vector<PrefetchSummary>> prefetch_lists() const;

  struct Impl;  ///< The library's own.

 private:
  friend class ImageStore;
  explicit ImageRoot(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// What verify() has read, and what it found wrong: "PATH: WHY", at most 100.
struct Verification {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> problems = {};
  [[nodiscard]] bool ok() const noexcept { return problems.empty(); }
};

/// What gc() has removed, and what it had to leave because it is in use.
struct ImageGarbage {
  std::size_t images = 0;  ///< Without a name.
  std::size_t layers = 0;
  std::size_t roots = 0;
  std::size_t documents = 0;
  std::size_t unfinished = 0;  ///< Left by importers that were killed.
  std::size_t in_use = 0;
};

struct ImageStoreOptions {
  /// Made with mode 0700 where it is missing. Several processes may share it. It holds set-user-ID
  /// programs of strangers, so never open it to others, and never put it below a directory that
  /// others may write to.
  std::string directory;
};

/// A directory of images. Thread-safe, and safe between processes. One that was moved from gives
/// Errc::closed.
class ImageStore {
 public:
  /// On failure: Errc::unsupported for a store of a newer format, Errc::denied for a directory of
  /// somebody else.
  static Result<ImageStore> open(const ImageStoreOptions& options);
  ImageStore(ImageStore&&) noexcept;
  ImageStore& operator=(ImageStore&&) noexcept;
  ~ImageStore();

  /// Imports an image and names it; a name in use moves to it. An image that is there already is
  /// only named. If anything fails, the store shows nothing of it. Starts a thread, and ends it
  /// before it returns. On failure: Errc::corrupt for a source that is not what it says,
  /// Errc::exhausted beyond a limit. Blocking: as long as reading and writing takes, and while
  /// another process imports the same.
  Result<Image> add(const ImageSource& source, const ImportOptions& options = {});

  /// Sorted by their first names; those without names come last.
  [[nodiscard]] Result<std::vector<Image>> list() const;
  /// By NAME[:TAG], by @sha256:DIGEST (of the manifest or of the config), or by both.
  [[nodiscard]] Result<Image> find(std::string_view reference) const;
  /// The root of an image, for containers. On failure: Errc::not_found.
  [[nodiscard]] Result<ImageRoot> use(std::string_view reference) const;

  /// Re-reads every file of an image's root, and compares contents, owners, modes and links with
  /// what was imported. Blocking: as long as reading takes.
  [[nodiscard]] Result<Verification> verify(std::string_view reference) const;
  /// Writes an image as an OCI layout to where an import would find it: `target` is an oci_layout
  /// or an oci_archive that is not there yet; its reference is the tag (the image's own, unless
  /// given). Layers are made anew: the same files, with digests of their own. If anything fails,
  /// nothing is left. On failure: Errc::exists for a target that is there. Blocking: as long as
  /// reading, compressing and writing takes.
  Result<> save(std::string_view reference, const ImageSource& target,
                const ExportOptions& options = {}) const;
  /// Mounts an image's root on a directory of the machine, read-only, without devices and
  /// set-user-ID programs, to be looked at. It stays, and gc() leaves the root alone, until
  /// unmount() or the machine's next start. `directory` is absolute and has no symlink in it. Needs
  /// real root. On failure: Errc::exists where an image is mounted already.
  Result<> mount(std::string_view reference, const std::string& directory) const;
  /// On failure: Errc::not_found where no image was mounted.
  Result<> unmount(const std::string& directory) const;
  /// Takes a name away: NAME[:TAG]; or, by @DIGEST, all names of an image. What nothing refers to
  /// any more goes with the next gc().
  Result<> remove(std::string_view reference);
  /// Removes what no name refers to and nobody uses. Importers at work are not disturbed.
  Result<ImageGarbage> gc();

  struct Impl;  ///< The library's own.

 private:
  explicit ImageStore(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
