"""Functions that are registered and called, by each of the three APIs."""

import base64
import calendar
import json
import threading
import time

from cases import expect
from world import EXAMPLES, FORKED, HANDLER, SLOW, World, archive, wait_until

COUNTER = ("import os\ncount = 0\n"
           "def handler(event, context):\n"
           "    global count\n    count += 1\n"
           "    return [count, event, os.getpid()]\n")


def example(name: str) -> bytes:
    return archive({path.name: path.read_text() for path in (EXAMPLES / name).iterdir()})


def the_example_answers_by_all_three_apis(world: World) -> None:
    world.start()
    made = world.must_put("hello", example("hello"))
    expect(made["version"] == 1 and made["handler"] == "main:handler" and made["memory"] == 64 << 20, str(made))
    age = time.time() - calendar.timegm(time.strptime(made["updated"], "%Y-%m-%dT%H:%M:%SZ"))
    expect(-2 < age < 600, made["updated"])
    expected = {"text": "Hello, you!"}
    reply = world.invoke("hello", {"name": "you"}, X_Amz_Log_Type="Tail")
    expect(reply.status == 200 and reply.json() == expected, str(reply))
    identity = reply.headers["x-amzn-RequestId"]
    printed = base64.b64decode(reply.headers["X-Amz-Log-Result"]).decode()
    expect(printed == f"greeting you for {identity}\n", printed)
    expect(reply.headers["X-Amz-Executed-Version"] == "1", str(reply.headers))
    for path in ("/run/hello", "/function/hello"):
        reply = world.request("POST", path, '{"name": "you"}')
        expect(reply.status == 200 and reply.json() == expected, f"{path}: {reply}")
    arn = "arn:aws:lambda:eu-west-1:000000000000:function:hello:$LATEST"
    expect(world.result(arn, {"name": "you"}) == expected, "by its ARN")
    expect(world.invoke("hello", "", X_Amz_Invocation_Type="DryRun").status == 204, "a dry run")


def an_instance_is_used_again_and_paused_between(world: World) -> None:
    world.start()
    world.must_put("count", COUNTER)
    first = world.invoke("count", "1")
    expect(first.headers["X-Sock-Path"] in FORKED and first.json() == [1, 1, 1], str(first))
    world.idle("count", 1)
    second = world.invoke("count", '"x"')
    expect(second.headers["X-Sock-Path"] == "paused" and second.json() == [2, "x", 1], str(second))
    third = world.invoke("count", "2")
    expect(third.headers["X-Sock-Path"] == "warm", f"whoever calls at once again finds it running: {third.headers}")
    stages = [part.split(";")[0] for part in second.headers["Server-Timing"].split(", ")]
    expect(stages == ["queue", "resume", "call"], str(stages))
    started = [part.split(";")[0] for part in first.headers["Server-Timing"].split(", ")]
    expect(started[0] == "queue" and started[-2:] == ["start", "call"] and "fork" in started, str(started))


def paused_instances_keep_what_they_have(world: World) -> None:
    """Eight instances of 256 MiB each, where 600 are for all: paused, they are promised little more than they use."""
    world.start("--memory", "600m")

    def promised() -> int:
        return world.request("GET", "/status").json()["memory"]["promised"] >> 20

    names = [f"f{number}" for number in range(8)]
    for name in names:
        world.must_put(name, "def handler(event):\n    return len(b'x' * event)\n", 'memory = "256m"\n')
        expect(world.result(name, "1") == 1, name)  # For the third one on others must give memory back.
    expect([world.now(name)["instances"] for name in names] == [1] * 8, "none ended for another")
    expect(wait_until(lambda: 0 < promised() < 200), f"{promised()} MiB")
    for name in names:
        reply = world.invoke(name, "100000000")
        expect(reply.json() == 100_000_000 and reply.headers["X-Sock-Path"] == "paused", f"with all of its memory: {reply}")
        expect(wait_until(lambda: 0 < promised() < 200), f"what it has freed is not promised to it: {promised()} MiB")


def a_fresh_function_never_sees_a_call_before(world: World) -> None:
    world.start()
    world.must_put("count", COUNTER, 'instances = "fresh"\n')
    for number in range(3):
        expect(world.result("count", number)[:2] == [1, number], "each call has an instance of its own")


def a_wsgi_application_answers(world: World) -> None:
    world.start()
    world.must_put("web", "def handler(environ, start):\n"
                          "    start('200 OK', [])\n    return [environ['PATH_INFO'].encode()]\n", "wsgi = true\n")
    answer = world.result("web", {"method": "GET", "path": "/there"})
    expect(answer["status"] == 200 and base64.b64decode(answer["body"]) == b"/there", str(answer))


