/* Callers compiled against an older or a newer sock.h. */
#include "expect.h"

#define END_OF(type, field) (offsetof(type, field) + sizeof(((type*)0)->field))

static int outcome_of(sock_host* host, const sock_container_spec* spec) {
  sock_container* container = NULL;
  const int result = sock_container_create(host, spec, &container, NULL);
  if (result != 0) return result;
  sock_exit_status status = SOCK_EXIT_STATUS_INIT;
  EXPECT_OK(sock_container_wait(container, &status, &error));
  sock_container_free(container);
  EXPECT(status.kind == SOCK_EXITED);
  return status.value;
}

static void an_older_caller_gets_the_defaults(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "test $(hostname) = sock && test $(id -u) = 65534");
  spec.size = END_OF(sock_container_spec, argv);
  /* Not part of the structure that this caller knows: whatever lies there is not read. */
  spec.hostname = (const char*)-1;
  spec.network = 99;
  EXPECT(outcome_of(host, &spec) == 0);
}

static void a_newer_caller_may_not_ask_for_the_unknown(sock_host* host) {
  const char* list[4];
  struct {
    sock_container_spec spec;
    uint64_t later_field;
  } newer = {.spec = shell(list, "exit 7")};
  newer.spec.size = sizeof newer;
  EXPECT(outcome_of(host, &newer.spec) == 7);
  newer.later_field = 1;
  EXPECT(outcome_of(host, &newer.spec) == -E2BIG);
  newer.spec.size = sizeof newer.spec;
  newer.spec.limits.reserved[6] = 1;
  EXPECT(outcome_of(host, &newer.spec) == -E2BIG);
}

static void a_forgotten_size_is_refused(sock_host* host) {
  const char* list[4];
  sock_container_spec spec = shell(list, "exit 0");
  spec.size = 0;
  EXPECT(outcome_of(host, &spec) == -EINVAL);
  sock_host_options options = {0};
  sock_host* second = NULL;
  EXPECT(sock_host_open(&options, &second, NULL) == -EINVAL);
  sock_recovery recovery = {0};
  EXPECT(sock_host_recover("/", &recovery, NULL) == -EINVAL);
}

static void outputs_end_where_the_caller_says(sock_host* host) {
  const char* list[4];
  const sock_container_spec spec = shell(list, "exec sleep 60");
  sock_container* container = NULL;
  EXPECT_OK(sock_container_create(host, &spec, &container, &error));
  sock_stats stats = {.size = END_OF(sock_stats, memory_current), .memory_peak = 1234};
  EXPECT_OK(sock_container_stats(container, &stats, &error));
  EXPECT(stats.size == END_OF(sock_stats, memory_current) && stats.memory_peak == 1234);

  struct {
    sock_stats stats;
    uint64_t later_field;
  } newer = {.stats = {.size = sizeof newer}};
  EXPECT_OK(sock_container_stats(container, &newer.stats, &error));
  EXPECT(newer.stats.size == sizeof newer && newer.later_field == SOCK_NOT_COUNTED);

  struct {
    sock_exit_status status;
    uint64_t later_field;
  } status = {.status = {.size = sizeof status}, .later_field = 1234};
  EXPECT_OK(sock_container_wait_for(container, 0, &status.status, &error));
  EXPECT(status.status.kind == SOCK_RUNNING && status.later_field == 0);
  sock_container_free(container);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sock_host* host = open_host(argv);
  an_older_caller_gets_the_defaults(host);
  a_newer_caller_may_not_ask_for_the_unknown(host);
  a_forgotten_size_is_refused(host);
  outputs_end_where_the_caller_says(host);
  sock_host_close(host);
  return 0;
}
