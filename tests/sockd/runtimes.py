"""Functions that are programs, and functions that are shared objects."""

import base64
import json
import os
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

from cases import PROJECT, SOCKCTL, expect
from failures import error_of
from world import EXAMPLES, FORKED, World, archive, wait_until

FULL = os.environ.get("SOCK_TEST_FULL") is not None
OBJECTS = Path(SOCKCTL).parent.parent.parent / "tests/payloads/native"


def put_program(world: World, code: str, spec: str = "", name: str = "f"):
    body = archive({"function.toml": f'runtime = "exec"\nhandler = "run"\n{spec}', "run": code})
    return world.put(name, body)


def put_object(world: World, name: str, spec: str = "", function: str = "f"):
    files = {"function.toml": f'runtime = "native"\nhandler = "f.so"\n{spec}',
             "f.so": (OBJECTS / f"{name}.so").read_bytes()}
    return world.put(function, archive(files))


def a_program_answers_on_its_output(world: World) -> None:
    world.start()
    reply = put_program(world, "#!/bin/sh\necho started $1 >&2\ncat\n", 'arguments = ["here"]\n')
    expect(reply.status == 200 and reply.json()["runtime"] == "exec" and reply.json()["instances"] == "fresh", str(reply))
    reply = world.invoke("f", {"a": [1, "x"]})
    expect(reply.json() == {"a": [1, "x"]} and reply.headers["X-Sock-Path"] == "created", str(reply))
    expect(world.logs("f")[0]["printed"] == "started here\n", str(world.logs("f")))
    large = "x" * 2_000_000
    expect(world.result("f", json.dumps(large)) == large, "both streams at once")
    put_program(world, "#!/bin/sh\necho two words\n")
    expect(world.result("f", json.dumps(large)) == "two words\n", "text, from a program that does not read")
    put_program(world, "#!/bin/sh\nprintf '\"%s %s %s %s\"' $SOCK_REQUEST_ID $PWD $A $#\n", '[env]\nA = "1"\n')
    reply = world.invoke("f")
    expect(reply.json() == f"{reply.headers['x-amzn-RequestId']} /handler 1 0", str(reply))
    put_program(world, "#!/usr/bin/python3\nimport json, sys\nprint(len(json.load(sys.stdin)))\n")
    expect(world.result("f", "[1, 2, 3]") == 3, "in Python")
    expect(wait_until(lambda: world.now("f")["instances"] == 0 and not world.payloads()), "nothing is left of them")


def a_program_that_fails_is_named(world: World) -> None:
    world.start()
    put_program(world, "#!/bin/sh\necho half\necho because >&2\nexit 3\n")
    reply = world.invoke("f")
    expect(error_of(reply)["errorType"] == "Runtime.ExitError" and "exit status 3" in error_of(reply)["errorMessage"], str(reply))
    expect(world.logs("f")[0]["printed"] == "because\n", str(world.logs("f")))
    put_program(world, "#!/bin/sh\nkill -SEGV $$\n")
    expect("signal 11" in error_of(world.invoke("f"))["errorMessage"], "by a signal")
    put_program(world, "#!/bin/sh\nexec sleep 60\n", 'timeout = "300ms"\n')
    expect(error_of(world.invoke("f"))["errorType"] == "Sandbox.Timedout", "one that does not end")
    put_program(world, "#!/bin/sh\nexec >&-\nexec sleep 60\n", 'timeout = "300ms"\n')
    expect("closed its channel" in error_of(world.invoke("f"))["errorMessage"], "one that closes its output")
    put_program(world, "#!/bin/sh\nexec cat /dev/zero\n")
    expect(error_of(world.invoke("f"))["errorType"] == "Runtime.MarshalError", "one that says too much")
    put_program(world, "#!/usr/bin/python3\nx = [b'x' * (1 << 20) for _ in range(500)]\n", 'memory = "32m"\n')
    expect(error_of(world.invoke("f"))["errorType"] == "Runtime.OutOfMemory", "one that needs too much")
    put_program(world, "#!/nowhere/interpreter\n")
    reply = world.invoke("f")
    expect(reply.status == 503 and b"exec: /handler/run" in reply.body, f"one that cannot be executed: {reply}")
    expect(wait_until(lambda: world.now("f")["instances"] == 0 and not world.payloads()), "nothing is left of them")


