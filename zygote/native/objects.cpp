// dlopen(), and what the object says of itself.

#include "native/objects.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include <dlfcn.h>

namespace sock::zygote {
namespace {

// Far beyond what a structure of functions will ever have.
constexpr std::size_t most_handler_size = 4096;

bool names(const Object& object, std::string_view name) noexcept {
  constexpr std::string_view ending = ".so";
  const std::string_view file = object.file_name();
  return file == name || (file.ends_with(ending) && file.size() == name.size() + ending.size() &&
                          file.find(name) == 0);
}

bool open(const char* path, void*& library, Reason& reason) noexcept {
  library = ::dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return true;
  // It begins with the file that is at fault, which may be one that the object needs.
  const char* const error = ::dlerror();
  const bool names_it = std::strncmp(error, path, std::strlen(path)) == 0;
  return names_it ? reason.say("%s", error) : reason.say("%s: %s", path, error);
}

/// Fits a structure of another version into ours.
bool read_handler(const Object& object, sock_handler& into, Reason& reason) noexcept {
  const void* const symbol = ::dlsym(object.library, "sock_handler_v1");
  if (symbol == nullptr) return reason.say("%s: it has no sock_handler_v1", object.path);
  std::size_t size = 0;
  std::memcpy(&size, symbol, sizeof size);
  if (size < sizeof size || size > most_handler_size)
    return reason.say("%s: the size of its sock_handler_v1 is wrong", object.path);
  const auto* const bytes = static_cast<const unsigned char*>(symbol);
  const auto is_set = [](unsigned char byte) { return byte != 0; };
  if (size > sizeof into && std::any_of(bytes + sizeof into, bytes + size, is_set))
    return reason.say("%s: it needs a newer sock", object.path);
  into = {};
  std::memcpy(&into, symbol, std::min(size, sizeof into));
  if ((into.main == nullptr) == (into.handle == nullptr))
    return reason.say("%s: its sock_handler_v1 must have one of main and handle", object.path);
  return true;
}

}  // namespace

bool Reason::say(const char* format, ...) noexcept {
  std::va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text_, sizeof text_, format, arguments);
  va_end(arguments);
  return false;
}

const char* Object::file_name() const noexcept {
  const char* const slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

bool Objects::has(const void* library) const noexcept {
  return std::any_of(objects_, objects_ + count_,
                     [&](const Object& object) { return object.library == library; });
}

bool Objects::load(const char* path, Reason& reason) noexcept {
  if (path[0] != '/') return reason.say("%s: an object is named by its whole path", path);
  if (count_ == most) return reason.say("%s: more than %zu objects", path, most);
  Object object{.path = path, .library = nullptr, .handler = {}};
  if (!open(path, object.library, reason)) return false;
  if (has(object.library)) return true;
  if (!read_handler(object, object.handler, reason)) return false;
  object.path = ::strdup(path);
  if (object.path == nullptr) return reason.say("%s: no memory", path);
  const char* const refused = object.handler.init != nullptr ? object.handler.init() : nullptr;
  if (refused != nullptr) return reason.say("%s: %s", path, refused);
  objects_[count_++] = object;
  return true;
}

const Object* Objects::find(std::string_view name) const noexcept {
  for (std::size_t at = 0; at < count_; ++at)
    if (objects_[at].path == name) return &objects_[at];
  for (std::size_t at = count_; at > 0; --at)
    if (names(objects_[at - 1], name)) return &objects_[at - 1];
  return nullptr;
}

void Objects::after_fork() const noexcept {
  for (std::size_t at = 0; at < count_; ++at)
    if (objects_[at].handler.after_fork != nullptr) objects_[at].handler.after_fork();
}

}  // namespace sock::zygote
