#pragma once

// SOCK_TRY: the early return of error values. Use it only as a whole statement or as the whole
// right-hand side of an initialisation.

#include <type_traits>
#include <utility>

#include "sock/result.hpp"

/// `auto x = SOCK_TRY(expr);` gives the value of a Result, or returns its error from the enclosing
/// function. Not among the arguments of a call that has other temporaries: g++ does not destroy
/// those when the statement expression returns.
#define SOCK_TRY(...)                                                                             \
  __extension__({                                                                                 \
    auto&& sock_try_result = (__VA_ARGS__);                                                       \
    if (!sock_try_result.has_value()) return std::unexpected(std::move(sock_try_result).error()); \
    ::sock::base::take(std::move(sock_try_result));                                               \
  })

namespace sock::base {

template <class R>
auto take(R&& result) {
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<R>::value_type>)
    return std::forward<R>(result).value();
}

/// Names the step in which a lower layer failed, unless it has named one itself:
/// `SOCK_TRY(in_stage(Stage::rootfs, sys::open(...)))`.
template <class T>
Result<T> in_stage(Stage stage, Result<T> result) {
  if (!result.has_value() && result.error().stage == Stage::none) result.error().stage = stage;
  return result;
}

/// A refusal of our own, without a system call behind it.
inline std::unexpected<Error> refuse(Errc code, Stage stage, std::string subject,
                                     std::string hint = {}) {
  return std::unexpected(Error{.code = code,
                               .stage = stage,
                               .sys_errno = 0,
                               .subject = std::move(subject),
                               .hint = std::move(hint)});
}

}  // namespace sock::base
