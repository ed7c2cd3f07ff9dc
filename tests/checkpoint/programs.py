"""Real programs, written down in the middle of what they do, and what they do afterwards."""

import os
import subprocess

from cases import PROJECT, expect
from world import World

FULL = os.environ.get("SOCK_TEST_FULL") is not None
PAYLOADS = PROJECT / "tests" / "payloads" / "snapshot"


def a_computation_goes_on_with_the_same_numbers(world: World) -> None:
    world.start("original", "/usr/bin/python3", "-u", "/opt/computation.py", options=("-v", f"{PAYLOADS}:/opt:ro"))
    world.lines_after("original", 5)
    world.must("checkpoint", "original", "middle")
    reference = world.lines_after("original", len(world.log("original")) + 20)
    world.must("rm", "--force", "original")
    world.must("restore", "middle", "--name", "copy")
    copy = world.lines_after("copy", 10)
    first = int(copy[0].split()[0])
    expect(first >= 5, f"it began again: {copy[0]}")
    same = len(reference[first:])
    expect(same > 5 and copy[:same] == reference[first:first + len(copy)][:same],
           f"other numbers: {copy[:3]} instead of {reference[first:first + 3]}")


def threads_and_timers_of_a_c_program_go_on(world: World) -> None:
    (world.path / "bin").mkdir()
    subprocess.run(["gcc", "-O1", "-pthread", "-o", world.path / "bin" / "threads",
                    PAYLOADS / "threads.c", "-lrt"], check=True)
    world.start("original", "/opt/threads", options=("-v", f"{world.path}/bin:/opt:ro"))
    world.lines_after("original", 5)
    world.must("checkpoint", "original", "middle", "--stop")
    before = world.log("original")
    world.must("restore", "middle", "--name", "copy")
    after = world.lines_after("copy", 10)
    turns = [int(line.split()[1]) for line in before + after]
    expect(turns == list(range(0, 4 * len(turns), 4)), f"turns are missing or came twice: {turns}")
    own = [int(line.split()[3]) for line in before + after]
    expect(own == list(range(1, len(own) + 1)), f"a thread's own variable was lost: {own}")
    expect(all(line.endswith("yes") for line in after[-3:]), f"the timer has stopped: {after[-3:]}")


def node_goes_on(world: World) -> None:
    world.start("original", "node", "-e",
                "let n = 0; const seen = new Map(); setInterval(() => { seen.set(n, n * n); "
                "console.log(n, [...seen.values()].reduce((a, b) => a + b, 0)); ++n }, 50)")
    world.lines_after("original", 5)
    told = world.must("checkpoint", "original", "middle", "--stop")
    expect("node uses madvise()" in told, f"no reason why its memory is copied: {told!r}")
    lines = world.log("original")
    world.must("restore", "middle", "--name", "copy")
    lines += world.lines_after("copy", 5)
    expected = [f"{n} {sum(i * i for i in range(n + 1))}" for n in range(len(lines))]
    expect(lines == expected, f"{lines[-3:]} instead of {expected[-3:]}")


def what_relies_on_zeros_gets_them(world: World) -> None:
    """And who says that it does not, gets what he has asked for."""
    (world.path / "bin").mkdir()
    for name, options in (("shared", []), ("static", ["-static"])):
        subprocess.run(["gcc", "-O1", *options, "-o", world.path / "bin" / name, PAYLOADS / "zeros.c"], check=True)
    for name, reason in (("shared", "uses madvise()"), ("static", "is linked statically")):
        world.start(name, f"/opt/{name}", options=("-v", f"{world.path}/bin:/opt:ro"))
        world.lines_after(name, 1)
        told = world.must("checkpoint", name, f"{name}-1")
        expect(f"/opt/{name}" in told and reason in told, f"no reason in {told!r}")
        world.must("checkpoint", name, f"{name}-2", "--memory", "mapped", "--stop")
        for snapshot, expected in ((f"{name}-1", "zero"), (f"{name}-2", "old")):
            world.must("restore", snapshot, "--name", f"of-{snapshot}")
            world.must("kill", "-s", "USR1", f"of-{snapshot}")
            lines = world.lines_after(f"of-{snapshot}", 1)
            expect(lines == [expected], f"{snapshot}: {lines}")


def a_tree_of_processes_with_pipes_goes_on(world: World) -> None:
    world.start("original", "sh", "-c",
                "n=0; while :; do n=$((n+1)); echo $n; sleep 0.05; done | sed -u 's/^/a/' | sed -u 's/$/b/' | cat -")
    world.lines_after("original", 3)
    world.must("checkpoint", "original", "middle", "--stop")
    lines = world.log("original")
    world.must("restore", "middle", "--name", "copy")
    lines += world.lines_after("copy", 5)
    expect(lines == [f"a{n}b" for n in range(1, len(lines) + 1)], f"lost or doubled: {lines}")


def a_server_with_a_listening_socket_answers(world: World) -> None:
    world.start("original", "/usr/bin/python3", "-uc",
                "import socketserver\n"
                "class Handler(socketserver.StreamRequestHandler):\n"
                "    def handle(self): self.wfile.write(b'served ' + self.rfile.readline())\n"
                "print('up'); socketserver.UnixStreamServer('/tmp/socket', Handler).serve_forever()")
    world.lines_after("original", 1)
    world.must("checkpoint", "original", "middle", "--stop")
    world.must("restore", "middle", "--count", "2", "--name", "copy")
    for copy in ("copy-1", "copy-2"):
        answer = world.must("exec", copy, "--", "/usr/bin/python3", "-c",
                            "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/tmp/socket'); "
                            "s.sendall(b'it\\n'); print(s.recv(99).decode(), end='')")
        expect(answer == "served it\n", f"{copy}: {answer}")


def many_copies_run_at_once(world: World) -> None:
    """Each in a pid namespace and a cgroup of its own."""
    each, commands = 10, 10 if FULL else 2
    world.start("original", "sh", "-c", "n=0; while :; do n=$((n+1)); echo $n; sleep 0.2; done")
    world.lines_after("original", 2)
    world.must("checkpoint", "original", "middle", "--stop")
    started = [world.begin("restore", "middle", "--count", str(each), "--name", f"copy{i}") for i in range(commands)]
    for command in started:
        _, errors = command.communicate(timeout=240)
        expect(command.returncode == 0, f"{command.returncode}: {errors.strip()}")
    names = [name for name in world.must("ps", "--quiet").split() if name.startswith("copy")]
    expect(len(names) == each * commands, f"{len(names)} of {each * commands} run")
    pids = [world.inspect(name)["pid"] for name in names]
    for ns in ("pid", "net", "mnt", "ipc", "uts", "cgroup"):
        found = {os.readlink(f"/proc/{pid}/ns/{ns}") for pid in pids}
        expect(len(found) == len(pids), f"{len(found)} {ns} namespaces for {len(pids)} copies")
    groups = {open(f"/proc/{pid}/cgroup", encoding="ascii").read() for pid in pids}
    expect(len(groups) == len(pids), f"{len(groups)} cgroups for {len(pids)} copies")
    for name in names:
        world.goes_on(name)


TESTS = [a_computation_goes_on_with_the_same_numbers, threads_and_timers_of_a_c_program_go_on, node_goes_on, what_relies_on_zeros_gets_them,
         a_tree_of_processes_with_pipes_goes_on, a_server_with_a_listening_socket_answers, many_copies_run_at_once]
