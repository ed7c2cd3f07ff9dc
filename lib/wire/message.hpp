#pragma once

// The form of every message between a Host and a zygote: a header, then fields, each with its
// length. Both ends take the other for hostile: nothing is read past its bounds, and what is not
// understood is refused. No allocation: the same code runs in the library and in the runtimes.
//
// Descriptors travel beside the bytes; the field `roles` says what each of them is, in order.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace sock::wire {

inline constexpr std::uint32_t magic = 0x5a4b4353;  // "SCKZ"
inline constexpr std::uint16_t version = 1;
/// Of a whole message. Below what a unix socket's buffer takes by default (208 KiB).
inline constexpr std::size_t most_bytes = std::size_t{128} << 10U;
/// Beside one message; the kernel's own bound (SCM_MAX_FD) is 253.
inline constexpr std::size_t most_descriptors = 64;

enum class Kind : std::uint16_t {
  fork = 1,  ///< Host to zygote: make a child. With the child's channel.
  grow,      ///< Host to zygote: fork a zygote. With the new one's channel.
  load,      ///< Host to zygote: import modules. Answered by `loaded` or `failed`.
  loaded,
  hello,   ///< First message of a child or new zygote; the kernel tells who sent it.
  work,    ///< Host to child: what to become.
  failed,  ///< Why there will be no hello, or no import.
  park,  ///< Host to zygote: fork a zygote that stands still, to be written down. With its channel.
  serve,   ///< Host to a restored process: be a zygote.
  run,     ///< Host to a restored process: be a container's payload. With argv and env.
  parked,  ///< It stands still: `resumption` and `files` say how it goes on.
  wait,    ///< Host to spare: the groups to wait for work in. They are joined before the hello.
};

enum class Field : std::uint16_t {
  roles = 1,     ///< Role and number of each descriptor: pairs of 16 bits.
  namespaces,    ///< CLONE_NEW*, 64 bits
  modules,       ///< strings
  paths,         ///< strings
  argv,          ///< strings
  env,           ///< strings
  cwd,           ///< bytes
  hostname,      ///< bytes
  uid,           ///< 32 bits
  gid,           ///< 32 bits
  groups,        ///< 32 bits each
  capabilities,  ///< 64 bits
  last_capability,
  limits,      ///< resource and value: pairs of 64 bits
  filter,      ///< sock_filter, 8 bytes each
  flags,       ///< Flag, 32 bits
  reason,      ///< bytes: for people
  sys_errno,   ///< 32 bits
  elapsed_ns,  ///< 64 bits
  resumption,  ///< Resumption (process_image.hpp)
  files,       ///< strings "DEVICE INODE PATH": what is mapped, as /proc/PID/maps writes it
};

enum class Flag : std::uint32_t {
  controlling_terminal = 1,
  loopback_up = 2,
  no_hurry = 4,  ///< Of a fork: a spare, to be made when nobody asks for anything else.
};

enum class Role : std::uint16_t {
  channel,       ///< Of a new child or zygote.
  root,          ///< The container's tree.
  cgroup_procs,  ///< To be joined.
  landlock,
  payload,  ///< Becomes descriptor `number` of the payload.
};

struct RoleEntry {
  Role role;
  std::uint16_t number;
};

struct Header {
  std::uint32_t magic;
  std::uint16_t version;
  Kind kind;
};
static_assert(sizeof(Header) == 8 && std::is_trivially_copyable_v<Header>);

struct FieldHeader {
  Field field;
  std::uint16_t reserved;
  std::uint32_t size;
};
static_assert(sizeof(FieldHeader) == 8);

/// One field, borrowed from its message.
struct FieldView {
  Field field;
  std::span<const std::byte> bytes;

  template <class T>
  [[nodiscard]] std::optional<T> as() const noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    if (bytes.size() != sizeof(T)) return {};
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  /// The number of whole T in it, or nothing.
  template <class T>
  [[nodiscard]] std::optional<std::size_t> count() const noexcept {
    if (bytes.size() % sizeof(T) != 0) return {};
    return bytes.size() / sizeof(T);
  }
  template <class T>
  [[nodiscard]] T at(std::size_t index) const noexcept {
    T value;
    std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof value);
    return value;
  }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

/// Walks the fields of a received message.
class Reader {
 public:
  /// Empty when it is no message of this version.
  static std::optional<Reader> open(std::span<const std::byte> message) noexcept {
    Header header{};
    if (message.size() < sizeof header || message.size() > most_bytes) return {};
    std::memcpy(&header, message.data(), sizeof header);
    if (header.magic != magic || header.version != version) return {};
    return Reader{header.kind, message.subspan(sizeof header)};
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  /// The next field; nothing at the end and after a mistake.
  std::optional<FieldView> next() noexcept {
    if (rest_.empty()) return {};
    FieldHeader header{};
    if (rest_.size() < sizeof header) return stop();
    std::memcpy(&header, rest_.data(), sizeof header);
    rest_ = rest_.subspan(sizeof header);
    if (header.size > rest_.size() || header.reserved != 0) return stop();
    const FieldView view{.field = header.field, .bytes = rest_.first(header.size)};
    rest_ = rest_.subspan(header.size);
    return view;
  }
  /// All fields were whole. To be asked at the end.
  [[nodiscard]] bool complete() const noexcept { return rest_.empty() && !broken_; }

 private:
  Reader(Kind kind, std::span<const std::byte> fields) noexcept : kind_{kind}, rest_{fields} {}
  std::optional<FieldView> stop() noexcept {
    broken_ = true;
    rest_ = {};
    return {};
  }

  Kind kind_;
  std::span<const std::byte> rest_;
  bool broken_ = false;
};

/// Puts a message together in memory of the caller. What does not fit makes the message invalid.
class Writer {
 public:
  Writer(std::span<std::byte> memory, Kind kind) noexcept : memory_{memory} {
    const Header header{.magic = magic, .version = version, .kind = kind};
    append(&header, sizeof header);
  }

  void put(Field field, const void* bytes, std::size_t size) noexcept {
    const FieldHeader header{
        .field = field, .reserved = 0, .size = static_cast<std::uint32_t>(size)};
    append(&header, sizeof header);
    append(bytes, size);
  }
  void put(Field field, std::string_view text) noexcept { put(field, text.data(), text.size()); }
  template <class T>
  requires std::is_trivially_copyable_v<T> &&
      (!std::is_pointer_v<T>)void put_value(Field field, T value) noexcept {
    put(field, &value, sizeof value);
  }

  /// Empty when something did not fit.
  [[nodiscard]] std::span<const std::byte> message() const noexcept {
    return fits_ ? std::span<const std::byte>{memory_.first(size_)} : std::span<const std::byte>{};
  }

 private:
  void append(const void* bytes, std::size_t size) noexcept {
    if (!fits_ || size > memory_.size() - size_) {
      fits_ = false;
      return;
    }
    if (size > 0) std::memcpy(memory_.data() + size_, bytes, size);
    size_ += size;
  }

  std::span<std::byte> memory_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

/// Calls `use(std::string_view)` for each string of a field of strings, each ended by a NUL. False:
/// the last one has no end.
template <class Use>
bool for_each_string(const FieldView& field, Use&& use) {
  std::string_view rest = field.text();
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return false;
    // Not substr(), which may throw: a zygote has no C++ library.
    use(std::string_view{rest.data(), end});
    rest.remove_prefix(end + 1);
  }
  return true;
}

}  // namespace sock::wire
