#pragma once

// Environment markers of PEP 508: "python_version < '3.9' and extra == 'test'". Pure.

#include <string>
#include <string_view>

#include "sock/result.hpp"

namespace sock::cache {

/// Whether the marker holds for CPython in that version ("3.11") on this machine, without extras.
/// On failure: Errc::corrupt for a text that is no marker.
Result<bool> holds(std::string_view marker, const std::string& python);

}  // namespace sock::cache
