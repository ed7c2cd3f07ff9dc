#pragma once

// Bytes that grow, without the C++ library: it would have to be in every root, and there the one
// that handlers want.

#include <cstddef>
#include <string_view>

namespace sock::zygote {

/// Ends the process when there is no memory, as handlers of one event at a time can afford.
class TextBuffer {
 public:
  TextBuffer() noexcept = default;
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;
  ~TextBuffer();

  void clear() noexcept { size_ = 0; }
  void append(std::string_view text) noexcept;
  /// Forgets the first `count` bytes.
  void drop_front(std::size_t count) noexcept;

  /// Room for `count` more, to be filled and then added.
  char* reserve(std::size_t count) noexcept;
  void add(std::size_t count) noexcept { size_ += count; }

  [[nodiscard]] char* data() noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace sock::zygote
