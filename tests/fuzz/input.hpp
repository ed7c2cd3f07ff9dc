#pragma once

// What the fuzz targets share: taking an input apart into values, and saying what must hold. At its
// end an input gives zeros and empty texts, so that every input means something.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace sock::fuzz {

/// What a target promises beside "no crash". The engine takes the abort for one.
inline void expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) noexcept : rest_{data, size} {}

  [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }
  template <class T>
  requires std::is_integral_v<T> T number()
  noexcept {
    T value{};
    const std::size_t size = std::min(sizeof value, rest_.size());
    if (size > 0) std::memcpy(&value, rest_.data(), size);
    rest_ = rest_.subspan(size);
    return value;
  }
  bool flag() noexcept { return (number<std::uint8_t>() & 1U) != 0; }
  /// 0 to count - 1.
  std::size_t choice(std::size_t count) noexcept { return number<std::uint8_t>() % count; }
  /// A length, then so many bytes.
  std::string text() {
    const std::size_t size = std::min<std::size_t>(number<std::uint8_t>(), rest_.size());
    std::string taken{reinterpret_cast<const char*>(rest_.data()), size};
    rest_ = rest_.subspan(size);
    return taken;
  }
  /// Up to the next line's end or, for the last one, all that is left.
  std::string_view line() noexcept {
    const std::string_view all = rest();
    const std::string_view taken = all.substr(0, all.find('\n'));
    rest_ = rest_.subspan(std::min(taken.size() + 1, rest_.size()));
    return taken;
  }
  [[nodiscard]] std::string_view rest() const noexcept {
    return {reinterpret_cast<const char*>(rest_.data()), rest_.size()};
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return std::as_bytes(rest_); }

 private:
  std::span<const std::uint8_t> rest_;
};

/// The descriptor that an open would get: it tells whether one was left open.
int next_descriptor() noexcept;

}  // namespace sock::fuzz

/// Each target is this function; what drives it is the engine's business.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
