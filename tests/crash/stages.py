"""Kills of the embedding program at a chosen stage of create().

A stage of the parent is one of its system calls: strace sends SIGKILL there. A stage of the child
is one of the child's: strace holds the child in it while the parent is killed.
"""

import time
from collections import Counter
from pathlib import Path

from tracing import NOT_FAILING, Traced, count_calls
from world import World, wait_until

HOLD_US = 800_000
# By the numbers of x86-64, as /proc/PID/syscall gives them.
NUMBERS = {"read": 0, "write": 1, "close": 3, "rt_sigaction": 13, "rt_sigprocmask": 14, "ioctl": 16,
           "socket": 41, "execve": 59, "clone": 56, "umount2": 166, "sethostname": 170, "fcntl": 72,
           "getcwd": 79, "chdir": 80, "fchdir": 81, "umask": 95, "setsid": 112, "setgroups": 116,
           "setresuid": 117, "setresgid": 119, "capget": 125, "capset": 126, "pivot_root": 155,
           "prctl": 157, "chroot": 161, "clock_gettime": 228, "openat": 257, "unshare": 272, "dup3": 292,
           "prlimit64": 302, "setns": 308, "seccomp": 317, "execveat": 322, "move_mount": 429,
           "fsopen": 430, "fsconfig": 431, "fsmount": 432, "clone3": 435, "close_range": 436,
           "openat2": 437, "landlock_restrict_self": 446}
# The calls by which a test can be sure that the child was in a stage: each stage that it has.
STAGES = {"clone": {"clone"}, "cgroup_join": {"write"}, "namespaces": {"setns", "unshare", "sethostname"},
          "mounts": {"fsopen", "fsmount", "move_mount"}, "root": {"chroot", "getcwd"},
          "identity": {"setresuid", "setresgid", "setsid"}, "capabilities": {"capset"},
          "landlock": {"landlock_restrict_self"}, "rlimits": {"umask"}, "seccomp": {"seccomp"},
          "exec": {"execve", "execveat"}}


def ordinals(most: int, full: bool) -> list[int]:
    return list(range(1, most + 1)) if full else sorted({1, most // 2 + 1, most})


def clean_up_problems(world: World, what: str) -> list[str]:
    if world.is_clean_within(1):
        return []
    left = world.left()
    world.recover()
    return [f"{what}: left after 1 s: {left}; after recover(): {world.left()}"]


def kill_at_calls_of_parent(world: World, tap, full: bool) -> None:
    counts, parent, problems = count_calls(world, "create")
    killed: Counter = Counter()
    for name, most in sorted(counts[parent].items()):
        if name in NOT_FAILING:
            continue
        for n in ordinals(most, full):
            inject = f"inject={name}:signal=SIGKILL:when={n}"
            traced = Traced(world, "create", ["-e", f"trace={name}", "-e", inject])
            code, output = traced.finish(10)
            # strace counts per process: where the child makes the call as often, it dies first, and
            # the parent has to tell.
            killed["program" if code == -9 else "child"] += 1
            if code not in (-9, 0, 3):
                problems.append(f"{name} {n}: exit {code}: {output}")
            problems += clean_up_problems(world, f"{name} {n}")
    note = ", ".join(f"{count} times the {who}" for who, count in sorted(killed.items()))
    tap.report("nothing is left of a program killed in a call of create()", problems, note)


def held_in(world: World, name: str, driver) -> int | None:
    """The process that is held in the call; the child rather than the driver, which may be held in
    it first. Others stop in it too, but only in passing."""
    seen: dict[int, tuple[str, float]] = {}
    found = []

    def is_held() -> bool:
        for pid in world.processes():
            try:
                where = Path(f"/proc/{pid}/syscall").read_text()
                state = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
            except OSError:
                continue
            if state != "t" or where.split()[0] != str(NUMBERS[name]):
                continue
            first, since = seen.setdefault(pid, (where, time.monotonic()))
            if first != where:
                seen[pid] = (where, time.monotonic())
            elif time.monotonic() - since > 0.05:
                found.append(pid)
                return pid != driver.pid
        return driver.poll() is not None

    wait_until(is_held, 2.5 * HOLD_US / 1e6)
    return found[-1] if found else None


def calls_of_child(counts: dict[int, Counter], parent: int) -> Counter:
    calls: Counter = Counter()
    for pid, made in counts.items():
        if pid != parent:
            for name, most in made.items():
                calls[name] = max(calls[name], most)
    return calls


def kill_while_held(world: World, name: str, n: int) -> tuple[str, list[str]]:
    """Who was held (child, parent, nobody) in its n-th call when the program was killed."""
    inject = f"inject={name}:delay_enter={HOLD_US}:when={n}"
    traced = Traced(world, "create", ["-e", f"trace={name}", "-e", inject])
    pid = held_in(world, name, traced.driver)
    who = "nobody" if pid is None else "parent" if pid == traced.driver.pid else "child"
    traced.driver.kill()
    # Not until the end of its output: the held child still has a copy of that pipe.
    if who == "child":
        traced.driver.wait()
    # Set free, the child goes on beside the janitor. Held, it could not even die.
    traced.strace.kill()
    traced.driver.communicate()
    problems = clean_up_problems(world, f"{name} {n}")
    traced.end_tracer()
    return who, problems


def kill_at_calls_of_child(world: World, tap, full: bool) -> None:
    counts, parent, problems = count_calls(world, "create")
    calls = calls_of_child(counts, parent)
    held: Counter = Counter()
    reached = set()
    for name in sorted(set(calls) & set(NUMBERS)):
        # Of hundreds of equal calls (prctl, rt_sigaction) the ends and the middle will do.
        for n in ordinals(min(calls[name], 12), full):
            who, found = kill_while_held(world, name, n)
            held[who] += 1
            problems += found
            if who == "child":
                reached.update(stage for stage, names in STAGES.items() if name in names)
    problems += [f"no kill in stage {stage}" for stage in sorted(set(STAGES) - reached)]
    note = ", ".join(f"{who} held {count} times" for who, count in sorted(held.items()))
    tap.report(f"nothing is left of a program killed while its child is in a call, in {len(reached)} stages",
               problems, note)
