#pragma once

// The state behind ZygoteDomain.

#include <cstdint>

#include "sock/zygote.hpp"

#include "container/workshop.hpp"
#include "zygote/restoring.hpp"
#include "zygote/zygote_impl.hpp"

namespace sock {

struct ZygoteDomain::Impl {
  /// `number`: of this domain on its Host, for its range of ids. `image`: what the first zygote is
  /// made of, instead of starting the runtime; may be null.
  static Result<std::unique_ptr<Impl>> open(container::Workshop& workshop,
                                            const ZygoteDomainSpec& spec,
                                            const zygote::Image* image, const std::string& libexec,
                                            std::uint32_t number);
  Result<Zygote> start_afresh();
  // Its range of ids is its own.
  ~Impl() { workshop.user_namespaces.forget(maps); }

  container::Workshop& workshop;
  const std::shared_ptr<const ZygoteDomainSpec> spec;
  const UserNamespace maps;
  Container container;
  zygote::Home home;
  std::unique_ptr<Zygote::Impl> first;  ///< Until somebody has asked for it.
};

}  // namespace sock
