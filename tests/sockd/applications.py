"""Functions of one application: calls over the bus, objects, counters."""

import json
import signal

from cases import expect
from failures import error_of
from world import SLOW, World, descriptors, wait_until

SHOP = 'application = "shop"\nmemory = "48m"\n'
# Does what its event says: [FUNCTION OF sock, ARGUMENTS...]; an error of the bus is a result.
FRONT = """
import sock
def handler(event):
    try:
        return getattr(sock, event[0])(*event[1:])
    except sock.FunctionError as error:
        return ["raised", error.type, str(error), error.trace[-1:]]
    except sock.Error as error:
        return ["refused", error.type]
"""


def functions_call_one_another(world: World) -> None:
    world.start()
    world.must_put("front", FRONT, SHOP)
    world.must_put("double", "def handler(event):\n    return event * 2\n", SHOP)
    world.must_put("failing", "def handler(event):\n    raise KeyError('none')\n", SHOP)
    world.must_put("late", SLOW, SHOP + 'timeout = "200ms"\n')
    world.must_put("stranger", "def handler(event):\n    return 1\n", 'application = "other"\n')
    world.must_put("nobody", FRONT)
    expect(world.result("front", ["invoke", "double", 21]) == 42, "a result")
    large = "x" * 1_000_000
    expect(world.result("front", ["invoke", "double", large]) == large * 2, "through memory")
    raised = world.result("front", ["invoke", "failing", None])
    expect(raised[:3] == ["raised", "KeyError", "'none'"] and "KeyError" in raised[3][0], str(raised))
    expect(world.result("front", ["invoke", "late", 9]) == ["refused", "timed_out"], "one that hangs")
    for name in ("none", "stranger", "../x"):
        expect(world.result("front", ["invoke", name]) == ["refused", "not_found"], f"{name} is not there for it")
    expect(world.result("nobody", ["invoke", "nobody"]) == ["refused", "unsupported"], "without an application")
    identity = world.result("front", ["invoke", "double", 4, False])
    expect(wait_until(lambda: any(line["request_id"] == identity and line["outcome"] == "result"
                                  for line in world.logs("double"))), str(world.logs("double")))
    expect({line["source"] for line in world.logs("double")} == {"application"}, str(world.logs("double")))


def calls_within_calls_have_an_end(world: World) -> None:
    world.start()
    world.must_put("deep", "import sock\ndef handler(event):\n    return sock.invoke('deep', event + 1)\n",
                   SHOP + 'timeout = "30s"\n')
    reply = error_of(world.invoke("deep", "0"))
    expect(reply["errorType"] == "FunctionError" or reply["errorType"] == "Error", str(reply))
    expect("nested too deeply" in reply["errorMessage"], str(reply))
    expect(len(world.logs("deep")) == 16, str(len(world.logs("deep"))))


def objects_are_written_once_and_shared(world: World) -> None:
    world.start()
    code = """
import os, sock
def handler(event):
    if event[0] == "put":
        return sock.put(event[1], event[2].encode(), event[3])
    if event[0] == "remove":
        return sock.remove(event[1])
    with sock.get(event[1]) as view:
        return [view.readonly, len(view), bytes(view[:10]).decode()]
"""
    world.must_put("a", code, SHOP)
    world.must_put("b", code, SHOP)
    world.must_put("other", code, 'application = "other"\n')
    text = "0123456789" * 100_000
    expect(world.result("a", ["put", "text", text, 60]) is None, "put")
    expect(world.result("b", ["get", "text"]) == [True, 1_000_000, "0123456789"], "by another function")
    expect("written once" in error_of(world.invoke("b", json.dumps(["put", "text", "x", 60])))["errorMessage"], "once")
    expect("no such object" in error_of(world.invoke("other", '["get", "text"]'))["errorMessage"], "not for strangers")
    expect(world.result("a", ["put", "empty", "", 60]) is None and world.result("a", ["get", "empty"])[1] == 0, "an empty one")
    expect(world.result("b", ["remove", "text"]) is True and world.result("b", ["remove", "text"]) is False, "removed")
    expect(world.result("a", ["put", "text", "short", 0.05]) is None, "with a short life")
    expect(wait_until(lambda: "no such object" in world.invoke("b", '["get", "text"]').body.decode()), "it ends")
    world.stop()
    (world.path / "small.toml").write_text('object_memory = "1m"\nobjects = 3\n')
    world.start("--config", str(world.path / "small.toml"))
    expect("quota" in error_of(world.invoke("a", json.dumps(["put", "x", "x" * 1_100_000, 60])))["errorMessage"], "too much")
    for name in ("1", "2", "3"):
        expect(world.result("a", ["put", name, name, 60]) is None, name)
    expect("quota" in error_of(world.invoke("a", '["put", "4", "", 60]'))["errorMessage"], "too many")
    expect(world.result("other", ["put", "1", "1", 60]) is None, "others have their own")


