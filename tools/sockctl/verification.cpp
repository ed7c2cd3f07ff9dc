// Verifications for people and machines.

#include "verification.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"

namespace sockctl {

Result<int> report_verification(Format format, nlohmann::json identity, const std::string& subject,
                                const sock::Verification& found, const char* as_it_was) {
  const int status = found.ok() ? 0 : 1;
  if (format != Format::table) {
    identity.update({{"files", found.files},
                     {"bytes", found.bytes},
                     {"ok", found.ok()},
                     {"problems", found.problems}});
    SOCKCTL_TRY(write_all(sock::FdRef{1}, line_of(identity) + "\n"));
    return status;
  }
  for (const auto& problem : found.problems) complain(sock::printable(problem));
  SOCKCTL_TRY(write_all(
      sock::FdRef{1},
      fmt::format("{}: {} in {} files, {}\n", sock::printable(subject), human_size(found.bytes),
                  found.files, found.ok() ? as_it_was : "damaged")));
  return status;
}

}  // namespace sockctl
