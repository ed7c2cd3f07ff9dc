"""Functions of one application that share sandboxes: each event in a process of its own."""

import json
import os
import signal
import threading

from cases import expect
from failures import error_of
from world import FUNCTIONS, SLOW, World, wait_until

SHARED = 'application = "shop"\nsandbox = "application"\n'
SELF = """import os, sys
seen = []
def handler(event):
    seen.append(1)
    with open('/tmp/calls', 'a') as calls:
        calls.write(os.environ['NAME'])
    return {'pid': os.getpid(), 'parent': os.getppid(), 'cwd': os.getcwd(), 'seen': len(seen), 'calls': open('/tmp/calls').read(),
            'functions': sorted(os.listdir('/functions')), 'name': os.environ['NAME'], 'file': __file__,
            'processes': sorted(int(name) for name in os.listdir('/proc') if name.isdigit())}
"""


def put(world: World, name: str, code: str, spec: str = SHARED, more: dict | None = None):
    reply = world.put(name, code, spec, more)
    expect(reply.status == 200, f"{name}: {reply}")
    return reply.json()


def named(name: str) -> str:
    return f'{SHARED}[env]\nNAME = "{name}"\n'


def one_sandbox_serves_them_all(world: World) -> None:
    world.start()
    for name in ("a", "b"):
        expect(put(world, name, SELF, named(name))["sandbox"] == "application", "it does not say so")
    put(world, "apart", SELF, 'application = "shop"\n[env]\nNAME = "apart"\n')
    put(world, "other", SELF, 'application = "other"\nsandbox = "application"\n[env]\nNAME = "other"\n')
    first = world.invoke("a")
    expect(first.headers["X-Sock-Path"] in ("zygote", "spare"), str(first))
    calls = ["a"]
    for name in ("b", "a", "b"):
        calls.append(name)
        reply = world.invoke(name)
        expect(reply.headers["X-Sock-Path"] in ("warm", "paused"), str(reply))
        found = reply.json()
        expect((found["parent"], found["seen"], found["name"], found["calls"]) == (1, 1, name, "".join(calls)), f"{found}")
        expect(found["functions"] == ["a", "b"] and found["cwd"] == f"/functions/{name}" and found["file"] == f"/functions/{name}/main.py", f"{found}")
        expect(found["processes"] == [1, found["pid"]], f"{found}")
    expect(world.now("a")["instances"] == 1 and world.now("b")["instances"] == 1, "they are not in one")
    expect(world.result("other")["functions"] == ["other"], "another application's are seen")
    reply = world.request("POST", "/2015-03-31/functions/%3Ashop/invocations", b"1")
    expect(reply.status == 404, f"a sandbox is called by its name: {reply}")


def nothing_of_an_event_is_left(world: World) -> None:
    world.start()
    # Room for as many processes as an instance may have, or the bomb would end for want of memory.
    put(world, "f", (FUNCTIONS / "leaving.py").read_text(), f'memory = "1g"\n{SHARED}')
    for event in ("leave", "bomb", "leave"):
        expect(world.result("f", json.dumps(event)) == "done", event)
        reply = world.invoke("f", json.dumps("look"))
        expect(reply.json() == [] and reply.headers["X-Sock-Path"] in ("warm", "paused"), f"after {event}: {reply}")


def events_that_fail_are_told(world: World) -> None:
    world.start()
    put(world, "f", (FUNCTIONS / "failing.py").read_text(), f'memory = "64m"\ntimeout = "500ms"\n{SHARED}')
    put(world, "broken", "import nothing_of_it\n")
    for name, event, kind in (("f", "raise", "ValueError"), ("f", "exit", "SystemExit"), ("broken", "x", "ModuleNotFoundError"),
                              ("f", "leave", "Runtime.ExitError"), ("f", "crash", "Runtime.ExitError"),
                              ("f", "memory", "Runtime.OutOfMemory"), ("f", "hang", "Sandbox.Timedout"), ("f", "close", "Sandbox.Timedout")):
        error = error_of(world.invoke(name, json.dumps(event)))
        expect(error["errorType"] == kind, f"{event}: {error}")
        expect("leave" != event or "exit status 3" in error["errorMessage"], f"{error}")
        expect(world.result("f", '"go on"') == "fine", f"after {event}")
    expect(world.result("f", '"parent"') == "fine", "the first process was killed by another")


def nothing_of_an_event_is_seen_by_the_next(world: World) -> None:
    """Its environment, itself and its answer: not in the frames nor anywhere in the memory of a later one's process."""
    world.start()
    prying = (FUNCTIONS / "prying.py").read_text()
    put(world, "a", prying, f'{SHARED}[env]\nSECRET = "the-secret"\n')
    put(world, "b", prying)
    found = world.result("a", '"the-event"')
    expect(found == {"secret": "the-secret", "event": "the-event"}, f"{found}")
    reply = world.invoke("b", '"pry"')
    expect(reply.headers["X-Sock-Path"] in ("warm", "paused"), f"{reply}")
    expect(reply.json() == 0, f"found of the event before: {reply.json()} times")


DRAWING = """import numpy, random
def handler(event): return [numpy.random.bytes(16).hex(), random.getrandbits(64)]
"""


