#pragma once

// The description of a container as JSON and back, without what only lives in one process:
// descriptors, and a network namespace to join. Pure.

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "sock/result.hpp"
#include "sock/spec.hpp"

namespace sock::checkpoint {

nlohmann::json to_json(const ContainerSpec& spec);
/// On failure: Errc::corrupt. What comes back has still to be checked as any other spec.
Result<ContainerSpec> spec_from_json(const nlohmann::json& value, const std::string& what);

/// Any bytes: a JSON string where they are UTF-8, else {"hex": "..."}.
nlohmann::json bytes_to_json(const std::string& bytes);

}  // namespace sock::checkpoint
