// By libarchive. What Python has compiled stays here: it is of this machine.

#include "function_code.hpp"

#include <filesystem>
#include <memory>
#include <vector>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>

#include "posix.hpp"

namespace sockctl {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = 64U << 20U;
constexpr const char* compiled = "__pycache__";

std::unexpected<Error> too_large(const std::string& path) {
  return refuse(Errc::exhausted, Stage::validate, path, "a function has at most 64 MiB of code");
}

Result<std::string> read_file(const std::string& path) {
  const auto file = SOCKCTL_TRY(open_at(here, path, O_RDONLY));
  auto text = read_all(file, most_bytes);
  if (!text.has_value() && text.error().code == Errc::exhausted) return too_large(path);
  return text;
}

la_ssize_t append(archive*, void* text, const void* bytes, std::size_t size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Result<> add_file(archive* to, const fs::path& path, const fs::path& name) {
  const std::string content = SOCKCTL_TRY(read_file(path));
  std::error_code failed;
  const auto mode = fs::status(path, failed).permissions();
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry{archive_entry_new(),
                                                                       archive_entry_free};
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), static_cast<__LA_MODE_T>(mode));
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  const bool written = archive_write_header(to, entry.get()) == ARCHIVE_OK &&
                       archive_write_data(to, content.data(), content.size()) ==
                           static_cast<la_ssize_t>(content.size());
  if (written) return {};
  return refuse(Errc::io, Stage::none, path, archive_error_string(to));
}

Result<> add_files(archive* to, const fs::path& directory, const std::string& packed) {
  std::error_code failed;
  fs::recursive_directory_iterator at{directory, failed};
  for (; !failed && at != fs::recursive_directory_iterator{}; at.increment(failed)) {
    if (at->path().filename() == compiled) {
      at.disable_recursion_pending();
      continue;
    }
    const auto type = at->symlink_status(failed).type();
    if (type == fs::file_type::directory) continue;
    if (type != fs::file_type::regular)
      return refuse(Errc::invalid_spec, Stage::validate, at->path(),
                    "only files and directories can be part of a function");
    SOCKCTL_TRY(add_file(to, at->path(), at->path().lexically_relative(directory)));
    if (packed.size() > most_bytes) return too_large(directory);
  }
  if (failed) return refuse(Errc::not_found, Stage::validate, directory, failed.message());
  return {};
}

}  // namespace

Result<std::string> pack_function(const std::string& path) {
  std::error_code failed;
  if (!fs::is_directory(path, failed)) return read_file(path);
  std::string packed;
  const std::unique_ptr<archive, int (*)(archive*)> to{archive_write_new(), archive_write_free};
  archive_write_set_format_pax_restricted(to.get());
  archive_write_open(to.get(), &packed, nullptr, append, nullptr);
  SOCKCTL_TRY(add_files(to.get(), path, packed));
  archive_write_close(to.get());
  return packed;
}

}  // namespace sockctl
