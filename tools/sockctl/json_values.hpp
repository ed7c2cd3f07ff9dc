#pragma once

// The library's values as JSON: the names are those of sock::, the units are in the keys.

#include <span>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "sock/check.hpp"
#include "sock/container.hpp"
#include "sock/import_cache.hpp"

#include "try.hpp"

namespace sockctl {

/// {"kind":"exited","value":0,"code":0}; code is what sockctl would exit with.
nlohmann::json to_json(const sock::ExitStatus& status);
/// From to_json() of another sockctl; anything else is Kind::lost.
sock::ExitStatus exit_status_from_json(const nlohmann::json& json);
/// Only what the machine counts.
nlohmann::json to_json(const sock::Stats& stats);
nlohmann::json to_json(const sock::CachedZygote& zygote);
/// {"code":"not_found","stage":"exec","message":"...", ...}
nlohmann::json to_json(const Error& error);
Error error_from_json(const nlohmann::json& json);
/// [{"stage":"clone","ns":81234}, ...]
nlohmann::json to_json(std::span<const sock::StageTiming> timings);
/// From to_json() of another sockctl.
std::vector<sock::StageTiming> timings_from_json(const nlohmann::json& json);

/// The enumerator's own name.
const char* outcome_name(sock::Check::Outcome outcome);

/// On one line, without a newline, in ASCII: JSON on a terminal cannot steer it either. Bytes that
/// are no UTF-8 become U+FFFD.
std::string line_of(const nlohmann::json& value);
/// Empty (null) when it is no JSON, or nested more than 32 deep.
nlohmann::json parse_json(const std::string& text);

}  // namespace sockctl
