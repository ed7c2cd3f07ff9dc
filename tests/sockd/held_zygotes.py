"""Zygotes of sockctl's commands, held by the daemon instead of a process in the background."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

from cases import SOCKCTL, expect
from world import World, wait_until

VERSION = "import json, os; print(json.__name__, os.getpid())"


def zygote(world: World, *words: str, ok: bool = True) -> str:
    done = subprocess.run([SOCKCTL, "--state-dir", str(world.path / "sockctl"), "zygote", *words], capture_output=True,
                          text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    expect((done.returncode == 0) == ok, f"zygote {words}: {done.returncode} {done.stdout}{done.stderr}")
    return done.stdout if ok else done.stderr


def start_holding(world: World, *prefix: str) -> None:
    settings = world.path / "sockd.toml"
    settings.write_text(f'zygotes = "{world.path}/sockctl"\n')
    world.start("--config", str(settings), prefix=prefix)


def background_hosts(world: World) -> list[int]:
    """Of this world's state directory."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"host" in words and str(world.path / "sockctl").encode() in words:
            found.append(int(directory.name))
    return found


def ending_all(test):
    """A test that fails must leave no process of sockctl's own either."""
    def run(world: World) -> None:
        try:
            test(world)
        finally:
            for pid in background_hosts(world):
                os.kill(pid, signal.SIGTERM)
            expect(wait_until(lambda: background_hosts(world) == []), "no process of sockctl's own is left")
    run.__name__ = test.__name__
    return run


def is_below(pid: int, ancestor: int) -> bool:
    while pid > 1 and pid != ancestor:
        status = Path(f"/proc/{pid}/status").read_text()
        pid = int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid")))
    return pid == ancestor


def commands_find_the_daemon(world: World) -> None:
    start_holding(world)
    zygote(world, "create", "z", "--preload", "json")
    expect(background_hosts(world) == [], "no process of sockctl's own is started")
    described = json.loads(zygote(world, "inspect", "z"))
    pid = (described[0] if isinstance(described, list) else described)["pid"]
    expect(is_below(pid, world.daemon.pid), "the zygote is the daemon's")
    expect(zygote(world, "fork", "z", "--", "python3", "-c", VERSION) == "json 1\n", "it is forked from")
    world.must_put("f", "def handler(event):\n    return 1\n")
    expect(world.result("f") == 1, "functions are served beside it")
    zygote(world, "rm", "z")
    expect(world.daemon.poll() is None, "the daemon stays when nothing is held")
    zygote(world, "create", "again")
    expect(zygote(world, "fork", "again", "--", "python3", "-c", "print(2)") == "2\n", "and holds the next one")


def what_is_held_ends_with_the_daemon(world: World) -> None:
    start_holding(world)
    zygote(world, "create", "z")
    command = [SOCKCTL, "--state-dir", str(world.path / "sockctl"), "zygote", "fork", "z", "--", "python3", "-c",
               "print('up', flush=True)\nwhile True: input()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as fork:
        expect(fork.stdout.readline() == "up\n", "a payload runs")
        expect(world.stop() == 0, world.log())
        expect(fork.wait(timeout=30) != 0, "it has ended, and the command says so")
        fork.stdin.close()
    expect("no such zygote" in zygote(world, "fork", "z", "--", "python3", "-c", "1", ok=False), "nobody has it any more")
    expect(not os.path.exists(world.path / "sockctl/zygotes/control"), "nor is its socket there")


def who_holds_already_goes_on(world: World) -> None:
    zygote(world, "create", "z")
    expect(len(background_hosts(world)) == 1, "sockctl's own process holds it")
    start_holding(world)
    expect("another process holds them" in world.log(), f"the daemon says so: {world.log()}")
    expect(zygote(world, "fork", "z", "--", "python3", "-c", "print(1)") == "1\n", "the zygote is still there")
    zygote(world, "rm", "z")
    expect(wait_until(lambda: background_hosts(world) == []), "it ends as ever")


def after_a_kill_the_next_one_holds(world: World) -> None:
    start_holding(world)
    zygote(world, "create", "z")
    world.stop(9)
    zygote(world, "create", "z")
    expect(len(background_hosts(world)) == 1, "without the daemon, sockctl's own process does")
    zygote(world, "rm", "z")
    expect(wait_until(lambda: background_hosts(world) == []), "and ends")
    start_holding(world)
    zygote(world, "create", "z")
    expect(background_hosts(world) == [], "with it, the daemon does")


def out_of_descriptors_it_goes_on(world: World) -> None:
    start_holding(world, "prlimit", "--nofile=200:200")
    zygote(world, "create", "z")
    waiting = []
    for _ in range(220):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.connect(str(world.path / "sockctl/zygotes/control"))
        waiting.append(client)
    expect(wait_until(lambda: all_descriptors(world) >= 198), f"it has no more: {all_descriptors(world)}")
    before = cpu_ticks(world.daemon.pid)
    expect(not wait_until(lambda: world.daemon.poll() is not None, 1), f"the daemon lives: {world.log()}")
    expect(cpu_ticks(world.daemon.pid) - before < 50, "and waits instead of trying without end")
    for client in waiting:
        client.close()
    expect(wait_until(lambda: all_descriptors(world) < 170), "they are given back")
    expect(zygote(world, "fork", "z", "--", "python3", "-c", "print(1)") == "1\n", "and it serves as before")


def all_descriptors(world: World) -> int:
    return len(os.listdir(f"/proc/{world.daemon.pid}/fd"))


def cpu_ticks(pid: int) -> int:
    return sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))


TESTS = [ending_all(test) for test in (commands_find_the_daemon, what_is_held_ends_with_the_daemon, who_holds_already_goes_on,
                                       after_a_kill_the_next_one_holds, out_of_descriptors_it_goes_on)]
