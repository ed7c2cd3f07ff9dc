// By path: nobody else writes below the store's directory.

#include "function_store.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <fcntl.h>

#include <fmt/format.h>

#include "code_archive.hpp"
#include "posix.hpp"

namespace sockd {
namespace {

namespace fs = std::filesystem;

constexpr const char* staging_name = ".staging";
constexpr const char* current_name = "current";

std::unexpected<Error> no_function(const std::string& name) {
  return sockctl::refuse(Errc::not_found, Stage::none, fmt::format("function '{}'", name),
                         "there is none of this name");
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return number;
}

Result<std::string> read_text(const std::string& path, std::size_t most) {
  const auto file = SOCKCTL_TRY(sockctl::open_at(sockctl::here, path, O_RDONLY | O_NOFOLLOW));
  return sockctl::read_all(file, most);
}

/// Written beside it, then renamed over it.
Result<> replace_text(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  {
    const auto file = SOCKCTL_TRY(
        sockctl::open_at(sockctl::here, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    SOCKCTL_TRY(sockctl::write_all(file, text));
    SOCKCTL_TRY(sockctl::sync_file(file));
  }
  SOCKCTL_TRY(sockctl::rename_path(fresh, path));
  return sockctl::sync_directory(fs::path{path}.parent_path());
}

/// Empty when there is none. On failure: Errc::corrupt for what is no number.
Result<std::optional<std::uint64_t>> current_version(const std::string& directory) {
  constexpr std::size_t most = 32;
  const std::string path = directory + "/" + current_name;
  const auto text = read_text(path, most);
  if (!text.has_value() && text.error().code == Errc::not_found)
    return std::optional<std::uint64_t>{};
  if (!text.has_value()) return std::unexpected(text.error());
  // What an editor has left behind it is no part of it.
  const auto end = text->find_last_not_of(" \t\r\n");
  const auto number = number_of(std::string_view{*text}.substr(0, end + 1));
  if (!number)
    return sockctl::refuse(Errc::corrupt, Stage::none, path, "the number of a version is in it");
  return number;
}

/// The highest there is, whatever became of it.
std::uint64_t last_version(const std::string& directory) {
  std::error_code ignored;
  std::uint64_t last = 0;
  for (const auto& entry : fs::directory_iterator{directory, ignored})
    last = std::max(last, number_of(entry.path().filename().string()).value_or(0));
  return last;
}

Result<StoredFunction> read_version(const std::string& name, const std::string& directory,
                                    std::uint64_t version) {
  const std::string code = fmt::format("{}/{}", directory, version);
  const auto text = SOCKCTL_TRY(read_text(code + "/" + function_file, most_function_text));
  auto spec = SOCKCTL_TRY(parse_function(text));
  std::error_code ignored;
  const auto written = fs::last_write_time(code, ignored);  // Nobody writes there afterwards.
  return StoredFunction{.name = name,
                        .version = version,
                        .spec = std::move(spec),
                        .code = code,
                        .updated = std::chrono::file_clock::to_sys(written)};
}

/// All versions of a function but the current one; all of it when there is none.
void remove_leftovers(const fs::path& directory) {
  std::error_code ignored;
  const auto current = current_version(directory);
  if (!current.has_value()) return;  // Whatever it is, it is not ours to judge.
  if (!current->has_value()) {
    fs::remove_all(directory, ignored);
    return;
  }
  // It was edited by hand: the code that is meant may be any of what is there.
  if (!fs::exists(directory / std::to_string(**current) / function_file, ignored)) return;
  for (const auto& entry : fs::directory_iterator{directory, ignored}) {
    const auto version = number_of(entry.path().filename().string());
    if (version && *version != **current) fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

Result<FunctionStore> FunctionStore::open(std::string directory) {
  SOCKCTL_TRY(sockctl::ensure_private_dir(directory));
  std::error_code ignored;
  fs::remove_all(fs::path{directory} / staging_name, ignored);
  SOCKCTL_TRY(sockctl::ensure_private_dir(directory + "/" + staging_name));
  for (const auto& entry : fs::directory_iterator{directory, ignored})
    if (check_function_name(entry.path().filename().string()).has_value())
      remove_leftovers(entry.path());
  return FunctionStore{std::move(directory)};
}

Result<StoredFunction> FunctionStore::add(const std::string& name, sock::FdRef archive) {
  SOCKCTL_TRY(check_function_name(name));
  const std::string own = directory_ + "/" + name;
  const std::string staged = directory_ + "/" + staging_name + "/" + name;
  std::error_code ignored;
  fs::remove_all(staged, ignored);
  SOCKCTL_TRY(sockctl::ensure_private_dir(staged));
  auto unpacked = unpack_code(archive, staged);
  if (unpacked.has_value()) {
    const auto text = read_text(staged + "/" + function_file, most_function_text);
    if (!text.has_value())
      unpacked = sockctl::refuse(Errc::invalid_spec, Stage::validate, function_file,
                                 "it is missing at the top of the directory");
    else if (const auto spec = parse_function(*text); !spec.has_value())
      unpacked = std::unexpected(spec.error());
  }
  if (!unpacked.has_value()) {
    fs::remove_all(staged, ignored);
    return std::unexpected(unpacked.error());
  }
  SOCKCTL_TRY(sockctl::ensure_private_dir(own));
  const std::uint64_t version = last_version(own) + 1;
  SOCKCTL_TRY(sockctl::rename_path(staged, fmt::format("{}/{}", own, version)));
  // All of its files, before anything on the disk says that they are the current ones.
  const auto synced = sockctl::sync_filesystem(own);
  auto stored = synced.has_value() ? read_version(name, own, version)
                                   : Result<StoredFunction>{std::unexpected(synced.error())};
  if (!stored.has_value()) forget(name, version);
  return stored;
}

Result<> FunctionStore::make_current(const StoredFunction& function) {
  return replace_text(directory_ + "/" + function.name + "/" + current_name,
                      std::to_string(function.version));
}

Result<StoredFunction> FunctionStore::find(const std::string& name) const {
  SOCKCTL_TRY(check_function_name(name));
  const std::string own = directory_ + "/" + name;
  const auto version = SOCKCTL_TRY(current_version(own));
  if (!version) return no_function(name);
  return read_version(name, own, *version);
}

Result<std::vector<std::string>> FunctionStore::names() const {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{directory_, failed})
    if (std::string name = entry.path().filename(); check_function_name(name).has_value())
      names.push_back(std::move(name));
  if (failed) return sockctl::refuse(Errc::io, Stage::none, directory_, failed.message());
  std::ranges::sort(names);
  return names;
}

Result<> FunctionStore::remove(const std::string& name) {
  SOCKCTL_TRY(check_function_name(name));
  const std::string current = directory_ + "/" + name + "/" + current_name;
  std::error_code failed;
  if (!fs::remove(current, failed)) return no_function(name);
  // Done, even if it is not on the disk yet: nobody else is told that it is still there.
  static_cast<void>(sockctl::sync_directory(directory_ + "/" + name).has_value());
  return {};
}

void FunctionStore::forget(const std::string& name, std::uint64_t version) const {
  std::error_code ignored;
  const auto current = current_version(directory_ + "/" + name);
  if (current.has_value() && *current == version) return;
  fs::remove_all(fmt::format("{}/{}/{}", directory_, name, version), ignored);
  const fs::path own = fs::path{directory_} / name;
  // Only when it is empty.
  fs::remove(own, ignored);
}

}  // namespace sockd
