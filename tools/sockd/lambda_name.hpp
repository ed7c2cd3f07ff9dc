#pragma once

// How AWS' clients name a function. Pure.

#include <string>
#include <string_view>

namespace sockd {

/// Of a part of a path: "arn:aws:lambda:...:function:NAME:QUALIFIER" and "NAME:QUALIFIER" are NAME,
/// with their colons escaped or not. What is none of these is some name that no function has.
std::string lambda_name(std::string_view part);

}  // namespace sockd