def a_context_tells_the_call(world: World) -> None:
    world.start()
    world.must_put("context", "def handler(event, context):\n"
                              "    return [context.function_name, context.aws_request_id,"
                              " context.get_remaining_time_in_millis()]\n", 'timeout = "10s"\n')
    for _ in range(2):
        reply = world.invoke("context")
        name, identity, remaining = reply.json()
        expect(name == "context" and identity == reply.headers["x-amzn-RequestId"], str(reply))
        expect(5_000 < remaining <= 10_000, str(remaining))


def events_are_json_of_any_shape(world: World) -> None:
    world.start()
    world.must_put("same", "def handler(event):\n    return event\n")
    for event in ('{"a": [1, 2.5, null, true, "\\u00e9\\n"]}', "[]", '"text"', "  7\n", '{\n "a":\r\n 1\n}'):
        expect(world.result("same", event) == json.loads(event), event)
    expect(world.result("same", "") == {}, "no event is an empty one")
    large = {"text": "x" * (5 << 20)}
    expect(world.result("same", large) == large, "five megabytes")
    expect(world.request("POST", "/run/same", "just text").json() == "just text", "a text that is no JSON")
    refused = world.invoke("same", "{'no': 'JSON'}")
    expect(refused.status == 400, str(refused))
    expect(refused.headers["X-Amzn-ErrorType"] == "InvalidRequestContentException", str(refused.headers))
    # What looks like the envelope's own fields stays in the event.
    sly = '{"id": "mine", "function": "other", "event": {"event": 1}}'
    expect(world.result("same", sly) == json.loads(sly), sly)


def calls_at_once_have_instances_of_their_own(world: World) -> None:
    world.start()
    world.must_put("slow", SLOW, "concurrency = 3\n")
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(world.invoke("slow", "0.2"))) for _ in range(9)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(all(reply.status == 200 and reply.body == b"0.2" for reply in replies), str(replies))
    expect(time.monotonic() - start >= 0.6, "nine calls of 0.2 seconds, three at once")
    expect(world.now("slow")["instances"] == 3, str(world.now("slow")))


def a_function_changes_while_it_is_called(world: World) -> None:
    world.start()
    code = "def handler(event):\n    return {}\n"
    world.must_put("f", code.format(1))
    stop = threading.Event()
    seen: list[int] = []
    wrong: list[str] = []

    def keep_calling() -> None:
        while not stop.is_set():
            reply = world.invoke("f")
            if reply.status == 200 and reply.body.isdigit():
                seen.append(int(reply.body))
            else:
                wrong.append(repr(reply))

    threads = [threading.Thread(target=keep_calling) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in range(2, 6):
        expect(world.must_put("f", code.format(version))["version"] == version, "versions are counted")
        expect(world.result("f") == version, "the new one answers at once")
    stop.set()
    for thread in threads:
        thread.join()
    expect(not wrong, str(wrong[:3]))
    expect(set(seen) <= {1, 2, 3, 4, 5} and len(seen) > 5, str(sorted(set(seen))))
    versions = [path.name for path in (world.state / "functions/f").iterdir()]
    expect(len(versions) <= 3, f"old versions go: {versions}")


def a_name_is_created_once(world: World) -> None:
    world.start()
    body = archive({"function.toml": HANDLER, "main.py": "def handler(event):\n    return 1\n"})

    def create(condition: str) -> int:
        return world.request("PUT", "/api/functions/f", body, {condition: "*"}, control=True).status

    expect(create("If-Match") == 404, "there is none to be changed")
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(create("If-None-Match"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect(sorted(statuses) == [200, 412, 412, 412], str(statuses))
    expect(create("If-Match") == 200, "now there is")


def what_functions_print_is_logged(world: World) -> None:
    world.start()
    world.must_put("f", "import sys\n"
                        "def handler(event):\n"
                        "    print('out', event)\n    print('\\x1b[31merr', file=sys.stderr)\n"
                        "    if event == 'loud':\n        print('x' * 1_000_000)\n"
                        "    return event\n")
    world.result("f", '"quiet"')
    world.result("f", '"loud"')
    quiet, loud = world.logs("f")
    expect(sorted(quiet["printed"].splitlines()) == ["\x1b[31merr", "out quiet"], str(quiet))
    expect(quiet["outcome"] == "result" and quiet["path"] in FORKED and quiet["ms"] > 0, str(quiet))
    expect("call" in quiet["stages_ms"] and quiet["version"] == 1, str(quiet))
    expect(len(loud["printed"]) == 64 << 10 and loud["dropped_bytes"] > 900_000, str(len(loud["printed"])))


TESTS = [the_example_answers_by_all_three_apis, an_instance_is_used_again_and_paused_between, paused_instances_keep_what_they_have,
         a_fresh_function_never_sees_a_call_before, a_wsgi_application_answers, a_context_tells_the_call,
         events_are_json_of_any_shape, calls_at_once_have_instances_of_their_own,
         a_function_changes_while_it_is_called, a_name_is_created_once, what_functions_print_is_logged]