# Results and objects that it does not let go: the files, not what they hold.
KEEPING = """
import os, sock
kept = []
close = os.close
def keep(file):
    kept.append(os.dup(file))
    close(file)
def handler(event):
    os.close = keep
    try:
        if event[0] == "get":
            sock.put(event[1], b"x" * 300_000)
            sock.get(event[1]).release()
            return sock.remove(event[1])
        if event[0] == "drop":
            while kept: close(kept.pop())
            return None
        return len(sock.invoke("long"))
    except sock.Error as error:
        return error.type
    finally:
        os.close = close
"""


def what_is_kept_counts(world: World) -> None:
    (world.path / "small.toml").write_text('object_memory = "1m"\n')
    world.start("--config", str(world.path / "small.toml"))
    world.must_put("keeper", KEEPING, SHOP + "concurrency = 1\n")
    world.must_put("long", "def handler(event):\n    return 'x' * 5_000_000\n", SHOP)
    for words, before in ((["get", "a"], True), (["invoke"], 5_000_000)):
        answers = [world.result("keeper", words) for _ in range(4)]
        expect(answers == [before] * 3 + ["exhausted"], f"{words}: {answers}")
        world.result("keeper", ["drop"])
        expect(world.result("keeper", words) == before, f"{words}: nobody has them any more")
        world.result("keeper", ["drop"])


def counters_gather_what_was_spread(world: World) -> None:
    world.start()
    world.must_put("last", "import sock\ndef handler(event):\n    return sock.add('done')\n", SHOP)
    world.must_put("first", "import sock\ndef handler(event):\n"
                   "    return [sock.invoke('last') for _ in range(event)]\n", SHOP)
    expect(world.result("first", "5") == [1, 2, 3, 4, 5], "each adds one")
    world.must_put("front", FRONT, SHOP)
    expect(world.result("front", ["add", "done", 10]) == 15, "by ten")
    expect(world.result("front", ["add", "done", -20]) == -5, "below nothing")
    expect(world.result("front", ["add", "", 1]) == ["refused", "invalid_spec"], "a name")


def what_is_no_request_ends_the_connection_alone(world: World) -> None:
    world.start()
    code = """
import array, os, socket
def send(bus, text, files=()):
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    bus.sendmsg([text], control)
    return bus.recv(70000).decode()
def handler(event):
    number = 3 + os.environ["SOCK_FDS"].split(":").index("bus")
    bus = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, number)
    said = [send(bus, text) for text in (b"{", b"[]", b"{}", b'{"call": "fly"}', b'{"call": 5}', b"\\xff",
                                         b'{"call": "put", "name": "x"}', b'{"call": "get", "name": 5}',
                                         b'{"call": "add", "name": "x", "by": 1.5}',
                                         b'{"call": "invoke", "name": "front", "event": "{"}')]
    plain = os.memfd_create("plain")
    os.write(plain, b"x")
    said.append(send(bus, b'{"call": "put", "name": "x"}', [plain]))
    said.append(send(bus, b'{"call": "put", "name": "x"}', [0]))
    said.append(send(bus, b'{"call": "invoke", "name": "front"}', [plain]))
    assert all('"error"' in text for text in said), said
    end = send(bus, b"{}", [0, 1, 2]) if event == "files" else send(bus, b"x" * 70000)
    bus.detach()
    return end
"""
    world.must_put("hostile", code, SHOP + 'instances = "fresh"\n')
    world.must_put("front", FRONT, SHOP)
    expect(world.result("front", ["add", "n"]) == 1, "the bus serves")
    world.result("hostile", '"files"')
    expect(wait_until(lambda: world.now("hostile")["instances"] == 0), "it has ended")
    before = descriptors(world.daemon.pid)
    for event in ("files", "size") * 5:
        expect(world.result("hostile", json.dumps(event)) == "", "its connection ends")
    expect(wait_until(lambda: descriptors(world.daemon.pid) <= before), "no descriptor is left")
    expect(world.result("front", ["add", "n"]) == 2, "others are served on")


def what_is_sent_without_waiting_outlives_a_kill(world: World) -> None:
    world.start()
    world.must_put("front", FRONT, SHOP)
    world.must_put("late", SLOW, SHOP)
    ids = [world.result("front", ["invoke", "late", 0.2, False]) for _ in range(20)]
    expect(len(set(ids)) == 20 and all(isinstance(each, str) for each in ids), str(ids))

    def answered() -> set[str]:
        return {line["request_id"] for line in world.logs("late") if line["outcome"] == "result"}

    expect(len(answered()) < 20, "all were answered before the kill")
    world.stop(signal.SIGKILL)
    world.start()
    expect(wait_until(lambda: answered() == set(ids)), f"{len(answered())} of 20")


TESTS = [what_is_sent_without_waiting_outlives_a_kill, functions_call_one_another, calls_within_calls_have_an_end, objects_are_written_once_and_shared, what_is_kept_counts,
         counters_gather_what_was_spread, what_is_no_request_ends_the_connection_alone]