def a_file_that_is_no_program_is_refused(world: World) -> None:
    world.start()
    expect("not executable" in put_program(world, "no program").json()["error"]["message"], "without its bit")
    for handler in ("none", "../run", "/bin/sh"):
        body = archive({"function.toml": f'runtime = "exec"\nhandler = "{handler}"\n', "run": "#!/bin/sh\n"})
        expect(world.put("f", body).status == 400, handler)
    expect(world.invoke("f").status == 404, "none of them is served")


def an_object_is_forked(world: World) -> None:
    world.start()
    reply = put_object(world, "events")
    expect(reply.status == 200, str(reply))
    reply = world.invoke("f", '"one"')
    expect(reply.json() == [1, "one"] and reply.headers["X-Sock-Path"] in FORKED
           and reply.headers["X-Sock-Zygote"] == "f.so", str(reply))
    expect(world.result("f", '"two"') == [2, "two"], "the same instance")
    expect(world.result("f", '"lines"') == [1, 2], "an answer in several lines")
    expect(wait_until(lambda: "printed\n" in "".join(line["printed"] for line in world.logs("f"))), "what it prints")
    error = error_of(world.invoke("f", '"fail"'))
    expect(error["errorType"] == "HandlerFailed" and error["errorMessage"].startswith('no "way"'), str(error))
    expect(error_of(world.invoke("f", '"not JSON"'))["errorType"] == "InvalidResult", "no JSON")
    expect("exit status 5" in error_of(world.invoke("f", '"leave"'))["errorMessage"], "it ends")
    expect(world.result("f", '"three"') == [1, "three"], "a new instance")
    put_object(world, "events", 'instances = "fresh"\n')
    expect([world.result("f", '"x"') for _ in range(3)] == [[1, "x"]] * 3, "an instance for each call")


def an_object_that_cannot_be_loaded_is_refused(world: World) -> None:
    world.start()
    for name, reason in (("unresolved", "undefined"), ("plain", "sock_handler_v1"), ("starts_thread", "thread"),
                         ("crashes", "has ended")):
        reply = put_object(world, name)
        expect(reply.status == 400 and reason in reply.json()["error"]["message"], f"{name}: {reply}")
    expect(world.invoke("f").status == 404, "none of them is served")
    expect(put_object(world, "events").status == 200, "and one that can be is")


def a_zygote_that_dies_is_started_again(world: World) -> None:
    world.start()
    put_object(world, "events", 'instances = "fresh"\n')
    expect(world.result("f", '"x"') == [1, "x"], "served")
    zygotes = zygotes_of(world)
    for zygote in zygotes:  # And its spares, which have the same parent.
        os.kill(zygote, signal.SIGKILL)
    expect(world.result("f", '"x"') == [1, "x"], "served")
    expect(zygotes and not set(zygotes) & set(zygotes_of(world)), "by another one")


def a_zygote_that_hangs_is_given_up(world: World) -> None:
    world.start()
    fresh = 'instances = "fresh"\nconcurrency = 32\n'
    put_object(world, "events", fresh)
    world.must_put("other", "def handler(event):\n    return event\n", 'instances = "fresh"\n')
    world.result("f", '"x"')
    stopped = zygotes_of(world)
    for zygote in stopped:
        os.kill(zygote, signal.SIGSTOP)
    callers = [threading.Thread(target=world.invoke, args=("f", '"x"')) for _ in range(24)]
    for caller in callers:
        caller.start()
    # More than there are threads for all starts; the others' are none the slower.
    expect(wait_until(lambda: world.now("f")["waiting"] > 0), str(world.now("f")))
    start = time.monotonic()
    expect(world.result("other", "1") == 1 and time.monotonic() - start < 5, f"{time.monotonic() - start} s")
    for caller in callers:
        caller.join()
    start = time.monotonic()
    reply = world.invoke("f", '"x"')
    if reply.status == 503:  # Unless the rest is over already.
        expect(b"has just hung" in reply.body and time.monotonic() - start < 5, str(reply))
    expect(wait_until(lambda: world.invoke("f", '"x"').status == 200, 30), "another one is started after a rest")
    expect(stopped and not set(stopped) & set(zygotes_of(world)), "by another one")


