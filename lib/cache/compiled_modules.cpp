// Bytecode: where it is, and taking it over.

#include "cache/compiled_modules.hpp"

#include <algorithm>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/try.hpp"
#include "cache/package_layout.hpp"
#include "store/digest.hpp"
#include "store/directory_stack.hpp"
#include "store/entry_path.hpp"
#include "store/stage.hpp"
#include "store/tree_policy.hpp"
#include "store/tree_writer.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"

namespace sock::cache {
namespace {

using store::store_stage;
using Kind = store::TreeEntry::Kind;

constexpr std::string_view suffix = ".py";
constexpr std::string_view bytecode_directory = "__pycache__";
constexpr std::uint64_t most_bytecode = 64ULL << 20U;
constexpr mode_t while_writing = 0700;

std::string joined(std::string_view directory, std::string_view name) {
  std::string path{directory};
  if (!path.empty()) path += '/';
  return path.append(name);
}

// "b.cpython-311.pyc" of "a/b.py"
std::string bytecode_name(std::string_view module, std::string_view python) {
  std::string name{store::last_of(module)};
  if (!name.ends_with(suffix) || name.size() == suffix.size()) return {};
  name.resize(name.size() - suffix.size());
  name += ".cpython-";
  std::ranges::copy_if(python, std::back_inserter(name), [](char c) { return c != '.'; });
  return name + ".pyc";
}

// Four bytes of magic number, then flags: hash-based, and not to be compared with the source.
bool is_unchecked(std::string_view bytecode) {
  constexpr std::size_t header = 16;
  constexpr std::string_view unchecked{"\1\0\0\0", 4};
  return bytecode.size() > header && bytecode.substr(4, 4) == unchecked;
}

/// Thread-bound.
class BytecodeTaker {
 public:
  BytecodeTaker(FdRef out, const Package& package, std::string_view python,
                const ImportLimits& limits, FdRef tree, store::TreeRecord& record)
      : from_{out},
        to_{tree},
        top_{"packages/" + package.name + "/" + package.version},
        python_{python},
        limits_{limits},
        record_{record} {
    tally_.entries = record.entries.size();
    tally_.bytes = record.bytes();
  }

  Result<TakenBytecode> take_all() {
    std::vector<std::string> modules;  // The record grows below.
    for (const auto& [path, entry] : record_.entries)
      if (entry.kind == Kind::file && path.starts_with(modules_directory) &&
          !bytecode_name(path, python_).empty())
        modules.push_back(path);
    TakenBytecode done;
    for (const auto& module : modules) {
      if (record_.entries.contains(bytecode_path(module, python_))) continue;
      const bool is_taken = SOCK_TRY(take(module));
      ++(is_taken ? done.taken : done.missing);
    }
    return done;
  }

 private:
  Result<bool> take(const std::string& module) {
    const std::string path = bytecode_path(module, python_);
    const auto bytecode = SOCK_TRY(read(module));
    if (bytecode.empty()) return false;
    if (!is_unchecked(bytecode)) return store::corrupt("'" + path + "'", "it is no bytecode");
    SOCK_TRY(store::count_entry(tally_, limits_, path, bytecode.size()));
    SOCK_TRY(write(path, bytecode, record_.entries.at(module)));
    return true;
  }

  // Empty for a module that was not compiled: one with a wrong syntax, as tests of compilers have.
  Result<std::string> read(const std::string& module) {
    const auto directory = from_.enter(joined(top_, store::parent_of(module)));
    if (!directory.has_value()) return std::string{};
    const std::string name = bytecode_name(module, python_);
    const auto file =
        sys::open_beneath(*directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!file.has_value()) return std::string{};
    const auto inode = SOCK_TRY(sys::inode(*file));
    if (!S_ISREG(inode.mode)) return store::corrupt("'" + name + "'", "it is no file");
    if (inode.size > most_bytecode) return store::corrupt("'" + name + "'", "it is too large");
    std::string bytes(inode.size, '\0');
    std::size_t count = 0;
    while (count < bytes.size()) {
      const auto more =
          SOCK_TRY(sys::read_at_offset(*file, bytes.data() + count, bytes.size() - count, count));
      if (more == 0) break;
      count += more;
    }
    bytes.resize(count);
    return bytes;
  }

  Result<> write(const std::string& path, std::string_view bytecode,
                 const store::TreeEntry& module) {
    const std::string above{store::parent_of(path)};
    if (!record_.entries.contains(above)) SOCK_TRY(make_directory(above));
    store::TreeEntry entry{.kind = Kind::file,
                           .mode = 0644,
                           .uid = ::geteuid(),
                           .gid = ::getegid(),
                           .size = bytecode.size(),
                           .mtime = module.mtime,
                           .content = store::Digest::of(bytecode).hex()};
    const FdRef parent = SOCK_TRY(to_.enter(above));
    const auto file =
        SOCK_TRY(sys::open_beneath(parent, std::string{store::last_of(path)},
                                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, while_writing));
    SOCK_TRY(sys::write_at_offset(file, bytecode, 0));
    SOCK_TRY(store::set_metadata(file, entry, store::Owners::ours));
    record_.entries.emplace(path, std::move(entry));
    return {};
  }

  Result<> make_directory(const std::string& path) {
    SOCK_TRY(store::count_entry(tally_, limits_, path, 0));
    const FdRef parent = SOCK_TRY(to_.enter(store::parent_of(path)));
    SOCK_TRY(sys::make_dir(parent, std::string{store::last_of(path)}, while_writing));
    record_.entries.emplace(
        path, store::TreeEntry{
                  .kind = Kind::implicit, .mode = 0755, .uid = ::geteuid(), .gid = ::getegid()});
    return {};
  }

  store::DirectoryStack from_;
  store::DirectoryStack to_;
  const std::string top_;  ///< What `out` names the package's directory.
  const std::string python_;
  const ImportLimits& limits_;
  store::TreeRecord& record_;
  store::Tally tally_;
};

}  // namespace

std::string bytecode_path(std::string_view module, std::string_view python) {
  const std::string name = bytecode_name(module, python);
  if (name.empty()) return {};
  return joined(joined(store::parent_of(module), bytecode_directory), name);
}

Result<TakenBytecode> take_bytecode(FdRef out, const Package& package, std::string_view python,
                                    const ImportLimits& limits, FdRef tree,
                                    store::TreeRecord& record) {
  BytecodeTaker taker{out, package, python, limits, tree, record};
  return base::in_stage(store_stage, taker.take_all());
}

}  // namespace sock::cache
