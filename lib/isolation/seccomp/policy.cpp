// SeccompPolicy: the ready-made policies.

#include "sock/seccomp.hpp"

namespace sock {

Result<SeccompPolicy> SeccompPolicy::handler() {
  return Builder{Builder::Base::handler}.compile();
}

Result<SeccompPolicy> SeccompPolicy::strict() {
  return Builder{Builder::Base::strict}.compile();
}

Result<SeccompPolicy> SeccompPolicy::zygote() {
  return Builder{Builder::Base::zygote}.compile();
}

SeccompPolicy SeccompPolicy::none(unsafe::AllowAllSyscalls) noexcept {
  return SeccompPolicy{nullptr};
}

}  // namespace sock
