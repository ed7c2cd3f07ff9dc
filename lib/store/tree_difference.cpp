// Two records of trees, entry by entry.

#include "store/tree_difference.hpp"

#include <algorithm>

namespace sock::store {
namespace {

bool is_same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/// Which number of the one stands for which of the other, in both directions.
class Groups {
 public:
  bool match(std::uint64_t a, std::uint64_t b) {
    if (a == 0 || b == 0) return a == b;
    return there_.emplace(a, b).first->second == b && back_.emplace(b, a).first->second == a;
  }

 private:
  std::map<std::uint64_t, std::uint64_t> there_;
  std::map<std::uint64_t, std::uint64_t> back_;
};

}  // namespace

bool is_same(const TreeEntry& a, const TreeEntry& b) {
  return a.kind == b.kind && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.size == b.size && (a.is_directory() || is_same_time(a.mtime, b.mtime)) &&
         a.device == b.device && a.content == b.content && a.target == b.target &&
         a.xattrs == b.xattrs;
}

std::optional<std::string> find_difference(const TreeRecord& a, const TreeRecord& b) {
  Groups groups;
  const TreeOrder is_before;
  auto left = a.entries.begin();
  auto right = b.entries.begin();
  for (; left != a.entries.end() && right != b.entries.end(); ++left, ++right) {
    if (left->first != right->first) return std::min(left->first, right->first, is_before);
    const TreeEntry& one = left->second;
    const TreeEntry& other = right->second;
    if (!is_same(one, other) || !is_same_time(one.mtime, other.mtime) ||
        !groups.match(one.group, other.group))
      return left->first;
  }
  if (left != a.entries.end()) return left->first;
  if (right != b.entries.end()) return right->first;
  if (a.whiteouts != b.whiteouts || a.opaques != b.opaques) return "";
  return std::nullopt;
}

}  // namespace sock::store
