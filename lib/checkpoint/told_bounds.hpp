#pragma once

// How much is told of a snapshot's processes, all of them together. A snapshot may be a stranger's,
// and few bytes of it may name one path, or one table of descriptors, any number of times: so what
// is told has bounds of its own, and is counted before it is made. Pure.

#include <cstddef>
#include <string>

#include "sock/result.hpp"

#include "base/try.hpp"

namespace sock::checkpoint {

class ToldBounds {
 public:
  static constexpr std::size_t most_processes = 10'000;
  /// A hundred for each of so many processes; of descriptors as many as one process may have where
  /// nobody has raised that (fs.nr_open).
  static constexpr std::size_t most_mappings = 1U << 20U;
  static constexpr std::size_t most_descriptors = 1U << 20U;
  static constexpr std::size_t most_name_bytes = 64U << 20U;

  /// On failure, of each of them: Errc::corrupt.
  Result<> add_mappings(std::size_t count) {
    return add(mappings_, count, most_mappings, "mappings");
  }
  Result<> add_descriptors(std::size_t count) {
    return add(descriptors_, count, most_descriptors, "descriptors");
  }
  Result<> add_name(std::size_t bytes) {
    return add(name_bytes_, bytes, most_name_bytes, "bytes of names");
  }

 private:
  static Result<> add(std::size_t& sum, std::size_t more, std::size_t most, const char* what) {
    if (more > most - sum)
      return base::refuse(Errc::corrupt, Stage::checkpoint, "processes",
                          "together they have more than " + std::to_string(most) + " " + what +
                              ": too many to be told");
    sum += more;
    return {};
  }

  std::size_t mappings_ = 0;
  std::size_t descriptors_ = 0;
  std::size_t name_bytes_ = 0;
};

}  // namespace sock::checkpoint
