#pragma once

// Installed packages in a store: one read-only directory for each name, version and ABI, taken in
// from a wheel, a directory, Debian packages, or what an installer wrote in a container of its own.
// Containers see exactly the packages that they declare.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sock/host.hpp"
#include "sock/image.hpp"
#include "sock/import_tree.hpp"
#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock {

/// Where a package comes from.
struct PackageSource {
  enum class Kind : std::uint8_t {
    wheel,      ///< A .whl file. What its RECORD says of each file is compared.
    directory,  ///< What an installer has put into a directory, as `pip install --target` does.
    deb,        ///< python3-NAME. No maintainer script is run.
    command,    ///< Of CachedPackage alone: PackageCache::install().
  };
  Kind kind;
  /// One. Of Kind::deb, all that share directories: python3-pandas and python3-pandas-lib.
  std::vector<std::string> paths;
  /// Of Kind::directory, where its metadata (one .dist-info) does not tell.
  std::optional<Package> package = {};

  /// "FILE.whl", "dir:DIR" or "deb:FILE[,FILE...]"; a name that ends in .deb is one.
  static Result<PackageSource> parse(std::string_view text);
  friend bool operator==(const PackageSource&, const PackageSource&) = default;
};
/// "wheel", "directory", "deb" or "command".
[[nodiscard]] std::string_view to_string(PackageSource::Kind) noexcept;

/// A package in a cache. A description only: holding one keeps nothing alive.
struct CachedPackage {
  Package package;  ///< With its version.
  /// What it is built for: "none-any" for Python alone, "cp311-x86_64-linux-gnu" for one version of
  /// CPython, "abi3-x86_64-linux-gnu" for all, "none-x86_64-linux-gnu" for the machine.
  std::string abi;
  std::string digest = {};  ///< "sha256:...", of the record of its files.
  PackageSource::Kind kind = PackageSource::Kind::wheel;
  std::string origin = {};  ///< The file's name; empty for a directory or a command.
  /// As it declares them: Requires-Dist of a wheel, Depends of a Debian package (python3-* alone).
  std::vector<std::string> dependencies = {};
  std::vector<std::string> provides = {};  ///< Names of Debian packages that it stands for.
  /// Versions of the interpreter that PackageCache::compile() has compiled its modules for: "3.11".
  std::vector<std::string> compiled = {};
  std::chrono::system_clock::time_point added = {};
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  friend bool operator==(const CachedPackage&, const CachedPackage&) = default;
};

enum class Dependencies : std::uint8_t {
  follow,  ///< Those of the packages too, and theirs. Extras are not.
  ignore,
};

/// What a container is to see.
struct PackageRequest {
  std::vector<Package> packages;  ///< One without a version: the newest that there is.
  std::string python;             ///< The version of the interpreter in the root: "3.11".
  Dependencies dependencies = Dependencies::follow;
};

/// What becomes of packages that the base of a root has itself (dist-packages, site-packages).
enum class BasePackages : std::uint8_t {
  hidden,  ///< An empty directory is mounted over each place where the interpreter finds some.
  visible,
};

/// Packages in use: as long as the handle lives, gc() leaves them alone. Move-only. Keep it for as
/// long as containers run with them.
class PackagesInUse {
 public:
  PackagesInUse(PackagesInUse&&) noexcept;
  PackagesInUse& operator=(PackagesInUse&&) noexcept;
  ~PackagesInUse();

  /// Those that were asked for, in that order, and then what they need.
  [[nodiscard]] const std::vector<CachedPackage>& packages() const noexcept;
  /// The directory of one of them on the host, and in containers: /packages/NAME/VERSION. Modules
  /// are in `site-packages` below it, programs in `bin`, shared libraries in `lib`.
  [[nodiscard]] std::string source(const CachedPackage& package) const;
  [[nodiscard]] static std::string target(const Package& package);
  /// The modules by which it is imported, sorted: "PIL" of Pillow; but those that begin with an
  /// underscore. On failure: Errc::corrupt when its files are gone.
  [[nodiscard]] Result<std::vector<std::string>> modules(const CachedPackage& package) const;
  /// Declares all of them in a spec of a container, a zygote domain or a forked container:
  /// read-only binds in `rootfs`, PYTHONPATH and LD_LIBRARY_PATH in `env`, before what stands
  /// there. On failure: Errc::not_found for a base that is not there.
  Result<> declare(Rootfs& rootfs, std::vector<std::string>& env,
                   BasePackages base_packages = BasePackages::hidden) const;

  struct Impl;  ///< The library's own.

