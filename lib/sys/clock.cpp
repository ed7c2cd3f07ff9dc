// The clock function of the vDSO, by its symbol.

#include "sys/clock.hpp"

#include <chrono>

#include <dlfcn.h>

namespace sock::sys {

ClockFunction find_vdso_clock() noexcept {
#if defined(__x86_64__)
  constexpr const char* symbol = "__vdso_clock_gettime";
#elif defined(__aarch64__)
  constexpr const char* symbol = "__kernel_clock_gettime";
#endif
  // Never unloaded, so the function stays after dlclose().
  void* const vdso = ::dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (vdso == nullptr) return nullptr;
  const auto function = reinterpret_cast<ClockFunction>(::dlsym(vdso, symbol));
  ::dlclose(vdso);
  return function;
}

std::int64_t monotonic_nanoseconds() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
}

}  // namespace sock::sys
