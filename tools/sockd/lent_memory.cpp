// One descriptor of each is kept, to ask by.

#include "lent_memory.hpp"

#include <utility>

#include "sealed_memory.hpp"

namespace sockd {

void LentMemory::add(sock::UniqueFd file, std::uint64_t size) {
  lent_.push_back({.file = std::move(file), .size = size});
  bytes_ += size;
}

void LentMemory::look() {
  std::erase_if(lent_, [this](const Lent& each) {
    const bool is_free = is_nobody_elses(each.file);
    if (is_free) bytes_ -= each.size;
    return is_free;
  });
}

}  // namespace sockd
