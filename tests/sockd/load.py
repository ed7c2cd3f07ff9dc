"""A saturated daemon, with hostile functions among the good ones and careless clients among the careful: seconds of it,
or a minute with SOCK_TEST_FULL."""

import json
import os
import re
import time
from collections import Counter
from pathlib import Path

from cases import expect
from driver import COMPUTING_PROGRAM, REFUSED, Kind, Load, Tally, request_and_leave, request_slowly
from world import HOSTILE, World, descriptors, wait_until

SECONDS = 60 if os.environ.get("SOCK_TEST_FULL") is not None else 6
DRAIN_SECONDS = 10
MOST_POOLED = 8 * 4  # Cgroups for eight containers, in four hierarchies at most.
# What all instances could have is more than there is for them: idle ones end for others.
SETTINGS = f'memory = "1g"\nfunction_queue = 3\nqueue_time = "5s"\ndrain_time = "{DRAIN_SECONDS}s"\n'
SMALL = 'memory = "64m"\n'


def hostile(name: str, *outcomes: str, code: str = HOSTILE) -> Kind:
    timeout = "500ms" if "timed_out" in outcomes else "20s"
    return Kind(name, spec=SMALL + f'concurrency = 1\ntimeout = "{timeout}"\n', code=code,
                outcomes=frozenset({*outcomes, REFUSED}))


GOOD = (Kind("reused", callers=4, spec=SMALL + "concurrency = 3\n"),
        Kind("fresh", callers=2, spec=SMALL + 'instances = "fresh"\n', path="/run/{}"),
        Kind("slow", callers=6, spec=SMALL + "concurrency = 2\n", path="/function/{}", more={"sleep": 0.03}),
        Kind("long_answer", callers=2, spec=SMALL, more={"repeat": 16 << 10}),
        Kind("long_event", callers=2, spec=SMALL, path="/run/{}", size=1 << 20, by_control=True),
        Kind("program", spec=SMALL + 'concurrency = 1\n', more={"repeat": 1000}, code=COMPUTING_PROGRAM),
        Kind("slow_client", spec=SMALL, more={"repeat": 16 << 10}, size=32 << 10, call=request_slowly))
LEFT = Kind("left", spec=SMALL + "concurrency = 2\n", more={"sleep": 0.02}, call=request_and_leave)
HOSTILE_ONES = (hostile("endless", "timed_out"), hostile("forks", "timed_out", "out_of_memory"), hostile("floods", "result"),
                hostile("allocates", "out_of_memory"), hostile("answers_twice", "bad_answer"),
                hostile("speaks_unasked", "result", "bad_answer"), hostile("nests", "bad_answer"),
                hostile("closes", "exited"), hostile("exits", "exited"), hostile("leaks", "result", "raised"),
                hostile("pours", "bad_answer", code="#!/bin/sh\nexec cat /dev/zero\n"))
ALL = (*GOOD, LEFT, *HOSTILE_ONES)


def metrics_of(world: World) -> dict[str, Counter]:
    """By metric, by function or by function and outcome: refusals have one name here, as they have for callers."""
    found: dict[str, Counter] = {"calls": Counter()}
    for line in world.request("GET", "/metrics").body.decode().splitlines():
        if parts := re.fullmatch(r'sockd_calls_total\{function="(\w+)",outcome="(\w+)",path="\w*"\} (\d+)', line):
            name, outcome, count = parts.groups()
            found["calls"][name, REFUSED if outcome in ("function_busy", "overloaded") else outcome] += int(count)
        elif parts := re.fullmatch(r'(sockd_\w+?)(?:\{function="(\w+)"\})? (\d+)', line):
            name, function, value = parts.groups()
            found.setdefault(name, Counter())[function or ""] = int(value)
    return found


def expect_settled(world: World) -> None:
    """No instance but paused ones is left, and what is promised is theirs."""
    def is_settled() -> bool:
        status = world.request("GET", "/status").json()
        now = [(each["now"], each["memory"]) for each in status["functions"]]
        return (all(each["instances"] == each["paused"] and each["waiting"] == 0 for each, _ in now)
                and status["memory"]["promised"] <= sum(each["instances"] * memory for each, memory in now))

    expect(wait_until(is_settled), world.request("GET", "/status").body.decode())


def cgroups_of(world: World) -> list[str]:
    """All directories of the daemon's, in all hierarchies."""
    [payload, *_] = world.payloads()
    [name, *_] = re.findall(r"/(sock-[0-9a-f]+)", Path(f"/proc/{payload}/cgroup").read_text())
    return [directory for directory, *_ in os.walk("/sys/fs/cgroup") if f"/{name}" in directory]


