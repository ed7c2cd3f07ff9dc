"""What strangers and functions can have at most, so that something is left for others."""

import json
import os
import resource
import socket
from pathlib import Path

from cases import expect
from events import send
from world import SLOW, World, wait_until

ONE = "def handler(event):\n    return 1\n"
LARGE = 6_000_000  # bytes
ALL_CONNECTIONS = 4096


def half_a_call(world: World) -> socket.socket:
    stranger = socket.create_connection(("127.0.0.1", world.port))
    stranger.sendall(b"POST /run/f HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n\r\n1" % (world.port, LARGE))
    return stranger


def large_bodies_are_bounded_together(world: World) -> None:
    world.start()
    world.must_put("f", ONE)
    strangers = [half_a_call(world) for _ in range(50)]
    large = json.dumps("x" * (LARGE - 2))
    expect(wait_until(lambda: world.invoke("f", large).status == 503), "there is no room for one more")
    expect(world.invoke("f", large).headers["Retry-After"] == "1", "but soon")
    expect(world.result("f", "1") == 1, "small ones are served")
    expect(world.put("f", ONE, more={"data": "x" * LARGE}).status == 200, "and whoever it belongs to")
    for stranger in strangers:
        stranger.close()
    expect(wait_until(lambda: world.invoke("f", large).status == 200), "what was promised is given back")


def strangers_cannot_take_all_connections(world: World) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (ALL_CONNECTIONS + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    world.start()
    world.must_put("f", ONE)
    strangers = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(ALL_CONNECTIONS + 50)]
    try:
        # The last ones are closed.
        strangers[-1].settimeout(20)
        expect(strangers[-1].recv(1) == b"", "there is an end")
        expect(world.request("GET", "/api/functions", control=True).status == 200, "the control socket is not theirs")
    finally:
        for stranger in strangers:
            stranger.close()
    expect(wait_until(lambda: served(world)), "they are gone")


def served(world: World) -> bool:
    try:
        return world.invoke("f").status == 200
    except OSError:
        return False


def events_of_one_function_leave_places_for_others(world: World) -> None:
    (world.path / "few.toml").write_text("events = 8\n")
    world.start("--config", str(world.path / "few.toml"))
    world.must_put("slow", SLOW, "concurrency = 1\n")
    world.must_put("f", ONE)
    statuses = [send(world, "slow", "2").status for _ in range(8)]
    expect(statuses == [202] * 6 + [429] * 2, f"three quarters: {statuses}")
    expect([send(world, "f").status for _ in range(2)] == [202, 202], "the others' quarter")


def v2_mount() -> Path:
    [first, *_] = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines() if line.split()[2] == "cgroup2"]
    return Path(first)


def a_delegated_group_has_no_processes_itself(world: World) -> None:
    unit = v2_mount() / f"sock-unit-{os.getpid()}"
    unit.mkdir()
    try:
        world.start(prefix=("sh", "-c", f'echo 0 > {unit}/cgroup.procs && exec "$@"', "sh"),
                    env={**os.environ, "NOTIFY_SOCKET": str(world.path / "nobody")})
        group = Path(f"/proc/{world.daemon.pid}/cgroup").read_text()
        expect(f"0::/{unit.name}/daemon\n" in group, group)
        expect((unit / "cgroup.procs").read_text() == "", "so that it can have limits below")
        world.must_put("f", ONE)
        expect(world.result("f") == 1, "it serves")
        expect(world.stop() == 0, world.log())
    finally:
        # As the manager does.
        expect(wait_until(lambda: not (unit / "daemon").exists() or removed(unit / "daemon")), "nobody is left in it")
        expect(wait_until(lambda: removed(unit)), "nothing else is below")


def removed(group: Path) -> bool:
    try:
        group.rmdir()
        return True
    except OSError:
        return False


TESTS = [large_bodies_are_bounded_together, strangers_cannot_take_all_connections, events_of_one_function_leave_places_for_others,
         a_delegated_group_has_no_processes_itself]
