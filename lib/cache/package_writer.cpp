// What a package may bring.

#include "cache/package_writer.hpp"

#include <sys/stat.h>

#include "base/try.hpp"
#include "store/digest.hpp"
#include "store/stage.hpp"

namespace sock::cache {
namespace {

using Kind = store::TreeEntry::Kind;

// Small archives may be mostly zeros: no ratio is judged below this.
constexpr std::uint64_t unjudged_bytes = 64ULL << 20U;

std::string entry_named(const std::string& path) {
  return "entry '" + path.substr(0, 300) + "'";
}

// Reads the entry's data.
Result<bool> is_equal(const store::TreeEntry& written, const store::ArchiveEntry& entry,
                      store::ArchiveReader& data) {
  const bool are_files = written.kind == Kind::file && entry.entry.kind == Kind::file;
  if (!are_files || !entry.hard_link.empty()) return false;
  store::Sha256 hash;
  SOCK_TRY(data.read_data([&](std::string_view bytes, std::uint64_t) -> Result<> {
    hash.update(bytes);
    return {};
  }));
  return hash.finish().hex() == written.content;
}

}  // namespace

mode_t package_mode(const store::TreeEntry& entry) noexcept {
  constexpr mode_t may_run = 0111;
  if (entry.kind == Kind::symlink) return 0777;
  return entry.is_directory() || (entry.mode & may_run) != 0 ? 0755 : 0644;
}

PackageWriter::PackageWriter(FdRef tree, const ImportLimits& limits, std::uint64_t source_bytes,
                             Repetition repetition)
    : policy_{.limits = limits, .owners = store::Owners::ours, .devices = store::Devices::skip},
      source_bytes_{source_bytes},
      repetition_{repetition},
      writer_{tree, policy_, tally_} {}

Result<> PackageWriter::check(const store::ArchiveEntry& entry) {
  constexpr mode_t set_id = S_ISUID | S_ISGID;
  const bool is_link = !entry.hard_link.empty();
  SOCK_TRY(store::count_entry(tally_, policy_.limits, entry.path, entry.entry.size));
  if (tally_.bytes > unjudged_bytes && tally_.bytes / policy_.limits.ratio_max > source_bytes_)
    return base::refuse(Errc::exhausted, store::store_stage, entry_named(entry.path),
                        "beyond the limit of an import: ratio_max");
  const auto kind = entry.entry.kind;
  const bool is_known = entry.entry.is_directory() || kind == Kind::file || kind == Kind::symlink;
  if (!is_link && !is_known)
    return store::corrupt(entry_named(entry.path), "no package may bring devices or pipes");
  if (!entry.entry.is_directory() && (entry.entry.mode & set_id) != 0)
    return store::corrupt(entry_named(entry.path), "no package may bring set-user-ID programs");
  return {};
}

Result<> PackageWriter::add(const std::string& path, store::ArchiveEntry entry,
                            store::ArchiveReader& data) {
  if (path.empty()) return {};
  const auto found = writer_.record().entries.find(path);
  const bool is_new = found == writer_.record().entries.end();
  if (!is_new && !(found->second.is_directory() && entry.entry.is_directory())) {
    if (repetition_ == Repetition::equal && SOCK_TRY(is_equal(found->second, entry, data)))
      return {};
    return store::corrupt(entry_named(path), "it is there twice");
  }
  entry.entry.mode = package_mode(entry.entry);
  entry.entry.xattrs.clear();
  return writer_.add(path, std::move(entry), data);
}

Result<store::TreeRecord> PackageWriter::finish() {
  return writer_.finish();
}

}  // namespace sock::cache
