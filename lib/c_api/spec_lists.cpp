// Lists of the C interface. What no element can be is refused here; the rest is Host::create()'s.

#include "c_api/spec_lists.hpp"

#include <algorithm>
#include <iterator>

#include "base/try.hpp"
#include "c_api/handles.hpp"

namespace sock::c_api {

std::vector<std::string> to_list(const char* const* strings) {
  std::vector<std::string> list;
  for (; strings != nullptr && *strings != nullptr; ++strings) list.emplace_back(*strings);
  return list;
}

Result<> check_array(const void* array, std::size_t count, const char* name) {
  if (array == nullptr && count != 0) return refuse_argument(name, "it is NULL with a count");
  return {};
}

Result<> check_flags(std::uint64_t flags, std::uint64_t known, const char* name) {
  if ((flags & ~known) != 0) return refuse_argument(name, "it has unknown flags");
  return {};
}

Result<std::vector<Bind>> to_binds(const sock_bind* binds, std::size_t count) {
  SOCK_TRY(check_array(binds, count, "binds"));
  std::vector<Bind> list;
  for (std::size_t i = 0; i < count; ++i) {
    SOCK_TRY(require(binds[i].source, "the source of a bind"));
    SOCK_TRY(require(binds[i].target, "the target of a bind"));
    SOCK_TRY(check_flags(binds[i].flags, SOCK_BIND_WRITABLE, "a bind"));
    const bool writable = (binds[i].flags & SOCK_BIND_WRITABLE) != 0;
    list.push_back({.source = binds[i].source,
                    .target = binds[i].target,
                    .access = writable ? Access::read_write : Access::read_only});
  }
  return list;
}

Result<std::vector<NamedFd>> to_fds(const sock_named_fd* fds, std::size_t count) {
  SOCK_TRY(check_array(fds, count, "fds"));
  std::vector<NamedFd> list;
  for (std::size_t i = 0; i < count; ++i) {
    SOCK_TRY(require(fds[i].name, "the name of a descriptor"));
    list.push_back({.name = fds[i].name, .fd = FdRef{fds[i].fd}});
  }
  return list;
}

std::vector<IdRange> to_ranges(const sock_id_range* ranges, std::size_t count) {
  std::vector<IdRange> list;
  std::transform(ranges, ranges + count, std::back_inserter(list), [](const sock_id_range& range) {
    return IdRange{.inside = range.inside, .outside = range.outside, .count = range.count};
  });
  return list;
}

Result<std::vector<Tmpfs>> to_tmpfs(const sock_tmpfs* mounts, std::size_t count) {
  SOCK_TRY(check_array(mounts, count, "tmpfs"));
  if (mounts == nullptr) return Rootfs{.base = {}}.tmpfs;
  std::vector<Tmpfs> list;
  for (std::size_t i = 0; i < count; ++i) {
    const sock_tmpfs& given = mounts[i];
    SOCK_TRY(require(given.target, "the target of a tmpfs"));
    if (given.reserved != 0) return refuse_argument("a tmpfs", "a reserved field is set", E2BIG);
    Tmpfs tmpfs{.target = given.target};
    if (given.size_max != 0) tmpfs.size_max = given.size_max;
    if (given.inodes_max != 0) tmpfs.inodes_max = given.inodes_max;
    if (given.mode != 0) tmpfs.mode = given.mode;
    list.push_back(std::move(tmpfs));
  }
  return list;
}

Result<std::vector<Rlimit>> to_rlimits(const sock_rlimit* limits, std::size_t count) {
  SOCK_TRY(check_array(limits, count, "rlimits"));
  std::vector<Rlimit> list;
  for (std::size_t i = 0; i < count; ++i) {
    SOCK_TRY(require(limits[i].name, "the name of an rlimit"));
    list.push_back({.name = limits[i].name, .value = limits[i].value});
  }
  return list;
}

}  // namespace sock::c_api
