"""SEC and CAP: the system call filter, capabilities, identity and limits."""

from model import PLAIN_ROOT, UNCONFINED, Control, Probe, Scenario, check

ANY = Control(UNCONFINED)
ALL = "URZ"
NOT_USERS = ("-1", "4294967295", "4294967296", " 0", "0 ", "1000:", ":0", "0x0", "root", "1000:-1",
             "+0", "1000:1000:0", "1e3", "18446744073709551616")


def strange_users(world, starter) -> str:
    started = []
    for user in NOT_USERS:
        result = starter.sockctl("run", "-u", user, "--", "/usr/bin/id", "-u")
        if result.returncode == 0:
            started.append(f"{user!r} ran as {result.stdout.strip()}")
    check(not started, "\n".join(started))
    # Known: an empty one counts as not given, which is nobody. It must never be root.
    empty = starter.sockctl("run", "-u", "", "--", "/usr/bin/id", "-u")
    check(empty.stdout.strip() != "0", "'' ran as root")
    normal = starter.sockctl("run", "-u", "1000:1001", "--", "/bin/sh", "-c", "id -u; id -g")
    check(normal.stdout.split() == ["1000", "1001"], f"1000:1001: {normal}")
    return f"{len(NOT_USERS)} refused"


def low_limit(world, starter) -> str:
    """A low limit is for the payload, and must not stop the start itself."""
    result = starter.sockctl("run", "--rlimit", "nofile=16", "--", "/bin/sh", "-c", "ulimit -n")
    check(result.returncode == 0 and result.stdout.strip() == "16", str(result))
    return "16"


TESTS = [
    Probe("SEC-01", "the calls of the table are refused, and others are not", ANY, ALL),
    Probe("SEC-02", "the 32-bit gate and x32 are shut", ANY, ALL),
    Probe("SEC-03", "no io_uring", ANY, ALL, errors=frozenset({"ENOSYS"})),
    Probe("SEC-04", "calls newer than the table do not exist", ANY, ALL),
    Probe("SEC-05", "the filter is in every task, and no listener can be made", ANY, ALL,
          errors=frozenset({"EPERM"})),
    Probe("CAP-01", "no capability in any set", Control(("--cap-add", "chown"), PLAIN_ROOT), ALL),
    Probe("CAP-02", "no groups, and no other identity to take", Control(on_host=True), "U"),
    Scenario("CAP-03", "what is no user number is refused", strange_users),
    Probe("CAP-04", "limits are what was declared and cannot be raised", Control(), ALL,
          options=("--rlimit", "nofile=128")),
    Scenario("CAP-04b", "a low limit of descriptors holds from the payload's start", low_limit),
    Probe("CAP-05", "no variable but the declared", Control(("-e", "SOCK_CANARY")), ALL),
]
