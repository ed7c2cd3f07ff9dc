#pragma once

// Images between a registry and a directory, by skopeo.

#include <string>

#include "try.hpp"

namespace sockctl {

/// What all verbs that ask a registry take.
struct RegistryOptions {
  std::string authfile = {};  ///< Names and passwords; empty: the user's own.
  bool insecure = false;      ///< Plain HTTP, or a certificate that nobody has signed.
};

/// An OCI layout: "DIRECTORY" with one image, of this tag.
struct LayoutImage {
  std::string directory;
  std::string tag;
};

/// On failure: Errc::launch_failed, after skopeo has said why; Errc::not_found without skopeo.
/// Blocking: until all has come, or gone. `architecture`: as Go spells it; empty: this machine's.
Result<> copy_from_registry(const std::string& source, const LayoutImage& target,
                            const std::string& architecture, const RegistryOptions& options);
Result<> copy_to_registry(const LayoutImage& source, const std::string& target,
                          const RegistryOptions& options);

/// "docker://NAME[:TAG|@DIGEST]", or another place that skopeo knows. On failure:
/// Errc::invalid_spec. Pure, as the next one.
Result<> check_registry_name(std::string_view option, const std::string& text);
/// The part of it that names an image in a store; empty for other places than registries.
std::string name_in_registry(const std::string& text);

}  // namespace sockctl
