// A domain with one zygote that has imported modules, as the measuring programs need it.

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sock/sock.hpp"

struct GrownZygote {
  sock::ZygoteDomain domain;
  sock::Zygote zygote;
};

inline sock::Result<GrownZygote> grow_zygote(sock::Host& host, const std::string& python,
                                             const std::vector<std::string>& modules) {
  auto domain = host.open_domain({.name = "bench",
                                  .rootfs = {.base = std::string{sock::host_image}},
                                  .interpreter = {python}});
  if (!domain) return std::unexpected(domain.error());
  auto first = domain->start_zygote();
  if (!first) return std::unexpected(first.error());
  auto grown = first->grow({.modules = modules});
  if (!grown) return std::unexpected(grown.error());
  return GrownZygote{.domain = std::move(*domain), .zygote = std::move(*grown)};
}
