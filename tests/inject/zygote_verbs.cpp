// The verbs of zygotes. What comes before the gate is preparation, and nothing is made to fail in
// it.

#include "zygote_verbs.hpp"

#include <unistd.h>

#include "saying.hpp"

namespace sock::test {
namespace {

ZygoteDomainSpec domain_spec() {
  return {.name = "domain",
          .rootfs = {.base = std::string{host_image}},
          .interpreter = {"/usr/bin/python3"}};
}

ContainerSpec forked() {
  ContainerSpec spec{.name = "forked",
                     .rootfs = {.base = std::string{host_image}},
                     .argv = {"python3", "-c", "pass"}};
  spec.init = Init::none;
  return spec;
}

/// With a zygote that is up before the gate.
template <class Use>
int use_zygote(Host& host, Use use) {
  auto domain = host.open_domain(domain_spec());
  if (!domain) return fail(domain.error());
  auto zygote = domain->start_zygote();
  if (!zygote) return fail(zygote.error());
  wait_at_gate();
  return use(*zygote);
}

int fork_and_wait(Zygote& zygote) {
  auto container = zygote.fork(forked());
  if (!container) return fail(container.error());
  return code_of(container->wait());
}

int grow(Zygote& zygote) {
  auto child = zygote.grow({.modules = {"json"}});
  return child ? succeeded : fail(child.error());
}

// Beside the state directory, and so gone with the test's own.
Result<SnapshotStore> open_store(const std::string& state_dir) {
  return SnapshotStore::open({.directory = state_dir + "-snapshots"});
}

int checkpoint(Zygote& zygote, SnapshotStore& store) {
  const std::string name = "by-" + std::to_string(::getpid());
  const auto written = zygote.checkpoint(store, {.name = name});
  if (!written) return fail(written.error());
  return code_of(store.remove(name));
}

int write_down(Host& host, const std::string& state_dir) {
  auto store = open_store(state_dir);
  if (!store) return fail(store.error());
  return use_zygote(host, [&](Zygote& zygote) { return checkpoint(zygote, *store); });
}

/// Written before the gate, by the first program that needs it.
Result<SnapshotInUse> find_snapshot(Host& host, const std::string& state_dir) {
  constexpr const char* name = "kept";
  auto store = open_store(state_dir);
  if (!store) return std::unexpected(store.error());
  if (auto found = store->use(name)) return found;
  auto domain = host.open_domain(domain_spec());
  if (!domain) return std::unexpected(domain.error());
  auto zygote = domain->start_zygote();
  if (!zygote) return std::unexpected(zygote.error());
  if (auto written = zygote->checkpoint(*store, {.name = name}); !written)
    return std::unexpected(written.error());
  return store->use(name);
}

int restore_domain(Host& host, const std::string& state_dir) {
  const auto snapshot = find_snapshot(host, state_dir);
  if (!snapshot) return fail(snapshot.error());
  wait_at_gate();
  auto domain = host.open_domain(*snapshot, {.name = "restored"});
  return domain ? succeeded : fail(domain.error());
}

int fork_snapshot(Host& host, const std::string& state_dir) {
  const auto snapshot = find_snapshot(host, state_dir);
  if (!snapshot) return fail(snapshot.error());
  wait_at_gate();
  auto container = host.fork(*snapshot, forked());
  if (!container) return fail(container.error());
  return code_of(container->wait());
}

int open_domain(Host& host) {
  wait_at_gate();
  auto domain = host.open_domain(domain_spec());
  return domain ? succeeded : fail(domain.error());
}

}  // namespace

HostVerb find_zygote_verb(std::string_view name, const std::string& state_dir) {
  const auto with_state = [&](auto verb) {
    return [verb, state_dir](Host& host) { return verb(host, state_dir); };
  };
  if (name == "checkpoint-zygote") return with_state(write_down);
  if (name == "restore-zygote") return with_state(restore_domain);
  if (name == "fork-snapshot") return with_state(fork_snapshot);
  if (name == "open-domain") return open_domain;
  if (name == "fork") return [](Host& host) { return use_zygote(host, fork_and_wait); };
  if (name == "grow") return [](Host& host) { return use_zygote(host, grow); };
  return {};
}

}  // namespace sock::test
