#pragma once

// What a start reads of an image's root, as it is kept beside the image. Pure.
//
// As text: "sock-prefetch 1 FILES", "c ARGUMENT...", a line for each file,
//   f PATH OFFSET LENGTH [OFFSET LENGTH]...
// and "s SHA256" of all that is above it; words are escaped (store/escaped_text.hpp).

#include <string>
#include <string_view>
#include <vector>

#include "sock/result.hpp"

#include "loader/loader.hpp"
#include "store/digest.hpp"

namespace sock::image {

struct PrefetchList {
  std::vector<std::string> command;
  std::vector<loader::FileRanges> files;

  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::string to_text() const;
  /// Refuses what is damaged, and what could not have been recorded: paths that lead out, ranges
  /// that are empty, overlap or are not in order.
  static Result<PrefetchList> parse(std::string_view text);
  friend bool operator==(const PrefetchList&, const PrefetchList&) = default;
};

/// The name of a command's list.
store::Digest prefetch_key(const std::vector<std::string>& command);

}  // namespace sock::image
