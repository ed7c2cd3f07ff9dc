// Each part of a ContainerSpec has one function that writes it and one that reads it.

#include "checkpoint/spec_json.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/bounded_json.hpp"
#include "base/hex.hpp"
#include "base/try.hpp"
#include "checkpoint/json_reader.hpp"
#include "isolation/seccomp/program.hpp"

namespace sock::checkpoint {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<Init, const char*>, 3> init_words{
    {{Init::reaper, "reaper"}, {Init::keeper, "keeper"}, {Init::none, "none"}}};
constexpr std::array<std::pair<Network::Kind, const char*>, 2> network_words{
    {{Network::Kind::isolated, "isolated"}, {Network::Kind::loopback, "loopback"}}};
constexpr std::array<std::pair<Access, const char*>, 2> access_words{
    {{Access::read_only, "read_only"}, {Access::read_write, "read_write"}}};

template <class Words, class Value>
const char* word_of(const Words& words, Value value) {
  const auto* const found =
      std::ranges::find(words, value, [](const auto& pair) { return pair.first; });
  return found == words.end() ? "" : found->second;
}

json texts(const std::vector<std::string>& all) {
  json list = json::array();
  for (const auto& each : all) list.push_back(bytes_to_json(each));
  return list;
}

template <class Value>
void put(json& object, const char* name, const std::optional<Value>& value) {
  if (value) object[name] = *value;
}

json rootfs_to_json(const Rootfs& rootfs) {
  json binds = json::array();
  for (const auto& bind : rootfs.binds)
    binds.push_back({{"source", bytes_to_json(bind.source)},
                     {"target", bytes_to_json(bind.target)},
                     {"access", word_of(access_words, bind.access)}});
  json tmpfs = json::array();
  for (const auto& each : rootfs.tmpfs) {
    tmpfs.push_back(
        {{"target", bytes_to_json(each.target)}, {"size_max", each.size_max}, {"mode", each.mode}});
    put(tmpfs.back(), "inodes_max", each.inodes_max);
  }
  return {{"base", bytes_to_json(rootfs.base)}, {"handler", bytes_to_json(rootfs.handler)},
          {"packages", texts(rootfs.packages)}, {"binds", std::move(binds)},
          {"tmpfs", std::move(tmpfs)},          {"shift_owners", rootfs.shift_owners}};
}

Rootfs rootfs_of(Reader& spec) {
  Reader reader{spec.object("rootfs")};
  Rootfs rootfs{.base = reader.text("base"),
                .handler = reader.text("handler"),
                .packages = reader.texts("packages"),
                .tmpfs = {},
                .shift_owners = reader.flag("shift_owners")};
  for (const json& item : reader.list("binds")) {
    Reader bind{item};
    rootfs.binds.push_back({.source = bind.text("source"),
                            .target = bind.text("target"),
                            .access = bind.word("access", access_words)});
    reader.require(bind.is_good());
  }
  for (const json& item : reader.list("tmpfs")) {
    Reader tmpfs{item};
    rootfs.tmpfs.push_back({.target = tmpfs.text("target"),
                            .size_max = tmpfs.number<std::uint64_t>("size_max"),
                            .inodes_max = tmpfs.maybe<std::uint64_t>("inodes_max"),
                            .mode = tmpfs.number<std::uint32_t>("mode")});
    reader.require(tmpfs.is_good());
  }
  spec.require(reader.is_good());
  return rootfs;
}

json resources_to_json(const Resources& resources) {
  json object{{"cpu_period_us", resources.cpu_period.count()}};
  put(object, "memory_max", resources.memory_max);
  put(object, "swap_max", resources.swap_max);
  if (resources.cpu_quota) object["cpu_quota_us"] = resources.cpu_quota->count();
  put(object, "cpu_weight", resources.cpu_weight);
  put(object, "pids_max", resources.pids_max);
  return object;
}

Resources resources_of(Reader& spec) {
  using std::chrono::microseconds;
  Reader reader{spec.object("resources")};
  Resources resources{.memory_max = reader.maybe<std::uint64_t>("memory_max"),
                      .swap_max = reader.maybe<std::uint64_t>("swap_max"),
                      .cpu_period = microseconds{reader.number<std::int64_t>("cpu_period_us")},
                      .cpu_weight = reader.maybe<std::uint32_t>("cpu_weight"),
                      .pids_max = reader.maybe<std::uint32_t>("pids_max")};
  if (const auto quota = reader.maybe<std::int64_t>("cpu_quota_us"))
    resources.cpu_quota = microseconds{*quota};
  spec.require(reader.is_good());
  return resources;
}

json identity_to_json(const Identity& identity) {
  json capabilities = json::array();
  for (const auto& each : identity.capabilities) capabilities.push_back(each.name);
  return {{"uid", identity.uid},
          {"gid", identity.gid},
          {"groups", identity.groups},
          {"capabilities", std::move(capabilities)}};
}

Identity identity_of(Reader& spec) {
  Reader reader{spec.object("identity")};
  Identity identity{.uid = reader.number<uid_t>("uid"), .gid = reader.number<gid_t>("gid")};
  for (const json& item : reader.list("groups")) {
    const bool is_id = item.is_number_unsigned() && item.get<std::uint64_t>() <= ~gid_t{0};
    reader.require(is_id);
    if (is_id) identity.groups.push_back(item.get<gid_t>());
  }
  for (const auto& name : reader.texts("capabilities")) identity.capabilities.emplace_back(name);
  spec.require(reader.is_good());
  return identity;
}

// What exec() needs: the filter of the processes themselves is in their own images.
json seccomp_to_json(const std::optional<SeccompPolicy>& policy) {
  if (!policy) return "default";
  if (policy->program() == nullptr) return "none";
  const auto& instructions = policy->program()->instructions;
  return {{"program", base::to_hex({reinterpret_cast<const char*>(instructions.data()),
                                    instructions.size() * sizeof(sock_filter)})}};
}

std::optional<SeccompPolicy> seccomp_of(Reader& spec) {
  const json* const value = spec.find("seccomp");
  if (value != nullptr && *value == "default") return std::nullopt;
  if (value != nullptr && *value == "none") return SeccompPolicy::none(unsafe::AllowAllSyscalls{});
  Reader reader{spec.object("seccomp")};
  const std::string bytes = reader.hex("program");
  std::vector<sock_filter> instructions(bytes.size() / sizeof(sock_filter));
  spec.require(reader.is_good() && !instructions.empty() &&
               bytes.size() % sizeof(sock_filter) == 0);
  if (!instructions.empty())
    std::memcpy(instructions.data(), bytes.data(), instructions.size() * sizeof(sock_filter));
  return SeccompPolicy::Program::policy_of(std::move(instructions));
}

json rlimits_to_json(const std::vector<Rlimit>& rlimits) {
  json list = json::array();
  for (const auto& each : rlimits) list.push_back({{"name", each.name}, {"value", each.value}});
  return list;
}

std::vector<Rlimit> rlimits_of(Reader& spec) {
  std::vector<Rlimit> rlimits;
  for (const json& item : spec.list("rlimits")) {
    Reader reader{item};
    rlimits.push_back(
        {.name = reader.text("name"), .value = reader.number<std::uint64_t>("value")});
    spec.require(reader.is_good());
  }
  return rlimits;
}

Namespaces namespaces_of(Reader& spec) {
  Namespaces namespaces;
  namespaces.mount = MountNamespace::own;
  if (spec.word("network", network_words) == Network::Kind::loopback)
    namespaces.network = Network::loopback();
  return namespaces;
}

}  // namespace