def events_draw_different_numbers(world: World) -> None:
    world.add_installed("numpy")
    world.start()
    put(world, "f", DRAWING, f'packages = ["numpy"]\n{SHARED}')
    kept = {"warm", "paused"}
    expect(wait_until(lambda: world.invoke("f", "1").headers["X-Sock-Path"] in kept), "no sandbox is kept")
    drawn = []
    for _ in range(3):
        reply = world.invoke("f", "1")
        expect(reply.headers["X-Sock-Path"] in kept, f"{reply}")
        drawn.extend(reply.json())
    expect(len(set(drawn)) == len(drawn), f"the same numbers again: {drawn}")


CALLING = "import sock\ndef handler(event): return sock.invoke('add', event) if event > 0 else 0\n"
ADDING = "import sock\ndef handler(event): return 1 + sock.invoke('call', event - 1)\n"
FORSAKING = """import sock, threading, time
def handler(event):
    if event == 'value': return sock.add('n')
    threading.Thread(target=sock.invoke, args=('slow', 0.2), daemon=True).start()
    while not sock._lock.locked(): pass
    return 'left'
"""


def they_call_one_another(world: World) -> None:
    world.start()
    put(world, "call", CALLING)
    put(world, "add", ADDING)
    expect(world.result("call", "3") == 3, "three levels deep")
    put(world, "slow", SLOW)
    put(world, "forsake", FORSAKING)
    for number in (1, 2):
        expect(world.result("forsake", '"now"') == "left", "a request is under way")
        expect(world.result("forsake", '"value"') == number, "the answer to another's request")


def the_bus_begins_anew_with_each_event(world: World) -> None:
    world.start()
    put(world, "f", (FUNCTIONS / "careless.py").read_text())
    put(world, "slow", SLOW)
    count = 0
    for event, answer in (("timeout", 1), ("child", None), ("alarm", "closed"), ("unread", None), ("many", None),
                          ("large", None), ("shut", None), ("nonblocking", None)):
        found = world.result("f", json.dumps(event))
        expect(found == answer, f"{event}: {found}")
        count += event == "timeout"
        for _ in range(2):
            count += 1
            found = world.result("f", '"value"')
            expect(found == count, f"after {event}: {found}, not {count}")


def an_instance_with_a_spoilt_bus_is_not_called_again(world: World) -> None:
    world.start()
    put(world, "f", (FUNCTIONS / "careless.py").read_text(), 'application = "shop"\n')
    put(world, "slow", SLOW, 'application = "shop"\n')
    for count, (event, answer) in enumerate((("alarm", "closed"), ("unread", None), ("shut", None)), 1):
        expect(world.result("f", json.dumps(event)) == answer, event)
        found = world.result("f", '"value"')
        expect(found == count, f"after {event}: {found}, not {count}")


def one_that_dies_is_noticed_whatever_it_has_started(world: World) -> None:
    world.start()
    put(world, "f", (FUNCTIONS / "dying.py").read_text())
    put(world, "g", "import sock\ndef handler(event): return sock.name\n", more={"sock.py": "name = 'its own'\n"})
    error = error_of(world.invoke("f", '"die"'))
    expect(error["errorType"] == "Runtime.ExitError" and "exit status 4" in error["errorMessage"], f"{error}")
    expect(world.result("f", '"fine"') == "fine", "and replaced")
    for _ in range(2):
        expect(world.result("g") == "its own", "a module that has the name of ours")


def versions_change_while_they_run(world: World) -> None:
    world.start()
    code = (FUNCTIONS / "versioned.py").read_text()
    put(world, "f", f"{code}VERSION = 1\n", more={"beside.py": "value = 'old'\n"})
    put(world, "g", SELF, named("g"))
    answers: list = []
    calling = threading.Thread(target=lambda: answers.append(world.result("f", "1")))
    calling.start()
    expect(wait_until(lambda: world.now("f")["instances"] == 1 and world.now("f")["idle"] == 0), "it does not run")
    put(world, "f", f"{code}VERSION = 2\n", more={"beside.py": "value = 'new'\n"})
    put(world, "g", SELF, named("g"))
    expect(world.result("f", "0") == [2, "new"], "the new one")
    calling.join()
    expect(answers == [[1, "old"]], f"what ran meanwhile: {answers}")
    versions = world.state / "functions"
    expect(wait_until(lambda: all(len([v for v in (versions / name).iterdir() if v.is_dir()]) == 1 for name in ("f", "g"))), "old code is left")
    expect(world.request("DELETE", "/api/functions/f", control=True).status == 200, "removing one")
    expect(world.result("g")["functions"] == ["g"], "what was removed is seen")
    world.stop(signal.SIGKILL)
    world.start()
    expect(world.result("g")["functions"] == ["g"], "after a restart")


def packages_come_from_zygotes(world: World) -> None:
    world.add_package("left", "value = 'left'\n")
    world.add_package("right", "value = 'right'\n")
    world.start()
    for name in ("left", "right"):
        put(world, name, f"import importlib, {name}\ndef handler(event):\n    try: importlib.import_module(event)\n    except ModuleNotFoundError: return {name}.value\n",
            f'packages = ["{name}"]\n{SHARED}')
    for name in ("left", "right", "left"):
        found = world.invoke(name, '"nothing"')
        expect(found.status == 200 and found.json() == name, str(found))


TESTS = [one_sandbox_serves_them_all, nothing_of_an_event_is_left, nothing_of_an_event_is_seen_by_the_next,
         events_draw_different_numbers, events_that_fail_are_told, they_call_one_another, the_bus_begins_anew_with_each_event, an_instance_with_a_spoilt_bus_is_not_called_again,
         one_that_dies_is_noticed_whatever_it_has_started, versions_change_while_they_run, packages_come_from_zygotes]
