/* sock_check(): what is found on a machine on which containers do start, and on one without. */
#include "expect.h"

static sock_check_result find(const sock_checks* checks, const char* name) {
  sock_check_result result = SOCK_CHECK_RESULT_INIT;
  for (size_t i = 0; i < sock_checks_count(checks); ++i) {
    EXPECT_OK(sock_checks_get(checks, i, &result, &error));
    if (strcmp(result.name, name) == 0) return result;
  }
  fprintf(stderr, "there is no check %s\n", name);
  exit(1);
}

static void a_container_starts_here(sock_host_options options) {
  const char* const without[] = {"detached_roots", NULL};
  options.without = without;
  sock_checks* checks = NULL;
  EXPECT_OK(sock_check(&options, &checks, &error));
  EXPECT(find(checks, "container").outcome == SOCK_CHECK_OK);
  EXPECT(find(checks, "container").lost[0] == '\0');
  const sock_check_result missing = find(checks, "detached_roots");
  EXPECT(missing.outcome == SOCK_CHECK_DEGRADED);
  EXPECT(missing.lost[0] != '\0' && missing.remedy[0] != '\0');
  sock_check_result beyond = SOCK_CHECK_RESULT_INIT;
  EXPECT(sock_checks_get(checks, sock_checks_count(checks), &beyond, NULL) == -EINVAL);
  EXPECT(beyond.name == NULL);
  sock_checks_free(checks);
}

static void what_is_missing_is_a_result(sock_host_options options) {
  options.libexec_dir = "/no/such/directory";
  sock_checks* checks = NULL;
  EXPECT_OK(sock_check(&options, &checks, &error));
  const sock_check_result host = find(checks, "host");
  EXPECT(host.outcome == SOCK_CHECK_FAILED && strstr(host.detail, "/no/such/directory") != NULL);
  sock_checks_free(checks);
}

static void a_forgotten_argument_is_no_crash(const sock_host_options* options) {
  sock_checks* checks = NULL;
  EXPECT(sock_check(NULL, &checks, NULL) == -EINVAL && checks == NULL);
  EXPECT(sock_check(options, NULL, NULL) == -EINVAL);
  EXPECT(sock_checks_count(NULL) == 0);
  EXPECT(sock_checks_get(NULL, 0, NULL, NULL) == -EINVAL);
  sock_checks_free(NULL);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host_options options = SOCK_HOST_OPTIONS_INIT;
  options.state_dir = argv[1];
  options.libexec_dir = argv[2];
  options.cgroup_reserve = 1;
  a_container_starts_here(options);
  what_is_missing_is_a_result(options);
  a_forgotten_argument_is_no_crash(&options);
  return 0;
}
