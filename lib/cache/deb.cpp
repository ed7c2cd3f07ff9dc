// Debian packages: an ar archive of two compressed tar archives.

#include "cache/deb.hpp"

#include <algorithm>
#include <memory>

#include "base/try.hpp"
#include "cache/metadata.hpp"
#include "cache/package_abi.hpp"
#include "cache/package_layout.hpp"
#include "cache/package_writer.hpp"
#include "store/decoded_stream.hpp"
#include "store/entry_path.hpp"
#include "store/file_stream.hpp"
#include "store/stage.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using Kind = store::TreeEntry::Kind;

std::string_view without(std::string_view text, std::string_view prefix) {
  return text.substr(prefix.size());
}

// What may follow "python3" in a directory's name: nothing, or ".11".
bool is_minor(std::string_view text) {
  return text.empty() || (text.size() > 1 && text.front() == '.' &&
                          text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

// By the member's name, as dpkg does; null for one that is not compressed.
Result<std::unique_ptr<store::Decoder>> decoder_for(std::string_view member,
                                                    const std::string& file) {
  if (member.ends_with(".tar")) return nullptr;
  if (member.ends_with(".gz")) return store::gzip_decoder(file);
  if (member.ends_with(".xz")) return store::xz_decoder(file);
  if (member.ends_with(".zst")) return store::zstd_decoder(file);
  return base::refuse(Errc::unsupported, store::store_stage, file,
                      "it is compressed with something else than gzip, xz or zstd");
}

// The first file called control; there are few others beside it.
Result<Metadata> read_control(store::ByteStream& tar, const std::string& file,
                              const ImportLimits& limits) {
  constexpr int most_members = 1000;
  store::ArchiveReader reader{store::ArchiveFormat::tar, tar, {file}, limits};
  for (int i = 0; i < most_members; ++i) {
    const auto entry = SOCK_TRY(reader.next());
    if (!entry) break;
    if (entry->path != "./control" && entry->path != "control") continue;
    const auto text = SOCK_TRY(reader.read_all(limits.document_max));
    return Metadata::parse(text, file + ": control");
  }
  return store::corrupt(file, "no control file is in it");
}

Result<> unpack_data(store::ByteStream& tar, PackageWriter& writer, const std::string& file,
                     const ImportLimits& limits) {
  store::ArchiveReader reader{store::ArchiveFormat::tar, tar, {file}, limits};
  while (auto entry = SOCK_TRY(reader.next())) {
    SOCK_TRY(writer.check(*entry));
    const auto clean = SOCK_TRY(store::clean_entry_path(entry->path, limits));
    const auto place = place_in_package(clean);
    if (!place) continue;
    if (!entry->hard_link.empty()) {
      const auto target = SOCK_TRY(store::clean_entry_path(entry->hard_link, limits));
      const auto linked = place_in_package(target);
      if (!linked)
        return store::corrupt("entry '" + clean + "'", "a hard link to what is not taken");
      entry->hard_link = *linked;
    }
    SOCK_TRY(writer.add(*place, std::move(*entry), reader));
  }
  return {};
}

// What is behind the end of the tar archive is read as well: it must be there, and the checksums
// hold only then.
Result<> read_on(store::ByteStream& tar) {
  while (!SOCK_TRY(tar.next()).empty()) {
  }
  return {};
}

// In this order: debian-binary, control.tar.*, data.tar.*.
Result<Metadata> unpack_one(const SourceFile& deb, PackageWriter& writer,
                            const ImportLimits& limits) {
  store::FileStream bytes{deb.file};
  store::ArchiveReader outer{store::ArchiveFormat::ar, bytes, {deb.name}, limits};
  store::MemberStream member{outer};
  const auto no_package = [&](const char* why) { return store::corrupt(deb.name, why); };
  const auto expect = [&](std::string_view name) -> Result<std::string> {
    const auto entry = SOCK_TRY(outer.next());
    if (!entry || !entry->path.starts_with(name)) return no_package("no Debian package");
    return entry->path;
  };
  SOCK_TRY(expect("debian-binary"));
  constexpr std::uint64_t most_version = 64;
  if (!SOCK_TRY(outer.read_all(most_version)).starts_with("2."))
    return no_package("no Debian package of format 2");
  // One after the other: each has a decoder of its own, with the memory for that.
  const auto open_tar =
      [&](std::string_view name,
          std::uint64_t bytes_max) -> Result<std::unique_ptr<store::DecodedStream>> {
    const auto path = SOCK_TRY(expect(name));
    auto decoder = SOCK_TRY(decoder_for(path, deb.name));
    return std::make_unique<store::DecodedStream>(
        member, std::move(decoder),
        store::DecodingLimits{
            .subject = deb.name, .bytes_max = bytes_max, .ratio_max = limits.ratio_max});
  };
  constexpr std::uint64_t most_control = 64ULL << 20U;
  auto tar = SOCK_TRY(open_tar("control.tar", most_control));
  auto control = SOCK_TRY(read_control(*tar, deb.name, limits));
  SOCK_TRY(read_on(*tar));
  tar.reset();
  tar = SOCK_TRY(open_tar("data.tar", limits.bytes_max));
  SOCK_TRY(unpack_data(*tar, writer, deb.name, limits));
  SOCK_TRY(read_on(*tar));
  return control;
}

Result<> check_architecture(const Metadata& control, const std::string& file) {
  // As Debian spells the machines that this project knows.
  const std::string machine = machine_name();
  const std::string own = machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
  const auto architecture = control.first("Architecture");
  if (architecture == "all" || architecture == own) return {};
  return base::refuse(Errc::unsupported, store::store_stage, file,
                      "it is for " + architecture + ", and this machine is " + own);
}

/// What a .egg-info or .dist-info says, where there is one.
std::optional<Package> package_described(FdRef tree, const store::TreeRecord& record,
                                         const std::string& wanted, const ImportLimits& limits) {
  std::optional<Package> found;
  for (const auto& [path, entry] : record.entries) {
    if (store::parent_of(path) != modules_directory) continue;
    const bool is_egg = path.ends_with(".egg-info");
    if (!is_egg && !path.ends_with(".dist-info")) continue;
    const std::string file =
        !entry.is_directory() ? path : path + (is_egg ? "/PKG-INFO" : "/METADATA");
    const auto text = sys::read_file(tree, file, limits.document_max);
    if (!text.has_value()) continue;
    const auto metadata = Metadata::parse(*text, file);
    if (!metadata.has_value()) continue;
    auto package = package_in(*metadata, file);
    if (!package.has_value()) continue;
    // Of several, the one that is called like the Debian package.
    if (!found || package->name == wanted) found = std::move(*package);
  }
  return found;
}

Result<Package> package_of(const Metadata& control, FdRef tree, const store::TreeRecord& record,
                           const std::string& file, const ImportLimits& limits) {
  constexpr std::string_view prefix = "python3-";
  const std::string debian = control.first("Package");
  if (!debian.starts_with(prefix))
    return base::refuse(Errc::invalid_spec, store::store_stage, file,
                        "the first must be a python3-* package, not '" + debian + "'");
  const auto fallback = Package::parse(std::string{without(debian, prefix)} +
                                       "==" + upstream_version(control.first("Version")));
  if (auto described = package_described(
          tree, record, fallback.has_value() ? fallback->name : std::string{}, limits))
    return std::move(*described);
  if (!fallback.has_value()) return store::corrupt(file, "no name and version of a package");
  return fallback;
}

void note_provided(const Metadata& control, UnpackedPackage& unpacked) {
  unpacked.provides.push_back(control.first("Package"));
  for (auto& name : python_packages_in(control.first("Provides")))
    unpacked.provides.push_back(std::move(name));
}

}  // namespace

std::optional<std::string> place_in_package(const std::string& path) {
  constexpr std::string_view python = "usr/lib/python3";
  constexpr std::string_view own_packages = "dist-packages/";
  if (path.starts_with(python)) {
    const auto slash = path.find('/', python.size());
    if (slash == std::string::npos || !is_minor(path.substr(python.size(), slash - python.size())))
      return std::nullopt;
    std::string_view inside = std::string_view{path}.substr(slash + 1);
    if (inside == "dist-packages") return std::nullopt;
    if (inside.starts_with(own_packages)) inside = without(inside, own_packages);
    return std::string{modules_directory} + "/" + std::string{inside};
  }
  // Multiarch: /usr/lib/x86_64-linux-gnu.
  const std::string libraries = "usr/lib/" + machine_name() + "-linux-gnu/";
  if (!path.starts_with(libraries)) return std::nullopt;
  const auto inside = without(path, libraries);
  return std::string{libraries_directory} + "/" + std::string{inside};
}

Result<UnpackedPackage> unpack_debs(std::span<const SourceFile> files, FdRef tree,
                                    const ImportLimits& limits) {
  std::uint64_t size = 0;
  for (const auto& deb : files) size += SOCK_TRY(sys::inode(deb.file))
  .size;
  PackageWriter writer{tree, limits, size, Repetition::equal};
  std::vector<Metadata> controls;
  for (const auto& deb : files) {
    controls.push_back(SOCK_TRY(unpack_one(deb, writer, limits)));
    SOCK_TRY(check_architecture(controls.back(), deb.name));
  }
  auto record = SOCK_TRY(writer.finish());
  if (!record.entries.contains(std::string{modules_directory}))
    return base::refuse(Errc::invalid_spec, store::store_stage, files.front().name,
                        "nothing of Python 3 is in it");
  auto package = SOCK_TRY(package_of(controls.front(), tree, record, files.front().name, limits));
  auto abi = SOCK_TRY(abi_of_files(record));
  UnpackedPackage unpacked{.package = std::move(package),
                           .abi = std::move(abi),
                           .origin = files.front().name,
                           .record = std::move(record)};
  for (const auto& control : controls) note_provided(control, unpacked);
  for (const auto& control : controls)
    for (auto& name : python_packages_in(control.first("Depends"))) {
      const auto is_own = [&](const std::string& own) { return own == name; };
      const bool is_known =
          std::ranges::find(unpacked.dependencies, name) != unpacked.dependencies.end();
      if (!is_known && std::ranges::none_of(unpacked.provides, is_own))
        unpacked.dependencies.push_back(std::move(name));
    }
  return unpacked;
}

}  // namespace sock::cache
