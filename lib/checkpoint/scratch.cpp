// Trees of files as lib/store copies, records and checks them.

#include "checkpoint/scratch.hpp"

#include <utility>

#include <fcntl.h>

#include "base/try.hpp"
#include "store/directory_copy.hpp"
#include "store/tree_check.hpp"
#include "sys/file.hpp"
#include "sys/inode.hpp"
#include "sys/worker_process.hpp"

namespace sock::checkpoint {
namespace {

std::string path_of(std::size_t number, const char* name) {
  return std::to_string(number) + "/" + name;
}

Result<store::Digest> save_one(FdRef source, std::uint64_t bytes_max, FdRef to) {
  const store::TreePolicy policy{.limits = {.bytes_max = bytes_max},
                                 .owners = store::Owners::as_recorded,
                                 .devices = store::Devices::skip};
  store::Tally tally;
  SOCK_TRY(sys::make_dir(to, scratch_tree_name, 0700));
  const auto tree = SOCK_TRY(sys::open_beneath(to, scratch_tree_name, O_RDONLY | O_DIRECTORY));
  const auto record =
      SOCK_TRY(store::copy_directory(source, tree, policy, tally, [](std::uint64_t) {}));
  const std::string text = record.to_text();
  const auto file =
      SOCK_TRY(sys::open_beneath(to, scratch_record_name, O_WRONLY | O_CREAT | O_EXCL, 0600));
  SOCK_TRY(sys::write_all(file, text));
  return store::Digest::of(text);
}

Result<> check_one(FdRef from, std::size_t number, const Scratch& scratch, Verification& found) {
  const std::string name = "scratch/" + path_of(number, scratch_tree_name);
  const auto text = sys::read_file(from, path_of(number, scratch_record_name), most_scratch_record);
  if (!text.has_value() || store::Digest::of(*text) != scratch.tree) {
    found.problems.push_back("scratch/" + path_of(number, scratch_record_name) +
                             ": it is missing, or another");
    return {};
  }
  const auto record = SOCK_TRY(store::TreeRecord::parse(*text));
  const auto tree =
      sys::open_beneath(from, path_of(number, scratch_tree_name), O_RDONLY | O_DIRECTORY);
  if (tree.has_value()) return store::check_tree(*tree, record, name, found);
  found.problems.push_back(name + ": it is missing");
  return {};
}

constexpr int source_number = 3;
constexpr int target_number = 4;

/// Users, then groups, as chown has them: from, to.
std::vector<std::pair<std::string, std::string>> owners(const UserChange& change) {
  std::vector<std::pair<std::string, std::string>> pairs;
  if (change.uid != change.earlier_uid)
    pairs.emplace_back(std::to_string(change.earlier_uid), std::to_string(change.uid));
  if (change.gid != change.earlier_gid)
    pairs.emplace_back(":" + std::to_string(change.earlier_gid), ":" + std::to_string(change.gid));
  return pairs;
}

}  // namespace

Result<std::vector<Scratch>> save_scratch(FdRef root, const std::vector<ScratchPlace>& places,
                                          FdRef to) {
  std::vector<Scratch> saved;
  for (const auto& [place, bytes_max] : places) {
    const auto source = SOCK_TRY(sys::open_beneath(root, place.substr(1), O_RDONLY | O_DIRECTORY));
    const auto name = std::to_string(saved.size());
    SOCK_TRY(sys::make_dir(to, name, 0700));
    const auto own = SOCK_TRY(sys::open_beneath(to, name, O_RDONLY | O_DIRECTORY));
    auto digest = SOCK_TRY(save_one(source, bytes_max, own));
    saved.push_back({.place = place, .tree = std::move(digest)});
  }
  return saved;
}

Result<> check_scratch(FdRef from, const std::vector<Scratch>& scratch, Verification& found) {
  for (std::size_t number = 0; number < scratch.size(); ++number)
    SOCK_TRY(check_one(from, number, scratch[number], found));
  return {};
}

// By cp and chown, which everybody has: what a process that shares our memory writes would be ours
// to pay.
Result<> fill_scratch(FdRef from, std::size_t number, FdRef mount,
                      const container::GroupsToJoin& groups,
                      const std::optional<UserChange>& change, sys::Deadline deadline) {
  const auto tree =
      SOCK_TRY(sys::open_beneath(from, path_of(number, scratch_tree_name), O_RDONLY | O_DIRECTORY));
  const auto names = SOCK_TRY(sys::list_dir(tree));
  if (names.empty()) return {};
  const auto run = [&](std::vector<std::string> argv) -> Result<> {
    auto program = SOCK_TRY(sys::WorkerProcess::start(
        {.argv = std::move(argv),
         .descriptors = {{.from = tree, .as = source_number}, {.from = mount, .as = target_number}},
         .prepare = [&] { return container::join(groups); }}));
    auto finished = program.finish(deadline);
    if (!finished.has_value()) finished.error().subject = "the content of a tmpfs";
    return finished;
  };
  SOCK_TRY(run({"/bin/cp", "--archive", "--", "/proc/self/fd/3/.", "/proc/self/fd/4/"}));
  if (!change) return {};
  for (const auto& [before, after] : owners(*change))
    SOCK_TRY(run({"/bin/chown", "--recursive", "--no-dereference", "--from=" + before, "--", after,
                  "/proc/self/fd/4/."}));
  return {};
}

}  // namespace sock::checkpoint