json bytes_to_json(const std::string& bytes) {
  // The library's own test of UTF-8 is its dump(), which replaces what is none.
  const json text = bytes;
  const auto replaced = text.dump(-1, ' ', true, json::error_handler_t::ignore);
  if (json::parse(replaced) == text) return text;
  return {{"hex", base::to_hex(bytes)}};
}

json to_json(const ContainerSpec& spec) {
  json object{{"name", spec.name},
              {"rootfs", rootfs_to_json(spec.rootfs)},
              {"argv", texts(spec.argv)},
              {"env", texts(spec.env)},
              {"cwd", bytes_to_json(spec.cwd)},
              {"hostname", spec.hostname},
              {"identity", identity_to_json(spec.identity)},
              {"network", word_of(network_words, spec.namespaces.network.kind())},
              {"resources", resources_to_json(spec.resources)},
              {"rlimits", rlimits_to_json(spec.rlimits)},
              {"seccomp", seccomp_to_json(spec.seccomp)},
              {"init", word_of(init_words, spec.init)}};
  if (spec.time_limit) object["time_limit_ms"] = spec.time_limit->count();
  return object;
}

Result<ContainerSpec> spec_from_json(const json& value, const std::string& what) {
  Reader reader{value};
  ContainerSpec spec{.name = reader.text("name"),
                     .rootfs = rootfs_of(reader),
                     .argv = reader.texts("argv"),
                     .env = reader.texts("env"),
                     .cwd = reader.text("cwd"),
                     .hostname = reader.text("hostname"),
                     .identity = identity_of(reader),
                     .namespaces = namespaces_of(reader),
                     .resources = resources_of(reader),
                     .rlimits = rlimits_of(reader),
                     .seccomp = seccomp_of(reader),
                     .init = reader.word("init", init_words),
                     .checkpointable = true};
  if (const auto limit = reader.maybe<std::int64_t>("time_limit_ms"))
    spec.time_limit = std::chrono::milliseconds{*limit};
  if (reader.is_good()) return spec;
  return base::refuse(Errc::corrupt, Stage::checkpoint, what,
                      "its description of the container is damaged");
}

}  // namespace sock::checkpoint
