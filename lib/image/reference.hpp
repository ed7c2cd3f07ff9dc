#pragma once

// Names of images: what people type, and what a file in the store may be called. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "sock/result.hpp"

#include "store/digest.hpp"

namespace sock::image {

/// "NAME[:TAG][@sha256:...]"; at least one of name and digest is there.
struct Reference {
  std::string name = {};  ///< "NAME:TAG", or empty.
  std::optional<store::Digest> digest = {};
};

/// Names are [a-zA-Z0-9] and ._-/ in between, with an optional port (as in localhost:5000/name);
/// tags are [a-zA-Z0-9_][a-zA-Z0-9_.-]*; the tag is "latest" unless given.
Result<Reference> parse_reference(std::string_view text);
/// The same without a digest: what an image can be called.
Result<std::string> parse_image_name(std::string_view text);

/// A file name for an image's name, and back. Empty for a file name that is none of ours.
std::string file_name_of(std::string_view image_name);
std::optional<std::string> image_name_of(std::string_view file_name);

/// A name for an image that comes with none: from the last component of a path, and a tag.
std::string name_from_path(std::string_view path, std::string_view tag);

}  // namespace sock::image
