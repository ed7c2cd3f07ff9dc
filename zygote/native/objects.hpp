#pragma once

// The shared objects that a native zygote has loaded, each with its sock_handler_v1.

#include <cstddef>
#include <string_view>

#include "sock/handler.h"

namespace sock::zygote {

/// Why something cannot be done, in words. Empty: nothing has been said.
class Reason {
 public:
  /// As printf. Always false, for `return reason.say(...)`.
  [[gnu::format(printf, 2, 3)]] bool say(const char* format, ...) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return text_; }

 private:
  char text_[2048] = {};
};

struct Object {
  const char* path;
  void* library;
  sock_handler handler;  ///< Whole: what the object is too old to know is null.

  [[nodiscard]] const char* file_name() const noexcept;
};

class Objects {
 public:
  /// Loads an object and runs its init(). One that is loaded already is left alone. False, with the
  /// reason: as before, but for what the object's code has done.
  bool load(const char* path, Reason& reason) noexcept;

  /// The one that was loaded from this path; or else the last one with this file name, with or
  /// without its ".so". Null: there is none.
  [[nodiscard]] const Object* find(std::string_view name) const noexcept;

  /// The after_fork() of each, in the order of loading.
  void after_fork() const noexcept;

 private:
  static constexpr std::size_t most = 256;

  [[nodiscard]] bool has(const void* library) const noexcept;

  Object objects_[most];
  std::size_t count_ = 0;
};

}  // namespace sock::zygote
