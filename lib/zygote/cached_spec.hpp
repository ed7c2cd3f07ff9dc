#pragma once

// What becomes of a request's spec before a container is made of it. Pure.

#include <map>
#include <span>
#include <string>

#include "sock/import_tree.hpp"
#include "sock/zygote.hpp"

namespace sock::zygote {

/// With the directories of the declared packages on PYTHONPATH, behind those that are there.
ContainerSpec with_packages(const ContainerSpec& spec, std::span<const Package> declared,
                            const std::map<Package, std::string>& paths);

/// The same payload for a fresh interpreter: what a fork from a zygote would have been, as far as
/// anybody in it can see. `runtime`: where on the host the interpreter's part of the library is.
ContainerSpec as_created(ContainerSpec spec, const ZygoteDomainSpec& domain,
                         const std::string& runtime);

}  // namespace sock::zygote
