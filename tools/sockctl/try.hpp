#pragma once

// SOCKCTL_TRY: the early return of error values, and the refusals of sockctl itself. Use the macro
// only as a whole statement or as the whole right-hand side of an initialisation.

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sock/result.hpp"

namespace sockctl {

using sock::Errc;
using sock::Error;
using sock::Result;
using sock::Stage;

template <class R>
auto take(R&& result) {
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<R>::value_type>)
    return std::forward<R>(result).value();
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

/// "OPTION TEXT" cannot be understood; `hint` says what can.
inline std::unexpected<Error> refuse_option(std::string_view option, std::string_view text,
                                            std::string hint) {
  return refuse(Errc::invalid_spec, Stage::validate,
                std::string{option} + " '" + std::string{text} + "'", std::move(hint));
}

}  // namespace sockctl

#define SOCKCTL_TRY(...)                                             \
  __extension__({                                                    \
    auto&& sockctl_try_result = (__VA_ARGS__);                       \
    if (!sockctl_try_result.has_value())                             \
      return std::unexpected(std::move(sockctl_try_result).error()); \
    ::sockctl::take(std::move(sockctl_try_result));                  \
  })
