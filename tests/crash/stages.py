"""Kills of the embedding program at a chosen stage of create().

A stage of the parent is one of its system calls: strace sends SIGKILL there. A stage of the child
is one of the child's: strace holds the child in it while the parent is killed.
"""

import time
from collections import Counter
from pathlib import Path

from tracing import NOT_FAILING, Traced, count_calls
from world import World, wait_until

HOLD_US = 5_000_000
# By the numbers of x86-64, as /proc/PID/syscall gives them.
NUMBERS = {"read": 0, "write": 1, "rt_sigaction": 13, "rt_sigprocmask": 14, "ioctl": 16, "execve": 59,
           "clone": 56, "fcntl": 72, "chdir": 80, "fchdir": 81, "umask": 95, "setsid": 112,
           "setgroups": 116, "setresuid": 117, "setresgid": 119, "capget": 125, "capset": 126,
           "prctl": 157, "chroot": 161, "openat": 257, "unshare": 272, "dup3": 292, "prlimit64": 302,
           "setns": 308, "seccomp": 317, "execveat": 322, "move_mount": 429, "fsopen": 430,
           "fsconfig": 431, "fsmount": 432, "close_range": 436, "landlock_restrict_self": 446}


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


def held_in(world: World, name: str) -> int | None:
    """The process that is held in the call. Others stop in it too, but only in passing."""
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
                return True
        return False

    return found[0] if wait_until(is_held, 2) else None


def kill_at_calls_of_child(world: World, tap, full: bool) -> None:
    counts, parent, problems = count_calls(world, "create")
    calls: Counter = Counter()
    for pid, made in counts.items():
        if pid != parent:
            for name, most in made.items():
                calls[name] = max(calls[name], most)
    held: Counter = Counter()
    for name in sorted(set(calls) & set(NUMBERS)):
        # Of hundreds of equal calls (prctl, rt_sigaction) the ends and the middle will do.
        for n in ordinals(min(calls[name], 12), full):
            inject = f"inject={name}:delay_enter={HOLD_US}:when={n}"
            traced = Traced(world, "create", ["-e", f"trace={name}", "-e", inject])
            pid = held_in(world, name)
            who = "no" if pid is None else "parent" if pid == traced.driver.pid else "child"
            held[who] += 1
            traced.driver.kill()
            # Not until the end of its output: the held child still has a copy of that pipe.
            if who == "child":
                traced.driver.wait()
            # Set free, the child goes on beside the janitor. Held, it could not even die.
            traced.strace.kill()
            traced.driver.communicate()
            problems += clean_up_problems(world, f"{name} {n}")
            traced.end_tracer()
    # A call that the parent makes as often is held in the parent, and of no interest here.
    note = f"the child was held {held['child']} times, the parent {held['parent']}, none {held['no']}"
    if held["child"] < 20:
        problems.append("too few stages were reached: " + note)
    tap.report("nothing is left of a program killed while its child is in a call", problems, note)
