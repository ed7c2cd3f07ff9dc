// The verbs of zygotes. What comes before the gate is preparation, and nothing is made to fail in
// it.

#include "zygote_verbs.hpp"

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

int open_domain(Host& host) {
  wait_at_gate();
  auto domain = host.open_domain(domain_spec());
  return domain ? succeeded : fail(domain.error());
}

}  // namespace

HostVerb find_zygote_verb(std::string_view name) {
  if (name == "open-domain") return open_domain;
  if (name == "fork") return [](Host& host) { return use_zygote(host, fork_and_wait); };
  if (name == "grow") return [](Host& host) { return use_zygote(host, grow); };
  return {};
}

}  // namespace sock::test