def processes_of(world: World) -> list[str]:
    """The daemon and all below it."""
    parents = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            parents[directory.name] = (directory / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue

    def is_ours(pid: str | None) -> bool:
        return pid == str(world.daemon.pid) or (pid in parents and is_ours(parents[pid]))

    return [pid for pid in parents if is_ours(pid)]


def leave_one(world: World) -> None:
    """One idle instance of one function, and no other function."""
    for each in world.request("GET", "/api/functions", control=True).json():
        expect(world.request("DELETE", f"/api/functions/{each['name']}", control=True).status == 200, each["name"])
    expect(wait_until(lambda: world.request("GET", "/status").json()["memory"]["promised"] == 0), "all instances end")
    GOOD[0].put(world)
    world.result(GOOD[0].name, GOOD[0].event())
    world.idle(GOOD[0].name, 1)


def held(world: World) -> Counter:
    """What may not grow. Of cgroups there may be more: as many as are kept for the next containers."""
    return Counter(descriptors=descriptors(world.daemon.pid), processes=len(processes_of(world)),
                   threads=len(os.listdir(f"/proc/{world.daemon.pid}/task")), cgroups=len(cgroups_of(world)),
                   codes=len(list((world.state / "functions").iterdir())))


def expect_all_accounted_for(tally: Tally, kinds: tuple[Kind, ...]) -> None:
    expect(not tally.wrong, f"{len(tally.wrong)} wrong: {tally.wrong[:5]}")
    for kind in kinds:
        expect(tally.answered(kind.name) == tally.sent[kind.name] > 0,
               f"{kind.name}: {tally.answered(kind.name)} of {tally.sent[kind.name]} were answered")
    owners = Counter(me for _, me in tally.calls)
    expect(all(count == 1 for count in owners.values()), "no instance serves two functions")
    for (name, me), calls in tally.calls.items():
        expect(sorted(calls) == list(range(1, len(calls) + 1)), f"{name}: {me} was called {sorted(calls)}")
        expect(name not in ("fresh", "program") or len(calls) == 1, f"{me}: {calls}")


def good_functions_answer_among_hostile_ones(world: World) -> None:
    settings = world.path / "settings"
    settings.write_text(SETTINGS)
    world.start("--config", str(settings))
    [program] = [kind for kind in GOOD if kind.name == "program"]
    program.put(world)
    world.result(program.name, program.event())  # The first container that is created makes a user namespace, which is kept.
    leave_one(world)
    before = held(world)
    for _ in range(5):  # Without connections that have just ended.
        before &= held(world)
    for kind in ALL:
        kind.put(world)
    counted_before = metrics_of(world)["calls"]
    with Load(world, ALL) as load:
        load.go_on(SECONDS)
        most = metrics_of(world)["sockd_memory_promised_bytes"][""]
    tally = load.tally
    print("\n".join(f"# {line}" for line in tally.text().splitlines()), flush=True)
    careful = tuple(kind for kind in ALL if kind is not LEFT)
    expect_all_accounted_for(tally, careful)
    expect({kind.name for kind in careful} == tally.served(), f"some were never served: {tally.text()}")
    expect(0 < most <= 1 << 30, f"{most} bytes were promised")
    expect_settled(world)
    counted = metrics_of(world)["calls"] - counted_before
    left = {key: counted.pop(key) for key in list(counted) if key[0] == LEFT.name}
    expect(counted == tally.seen, f"/metrics and its callers differ: {counted - tally.seen} {tally.seen - counted}")
    expect({outcome for _, outcome in left} <= LEFT.outcomes and 0 < sum(left.values()) <= tally.sent[LEFT.name],
           f"those whose clients went away: {left} of {tally.sent[LEFT.name]}")
    leave_one(world)
    before["cgroups"] += MOST_POOLED
    expect(wait_until(lambda: not held(world) - before, 5), f"{before} became {held(world)}")
    start = time.monotonic()
    cgroups = cgroups_of(world)
    expect(world.stop() == 0, world.log())
    expect(time.monotonic() - start < DRAIN_SECONDS, "it has nothing to wait for")
    expect(not [directory for directory in cgroups if os.path.exists(directory)], "no cgroup is left")


def a_daemon_that_ends_under_load_answers_what_it_has_begun(world: World) -> None:
    settings = world.path / "settings"
    settings.write_text(SETTINGS)
    world.start("--config", str(settings))
    kinds = (*(kind for kind in GOOD if kind.call is None), *HOSTILE_ONES[:2])
    for kind in kinds:
        kind.put(world)
    with Load(world, kinds) as load:
        load.go_on(2)
        load.is_ending.set()
        start = time.monotonic()
        expect(world.stop() == 0, world.log())
        took = time.monotonic() - start
    expect(took < DRAIN_SECONDS, f"it took {took:.1f} s")
    tally = load.tally
    expect(not tally.wrong, f"{len(tally.wrong)} wrong: {tally.wrong[:5]}")
    for kind in kinds:
        lines = (world.state / f"logs/{kind.name}.jsonl").read_text().splitlines()
        begun = Counter(outcome for line in lines if (outcome := json.loads(line)["outcome"]) in kind.outcomes)
        told = Counter({outcome: count for (name, outcome), count in tally.seen.items()
                        if name == kind.name and outcome != REFUSED})
        expect(begun == told and told.total() > 0, f"{kind.name}: {begun} were logged, {told} were told")


TESTS = [good_functions_answer_among_hostile_ones, a_daemon_that_ends_under_load_answers_what_it_has_begun]
