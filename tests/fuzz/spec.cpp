// Specs, put together from the input's values: what the checks let pass is what the launch may rely
// on.

#include "container/checked_spec.hpp"
#include "input.hpp"
#include "isolation/rootfs/layout.hpp"

namespace sock::fuzz {
namespace {

template <class Make>
auto several(Input& input, Make&& make) {
  std::vector<decltype(make())> items;
  for (std::size_t left = input.choice(4); left > 0; --left) items.push_back(make());
  return items;
}

// Mostly words that come far, now and then anything.
std::string word(Input& input) {
  constexpr std::string_view words[] = {"a",           "/a",  "/",         "host",
                                        "PATH=/bin:b", "A=1", "/a/./b//c", "/dev"};
  const std::size_t which = input.choice(std::size(words) + 4);
  return which < std::size(words) ? std::string{words[which]} : input.text();
}

template <class T>
std::optional<T> maybe(Input& input) {
  if (!input.flag()) return {};
  return input.number<T>();
}

Rootfs root_of(Input& input) {
  const auto text = [&] { return word(input); };
  return {
      .base = word(input),
      .handler = word(input),
      .packages = several(input, text),
      .binds = several(input, [&] { return Bind{.source = word(input), .target = word(input)}; }),
      .tmpfs = several(input, [&] {
        return Tmpfs{.target = word(input),
                     .size_max = input.number<std::uint64_t>(),
                     .inodes_max = maybe<std::uint64_t>(input),
                     .mode = input.number<std::uint16_t>()};
      })};
}

Resources resources_of(Input& input) {
  Resources resources{.memory_max = maybe<std::uint64_t>(input),
                      .swap_max = maybe<std::uint64_t>(input)};
  if (input.flag()) resources.cpu_quota = std::chrono::microseconds{input.number<std::int64_t>()};
  if (input.flag()) resources.cpu_period = std::chrono::microseconds{input.number<std::int64_t>()};
  resources.cpu_weight = maybe<std::uint32_t>(input);
  resources.pids_max = maybe<std::uint32_t>(input);
  return resources;
}

UserNamespace maps_of(Input& input) {
  const auto range = [&] {
    return IdRange{.inside = input.number<std::uint32_t>(),
                   .outside = input.number<std::uint32_t>(),
                   .count = input.number<std::uint32_t>()};
  };
  return {.uids = several(input, range), .gids = several(input, range)};
}

ContainerSpec spec_of(Input& input) {
  const auto text = [&] { return word(input); };
  ContainerSpec spec{.name = word(input),
                     .rootfs = root_of(input),
                     .argv = several(input, text),
                     .env = several(input, text),
                     .cwd = word(input),
                     .hostname = word(input)};
  spec.resources = resources_of(input);
  spec.identity = {.uid = input.number<uid_t>(), .gid = input.number<gid_t>()};
  spec.identity.groups = several(input, [&] { return input.number<gid_t>(); });
  spec.rlimits = several(input, [&] {
    return Rlimit{.name = input.flag() ? "nofile" : input.text(),
                  .value = input.number<std::uint64_t>()};
  });
  spec.fds = several(input, [&] { return NamedFd{.name = word(input), .fd = FdRef{0}}; });
  if (input.flag()) spec.namespaces.user = maps_of(input);
  if (input.flag()) spec.time_limit = std::chrono::milliseconds{input.number<std::int64_t>()};
  return spec;
}

bool is_clean(const std::string& path) {
  const std::string closed = path + "/";
  return path.front() == '/' && !path.contains('\0') && (path == "/" || !path.ends_with('/')) &&
         closed.find("/../") == std::string::npos && closed.find("/./") == std::string::npos &&
         path.find("//") == std::string::npos;
}

void check_paths(const container::CheckedSpec& checked) {
  expect(is_clean(checked.cwd), "the directory is clean");
  for (const auto& program : checked.programs)
    expect(program.front() == '/', "programs are absolute");
  for (const auto& bind : checked.rootfs.binds)
    expect(is_clean(bind.source) && is_clean(bind.target) && bind.target != "/", "binds are clean");
  for (const auto& tmpfs : checked.rootfs.tmpfs) {
    expect(is_clean(tmpfs.target) && tmpfs.target != "/", "tmpfs are clean");
    expect(isolation::inode_limit(tmpfs) > 0, "a tmpfs holds files");
  }
}

void check_maps(const UserNamespace& maps) {
  for (const auto* side : {&maps.uids, &maps.gids})
    for (const auto& range : *side)
      expect(range.count > 0 && range.inside + (range.count - 1) >= range.inside &&
                 range.outside + (range.count - 1) >= range.outside,
             "ranges do not wrap around");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock;
  fuzz::Input input{data, size};
  ContainerSpec spec = fuzz::spec_of(input);
  const auto checked = container::check(spec);
  if (!checked) {
    fuzz::expect(checked.error().stage == Stage::validate, "a refusal names its stage");
    fuzz::expect(!checked.error().subject.empty(), "a refusal names its subject");
    return 0;
  }
  fuzz::check_paths(*checked);
  if (spec.namespaces.user) fuzz::check_maps(*spec.namespaces.user);
  spec.rootfs = checked->rootfs;
  spec.cwd = checked->cwd;
  const auto again = container::check(spec);
  fuzz::expect(again && again->rootfs == checked->rootfs && again->cwd == checked->cwd,
               "what is clean stays as it is");
  return 0;
}
