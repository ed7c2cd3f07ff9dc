#pragma once

// Sets of packages as bits, for the planner, which compares millions of them. Sets that are
// combined are of one table and have the same number of words.

#include <algorithm>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sock::zygote {

class PackageSet {
 public:
  explicit PackageSet(std::size_t packages) : words_((packages + 63) / 64) {}

  void insert(std::size_t package) { words_[package / 64] |= 1UL << (package % 64); }
  [[nodiscard]] bool contains(std::size_t package) const {
    return (words_[package / 64] >> (package % 64) & 1U) != 0;
  }
  [[nodiscard]] bool empty() const {
    return std::ranges::all_of(words_, [](std::uint64_t word) { return word == 0; });
  }
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const auto word : words_) count += static_cast<std::size_t>(std::popcount(word));
    return count;
  }
  [[nodiscard]] bool is_subset_of(const PackageSet& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if ((words_[i] & ~other.words_[i]) != 0) return false;
    return true;
  }
  PackageSet& operator|=(const PackageSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  PackageSet& operator&=(const PackageSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  friend PackageSet operator|(PackageSet left, const PackageSet& right) { return left |= right; }
  friend PackageSet operator&(PackageSet left, const PackageSet& right) { return left &= right; }

  /// Calls `visit` with each member's number, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (auto word = words_[i]; word != 0; word &= word - 1)
        visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
  }
  [[nodiscard]] std::vector<std::size_t> members() const {
    std::vector<std::size_t> all;
    for_each([&](std::size_t package) { all.push_back(package); });
    return all;
  }

  friend auto operator<=>(const PackageSet&, const PackageSet&) = default;

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace sock::zygote
