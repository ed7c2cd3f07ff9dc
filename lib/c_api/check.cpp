// sock_check of the C interface: the doctor's results, one by one.

#include "base/try.hpp"
#include "c_api/handles.hpp"
#include "c_api/sized.hpp"
#include "c_api/spec.hpp"

using sock::Result;
using sock::c_api::at_border;
using sock::c_api::require;

static_assert(SOCK_CHECK_OK == static_cast<int>(sock::Check::Outcome::ok));
static_assert(SOCK_CHECK_FAILED == static_cast<int>(sock::Check::Outcome::failed));

int sock_check(const sock_host_options* options, sock_checks** ret_checks, sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(ret_checks, "ret_checks"));
    const auto host_options = SOCK_TRY(sock::c_api::to_options(options));
    *ret_checks = new sock_checks{.checks = sock::check(host_options)};
    return {};
  });
}

size_t sock_checks_count(const sock_checks* checks) {
  return checks == nullptr ? 0 : checks->checks.size();
}

int sock_checks_get(const sock_checks* checks, size_t index, sock_check_result* ret_result,
                    sock_error** error) {
  return at_border(error, [&]() -> Result<> {
    SOCK_TRY(require(checks, "checks"));
    SOCK_TRY(sock::c_api::check_output(ret_result, "ret_result"));
    if (index >= checks->checks.size())
      return sock::c_api::refuse_argument("index", "there are fewer; see sock_checks_count()");
    const sock::Check& check = checks->checks[index];
    sock_check_result result{};
    result.name = check.name.c_str();
    result.detail = check.detail.c_str();
    result.lost = check.lost.c_str();
    result.remedy = check.remedy.c_str();
    result.outcome = static_cast<std::uint32_t>(check.outcome);
    sock::c_api::write_sized(result, ret_result);
    return {};
  });
}

void sock_checks_free(sock_checks* checks) {
  delete checks;
}
