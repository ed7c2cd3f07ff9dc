#pragma once

// What is in a tree of files, as a sorted list: written beside each layer, compared with the disk
// by verify(), and merged to learn what the root of several layers is. Pure.
//
// As text: "sock-tree 1 ENTRIES", then a line for each entry,
//   KIND MODE UID GID SIZE SECONDS NANOSECONDS DEVICE GROUP CONTENT XATTRS TARGET PATH
// with "-" for nothing; other bytes than [A-Za-z0-9_./+:@=,] are %XX.

#include <compare>
#include <cstdint>
#include <ctime>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "sock/result.hpp"

#include "sys/inode.hpp"

namespace sock::store {

struct TreeEntry {
  enum class Kind : char {
    directory = 'd',
    implicit = 'i',  ///< A directory that no entry described, made for what is in it.
    file = 'f',
    symlink = 'l',
    fifo = 'p',
    character_device = 'c',
    block_device = 'b',
  };
  Kind kind;
  mode_t mode = 0;  ///< Without the type.
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;
  timespec mtime = {};
  std::uint64_t device = 0;
  std::uint64_t group = 0;  ///< Entries with one number other than 0 are hard links of one another.
  std::string content = {};  ///< SHA-256 of a file, in hexadecimal digits.
  std::string target = {};   ///< Of a symlink.
  std::vector<sys::Xattr> xattrs = {};
  std::size_t layer = 0;  ///< Of a merged record: where it comes from. Not written.

  [[nodiscard]] bool is_directory() const noexcept {
    return kind == Kind::directory || kind == Kind::implicit;
  }
};

/// As in stat(2): S_IFDIR and so on.
[[nodiscard]] mode_t file_type(TreeEntry::Kind kind) noexcept;

/// A directory comes before what is in it, and nothing else in between.
struct TreeOrder {
  bool operator()(std::string_view a, std::string_view b) const noexcept;
  using is_transparent = void;
};

struct TreeRecord {
  std::map<std::string, TreeEntry, TreeOrder> entries = {};  ///< The root's own path is empty.
  std::vector<std::string> whiteouts = {};
  std::vector<std::string> opaques = {};

  /// Removes an entry with everything below it.
  void erase(const std::string& path);
  void erase_below(const std::string& path);
  [[nodiscard]] std::uint64_t bytes() const;

  [[nodiscard]] std::string to_text() const;
  static Result<TreeRecord> parse(std::string_view text);
};

/// Puts a layer on top: its whiteouts first, then its entries. `layer` is its place, from 0.
void merge_layer(TreeRecord& lower, const TreeRecord& upper, std::size_t layer);

}  // namespace sock::store
