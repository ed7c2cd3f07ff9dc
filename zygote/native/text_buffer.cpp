// realloc() by doubling.

#include "native/text_buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace sock::zygote {

TextBuffer::~TextBuffer() {
  std::free(data_);
}

char* TextBuffer::reserve(std::size_t count) noexcept {
  if (capacity_ - size_ < count) {
    constexpr std::size_t least = 4096;
    capacity_ = std::max({least, 2 * capacity_, size_ + count});
    data_ = static_cast<char*>(std::realloc(data_, capacity_));
    if (data_ == nullptr) std::abort();
  }
  return data_ + size_;
}

void TextBuffer::append(std::string_view text) noexcept {
  if (text.empty()) return;
  std::memcpy(reserve(text.size()), text.data(), text.size());
  add(text.size());
}

void TextBuffer::drop_front(std::size_t count) noexcept {
  if (count == 0) return;
  size_ -= count;
  std::memmove(data_, data_ + count, size_);
}

}  // namespace sock::zygote