def zygotes_of(world: World) -> list[int]:
    """Native ones; their parents are the first processes of domains, whose parent is the daemon."""
    parents, found = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            name, rest = (path / "stat").read_text().split(" (", 1)[1].rsplit(") ", 1)
        except OSError:
            continue
        parents[int(path.name)] = int(rest.split()[1])
        if name == "sock-zygote" and rest[0] != "Z":
            found.append(int(path.name))
    return [pid for pid in found if parents.get(parents[pid]) == world.daemon.pid]


def the_examples_answer(world: World) -> None:
    world.start()
    files = {path.name: path.read_bytes() for path in (EXAMPLES / "shout").iterdir()}
    expect(world.put("shout", archive(files)).status == 200, "the script")
    expect(world.result("shout", '{"a": "b"}') == {"A": "B"}, "the script")
    objects = world.path / "primes.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", f"-I{PROJECT}/include",
                    str(EXAMPLES / "primes/primes.c"), "-o", str(objects)], check=True)
    files = {"function.toml": (EXAMPLES / "primes/function.toml").read_text(), "primes.so": objects.read_bytes()}
    expect(world.put("primes", archive(files)).status == 200, "the object")
    expect(world.result("primes", "100") == 25 and world.result("primes", "10000000") == 664579, "the object")
    expect("give a number" in error_of(world.invoke("primes", "-1"))["errorMessage"], "and its refusals")


def the_examples_with_packages_answer(world: World) -> None:
    """Debian's own packages, as an example's user gets them; then all that examples/functions/try does."""
    subprocess.run([SOCKCTL, "package", "fetch", "pil", "pandas", "--package-cache", str(world.path / "packages")],
                   check=True, capture_output=True, timeout=300)
    world.start()
    for name in ("hello", "thumbnail", "sales"):
        files = {path.name: path.read_bytes() for path in (EXAMPLES / name).iterdir()}
        reply = world.put(name, archive(files))
        expect(reply.status == 200, f"{name}: {reply}")
    expect(world.result("hello", '{"name": "you"}') == {"text": "Hello, you!"}, "hello")
    small = world.result("thumbnail", (EXAMPLES / "thumbnail/event.json").read_text())
    picture = base64.b64decode(small["image"])
    # The size is the first thing that a PNG says of itself.
    expect(picture.startswith(b"\x89PNG") and struct.unpack(">II", picture[16:24]) == (48, small["height"]), str(small)[:200])
    expect(world.result("sales", (EXAMPLES / "sales/event.json").read_text()) == {"Bergen": 5, "Oslo": 7}, "sales")
    tried = subprocess.run([EXAMPLES / "try"], capture_output=True, text=True, timeout=300, check=False,
                           env={**os.environ, "SOCKCTL": SOCKCTL, "SOCK_PACKAGE_CACHE": str(world.path / "packages")})
    expect(tried.returncode == 0, tried.stderr)
    for name in ("hello", "thumbnail", "sales"):
        expect(len([line for line in tried.stdout.splitlines() if line.startswith(name)]) >= 4, f"{name}: {tried.stdout}")


def a_spare_is_there_after_a_while(world: World) -> None:
    code = "import os\ndef handler(event):\n    return os.getpid()\n"
    world.start()
    world.must_put("f", code, 'instances = "fresh"\n')
    put_object(world, "events", 'instances = "fresh"\n', function="object")
    for name in ("f", "object"):
        expect(wait_until(lambda n=name: world.invoke(n, '"one"').headers["X-Sock-Path"] == "spare"), name)
    expect(world.result("f") == 1 and world.result("object", '"one"') == [1, "one"], "as in any container")


TESTS = [a_spare_is_there_after_a_while, a_program_answers_on_its_output, a_program_that_fails_is_named, a_file_that_is_no_program_is_refused,
         an_object_is_forked, an_object_that_cannot_be_loaded_is_refused, a_zygote_that_dies_is_started_again,
         a_zygote_that_hangs_is_given_up, the_examples_answer,
         *([the_examples_with_packages_answer] if FULL else [])]
