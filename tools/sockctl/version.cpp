// sockctl version.

#include <nlohmann/json.hpp>

#include "json_values.hpp"
#include "posix.hpp"
#include "report.hpp"
#include "verbs.hpp"

namespace sockctl {
namespace {

Result<> show(const Globals& globals) {
  const auto format = SOCKCTL_TRY(format_of(globals));
  if (format == Format::table) return write_all(sock::FdRef{1}, "sockctl " SOCKCTL_VERSION "\n");
  return write_all(sock::FdRef{1}, line_of({{"version", SOCKCTL_VERSION}}) + "\n");
}

}  // namespace

int version(const Globals& globals) {
  const auto done = show(globals);
  return done.has_value() ? 0 : fail(done.error());
}

}  // namespace sockctl