 private:
  friend class PackageCache;
  explicit PackagesInUse(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

/// An installer, which runs in a container of its own and leaves a package in /out.
struct InstallSpec {
  /// What runs it: a root, a command, limits. Network::isolated() unless it says otherwise. /out is
  /// added, an empty directory that the payload may write to.
  ContainerSpec container;
  std::optional<Package> package = {};          ///< Where the metadata in /out does not tell.
  std::chrono::milliseconds deadline{600'000};  ///< Then the container is killed.
  ImportLimits limits = {};                     ///< Of what is taken over from /out.
};

/// An interpreter, which compiles the modules of a package in a container of its own.
struct CompileSpec {
  /// What runs it: a root, limits, and as `argv` the interpreter alone. What it is to do is added,
  /// and what it needs for that: the package, read-only, and /out.
  ContainerSpec container;
  std::string python;                           ///< The version of the interpreter: "3.11".
  std::chrono::milliseconds deadline{600'000};  ///< Then the container is killed.
  ImportLimits limits = {};                     ///< Of the package with its bytecode.
};

/// What gc() has removed, and what it had to leave because it is in use.
struct PackageGarbage {
  std::size_t trees = 0;       ///< Directories of packages that were removed.
  std::size_t unfinished = 0;  ///< Left by those that were killed.
  std::size_t in_use = 0;
};

struct PackageCacheOptions {
  /// Made with mode 0700 where it is missing. Several processes may share it; never put it below a
  /// directory that others may write to.
  std::string directory;
};

/// A directory of packages. Thread-safe, and safe between processes. One that was moved from gives
/// Errc::closed.
class PackageCache {
 public:
  /// On failure: Errc::unsupported for a cache of a newer format, Errc::denied for a directory of
  /// somebody else.
  static Result<PackageCache> open(const PackageCacheOptions& options);
  PackageCache(PackageCache&&) noexcept;
  PackageCache& operator=(PackageCache&&) noexcept;
  ~PackageCache();

  /// Takes a package in; one that is there already is only returned. If anything fails, the cache
  /// shows nothing of it. On failure: Errc::corrupt for a source that is not what it says,
  /// Errc::unsupported for one that is not for this machine, Errc::exhausted beyond a limit,
  /// Errc::exists when the same version is there with other content. Blocking: as long as reading
  /// and writing takes, and while another process takes in the same.
  Result<CachedPackage> add(const PackageSource& source, const ImportLimits& limits = {});
  /// Runs an installer in a container and takes in what it leaves. What it writes to /out until its
  /// deadline has no bound but the disk. On failure: as add() and
  /// Host::create(); Errc::launch_failed when the command does, Errc::timed_out. Blocking: as long
  /// as it runs.
  Result<CachedPackage> install(Host& host, const InstallSpec& spec);
  /// Adds the bytecode of a package's modules to it: without, each new interpreter that imports
  /// them compiles them again, and cannot keep the result. Those that use the package see no
  /// change; one that is compiled for that version already is only returned. No code of it is run.
  /// What the interpreter writes is what all containers with a Python of that version import from
  /// then on, whatever their root: take one that they all trust. What it writes to /out until its
  /// deadline has no bound but the disk. On failure: as Host::create(), Errc::unsupported for a
  /// package that is not for that interpreter, Errc::launch_failed when that does not do its work,
  /// Errc::timed_out, Errc::corrupt for what is no bytecode, Errc::exhausted beyond a limit; the
  /// package stays as it was. Blocking: seconds for a large package, and while another process
  /// compiles the same.
  Result<CachedPackage> compile(Host& host, const CachedPackage& package, const CompileSpec& spec);

  /// Sorted by name, then by version, the newest first.
  [[nodiscard]] Result<std::vector<CachedPackage>> list() const;
  /// All of that name, or in that version; the newest first. On failure: Errc::not_found.
  [[nodiscard]] Result<std::vector<CachedPackage>> find(const Package& package) const;
  /// Chooses packages and keeps them. On failure: Errc::not_found with the name of what is missing
  /// and of who needs it, Errc::invalid_spec when two need different versions of one.
  [[nodiscard]] Result<PackagesInUse> use(const PackageRequest& request) const;

  /// Re-reads every file of a package and compares it with what was taken in. Blocking: as long as
  /// reading takes.
  [[nodiscard]] Result<Verification> verify(const CachedPackage& package) const;
  /// Takes it out of the cache; those that use it keep it. The space goes with the next gc().
  Result<> remove(const CachedPackage& package);
  /// Removes the files of packages that were taken out and that nobody uses. Those at work are not
  /// disturbed.
  Result<PackageGarbage> gc();

  struct Impl;  ///< The library's own.

 private:
  explicit PackageCache(std::unique_ptr<Impl>) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sock
