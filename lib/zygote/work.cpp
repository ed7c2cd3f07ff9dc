// Encoding a child's work; zygote/server/work.cpp reads it.

#include "zygote/work.hpp"

#include <algorithm>
#include <string>

#include "isolation/seccomp/program.hpp"
#include "wire/message.hpp"

namespace sock::zygote {
namespace {

using wire::Field;

std::string joined(const std::vector<std::string>& strings) {
  std::string text;
  for (const std::string& item : strings) text.append(item).push_back('\0');
  return text;
}

void put_identity(wire::Writer& writer, const WorkParts& parts) {
  const Identity& identity = parts.spec.identity;
  writer.put_value(Field::uid, identity.uid);
  writer.put_value(Field::gid, identity.gid);
  writer.put(Field::groups, identity.groups.data(), identity.groups.size() * sizeof(gid_t));
  writer.put_value(Field::capabilities, parts.checked.capabilities.bits);
  writer.put_value(Field::last_capability, parts.last_capability);
}

void put_limits(wire::Writer& writer, const WorkParts& parts) {
  std::vector<std::uint64_t> pairs;
  for (const isolation::ResourceLimit& limit : parts.checked.rlimits) {
    pairs.push_back(static_cast<std::uint64_t>(limit.resource));
    pairs.push_back(limit.value);
  }
  writer.put(Field::limits, pairs.data(), pairs.size() * sizeof(std::uint64_t));
}

void put_flags(wire::Writer& writer, const ContainerSpec& spec) {
  std::uint32_t flags = 0;
  if (spec.stdio.terminal) flags |= static_cast<std::uint32_t>(wire::Flag::controlling_terminal);
  if (spec.namespaces.network.kind() == Network::Kind::loopback)
    flags |= static_cast<std::uint32_t>(wire::Flag::loopback_up);
  writer.put_value(Field::flags, flags);
}

std::vector<Descriptor> descriptors_of(const WorkParts& parts) {
  std::vector<Descriptor> all{{.role = {wire::Role::root, 0}, .file = parts.root}};
  for (const int file : parts.join_cgroups)
    all.push_back({.role = {wire::Role::cgroup_procs, 0}, .file = FdRef{file}});
  if (parts.landlock) all.push_back({.role = {wire::Role::landlock, 0}, .file = parts.landlock});
  for (std::size_t number = 0; number < parts.payload.size(); ++number)
    if (parts.payload[number] >= 0)
      all.push_back({.role = {wire::Role::payload, static_cast<std::uint16_t>(number)},
                     .file = FdRef{parts.payload[number]}});
  return all;
}

/// Room for the message: no more, since memory that is not used would still be cleared for each
/// fork.
std::size_t room_for(const WorkParts& parts, std::string_view argv, std::string_view env) {
  constexpr std::size_t fixed = 1024;  // Headers, roles and all that is a number.
  std::size_t size = fixed + argv.size() + env.size() + parts.checked.cwd.size() +
                     parts.spec.hostname.size() +
                     parts.spec.identity.groups.size() * sizeof(gid_t) +
                     parts.checked.rlimits.size() * 2 * sizeof(std::uint64_t);
  if (parts.policy.program() != nullptr)
    size += parts.policy.program()->instructions.size() * sizeof(sock_filter);
  return std::min(size, wire::most_bytes);
}

}  // namespace

WorkMessage encode_work(const WorkParts& parts) {
  WorkMessage work;
  const std::string argv = joined(parts.spec.argv);
  const std::string env = joined(parts.env);
  work.bytes.resize(room_for(parts, argv, env));
  wire::Writer writer{work.bytes, wire::Kind::work};
  std::vector<wire::RoleEntry> roles;
  for (const Descriptor& descriptor : descriptors_of(parts)) {
    roles.push_back(descriptor.role);
    work.files.push_back(descriptor.file);
  }
  writer.put(Field::roles, roles.data(), roles.size() * sizeof(wire::RoleEntry));
  writer.put(Field::argv, argv);
  writer.put(Field::env, env);
  // With their NULs: they are used where they are.
  writer.put(Field::cwd, joined({parts.checked.cwd}));
  writer.put(Field::hostname, joined({parts.spec.hostname}));
  put_identity(writer, parts);
  put_limits(writer, parts);
  put_flags(writer, parts.spec);
  if (parts.policy.program() != nullptr) {
    const auto& instructions = parts.policy.program()->instructions;
    writer.put(Field::filter, instructions.data(), instructions.size() * sizeof(sock_filter));
  }
  work.bytes.resize(writer.message().size());
  return work;
}

}  // namespace sock::zygote
