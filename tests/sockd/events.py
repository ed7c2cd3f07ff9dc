"""Events that nobody waits for: accepted, kept, delivered at least once, or buried."""

import http.client
import json
import os
import shutil
import signal
import threading
from collections import Counter

from cases import expect
from world import SLOW, Reply, World, small_disk, wait_until

FULL = os.environ.get("SOCK_TEST_FULL") == "1"
ECHO = "def handler(event, context):\n    print(event)\n    return event\n"
FAILING = "def handler(event):\n    raise ValueError('not today')\n"
SOON = 'retries = 1\nretry_delay = "20ms"\n'


def send(world: World, name: str, event="1") -> Reply:
    return world.invoke(name, event, X_Amz_Invocation_Type="Event")


def must_send(world: World, name: str, event="1") -> str:
    reply = send(world, name, event)
    expect(reply.status == 202 and reply.body == b"", str(reply))
    return reply.headers["x-amzn-RequestId"]


def outcomes(world: World, name: str, identity: str) -> list[str]:
    return [line["outcome"] for line in world.logs(name) if line["request_id"] == identity]


def dead_letters(world: World, name: str, method: str = "GET"):
    reply = world.request(method, f"/api/functions/{name}/dead-letters", control=True)
    expect(reply.status == 200, str(reply))
    return reply.json()


def an_event_is_delivered_and_logged(world: World) -> None:
    world.start()
    world.must_put("f", ECHO)
    identity = must_send(world, "f", {"a": [1]})
    expect(wait_until(lambda: outcomes(world, "f", identity) == ["result"]), str(world.logs("f")))
    line = world.logs("f")[0]
    expect(line["source"] == "http" and line["printed"] == "{'a': [1]}\n", str(line))
    reply = world.request("POST", "/async-function/f", "some text")
    expect(reply.status == 202, str(reply))
    expect(wait_until(lambda: outcomes(world, "f", reply.headers["X-Call-Id"]) == ["result"]), "as OpenFaaS")
    expect(world.logs("f")[1]["printed"] == "some text\n", "what is no JSON is a text")
    expect(wait_until(lambda: 'sockd_events_total{fate="delivered",function="f"} 2'
                      in world.request("GET", "/metrics").body.decode()), "counted")
    expect(world.now("f")["events_waiting"] == 0 and world.now("f")["events_under_way"] == 0, str(world.now("f")))


def what_cannot_be_accepted_is_refused(world: World) -> None:
    world.start()
    world.must_put("f", ECHO)
    expect(send(world, "none").status == 404, "an unknown function")
    reply = send(world, "f", "{")
    expect(reply.status == 400 and reply.headers["X-Amzn-ErrorType"] == "InvalidRequestContentException", str(reply))
    large = '"' + "x" * (256 << 10) + '"'
    expect(send(world, "f", large).status == 413, "too large for an event")
    expect(world.invoke("f", large).status == 200, "but not for a call")
    expect(world.request("POST", "/async-function/f", large).status == 413, "as OpenFaaS")
    expect(world.request("POST", "/async-function/none", "1").status == 404, "as OpenFaaS")
    expect(world.request("GET", "/async-function/f").status == 405, "as OpenFaaS")
    expect(world.request("GET", "/api/functions/f/dead-letters").status == 403, "not for strangers")
    world.stop()
    (world.path / "few.toml").write_text("events = 2\n")
    world.start("--config", str(world.path / "few.toml"))
    world.must_put("slow", SLOW, "concurrency = 1\n")
    replies = [send(world, "slow", "1") for _ in range(4)]
    expect([reply.status for reply in replies] == [202, 202, 429, 429], str(replies))
    expect(replies[3].headers["Retry-After"] == "1", str(replies[3].headers))


def a_failing_function_is_called_again_and_its_events_kept(world: World) -> None:
    world.start()
    world.must_put("f", FAILING, SOON)
    identity = must_send(world, "f", "[1]")
    expect(wait_until(lambda: dead_letters(world, "f")), str(world.logs("f")))
    expect(outcomes(world, "f", identity) == ["raised", "raised"], str(world.logs("f")))
    letter = dead_letters(world, "f")[0]
    expect(letter["request_id"] == identity and letter["attempts"] == 2 and letter["outcome"] == "raised"
           and "not today" in letter["error"], str(letter))
    world.stop()
    world.start()
    expect(len(dead_letters(world, "f")) == 1, "they are kept")
    world.must_put("f", ECHO)
    expect(dead_letters(world, "f", "POST") == {"revived": 1}, "delivered after all")
    expect(wait_until(lambda: outcomes(world, "f", identity)[-1] == "result"), str(world.logs("f")))
    expect(dead_letters(world, "f") == [], "and not kept any more")
    world.must_put("f", FAILING, 'retries = 0\n')
    must_send(world, "f")
    expect(wait_until(lambda: dead_letters(world, "f")), "none is tried again")
    dead_letters(world, "f", "DELETE")
    expect(dead_letters(world, "f") == [], "thrown away")


def events_of_a_removed_function_are_kept(world: World) -> None:
    world.start()
    world.must_put("f", FAILING, 'retries = 1\nretry_delay = "1h"\n')
    must_send(world, "f")
    expect(wait_until(lambda: outcomes_of_all(world, "f") == ["raised"]), "once")
    expect(wait_until(lambda: world.now("f")["events_waiting"] == 1), "it waits for an hour")
    expect(world.request("DELETE", "/api/functions/f", control=True).status == 200, "removed")
    expect(dead_letters(world, "f")[0]["outcome"] == "unknown_function", str(dead_letters(world, "f")))


def events_of_a_removal_that_a_kill_has_cut_short_are_kept(world: World) -> None:
    world.start()
    world.must_put("f", FAILING, 'retries = 1\nretry_delay = "1h"\n')
    for number in range(4):
        must_send(world, "f", str(number))
    expect(wait_until(lambda: world.now("f")["events_waiting"] == 4), "they wait for an hour")
    world.stop(signal.SIGKILL)
    shutil.rmtree(world.state / "functions/f")
    world.start()
    expect(wait_until(lambda: len(dead_letters(world, "f")) == 4), str(dead_letters(world, "f")))
    expect({letter["outcome"] for letter in dead_letters(world, "f")} == {"unknown_function"}, str(dead_letters(world, "f")))
    world.must_put("f", ECHO)
    expect(dead_letters(world, "f", "POST") == {"revived": 4}, "delivered after all")
    expect(wait_until(lambda: outcomes_of_all(world, "f").count("result") == 4), str(world.logs("f")))


def outcomes_of_all(world: World, name: str) -> list[str]:
    return [line["outcome"] for line in world.logs(name)]


def events_wait_for_calls_that_run(world: World) -> None:
    world.start()
    world.must_put("f", SLOW, "concurrency = 1\n")
    caller = threading.Thread(target=lambda: world.invoke("f", "1"))
    caller.start()
    expect(wait_until(lambda: world.now("f")["instances"] == 1), "a call is at work")
    ids = [must_send(world, "f", "0") for _ in range(5)]
    caller.join()
    expect(wait_until(lambda: all(outcomes(world, "f", each) == ["result"] for each in ids)), str(world.logs("f")))


def many_events_of_one_function_keep_no_other_waiting(world: World) -> None:
    world.start()
    world.must_put("slow", SLOW)
    world.must_put("f", ECHO)
    for _ in range(40):
        must_send(world, "slow", "1")
    identity = must_send(world, "f")
    expect(wait_until(lambda: outcomes(world, "f", identity) == ["result"]), str(world.logs("f")))
    expect(world.now("slow")["events_waiting"] > 0, "before all of the others")


def events_under_way_end_with_the_daemon_or_run_again(world: World) -> None:
    world.start()
    world.must_put("f", SLOW)
    ids = [must_send(world, "f", "0.2") for _ in range(20)]
    expect(wait_until(lambda: world.now("f")["events_under_way"] > 0), "some run")
    expect(world.stop() == 0, world.log())
    world.start()
    expect(wait_until(lambda: all(outcomes(world, "f", each) for each in ids)), str(world.logs("f")))
    expect(wait_until(lambda: world.now("f")["events_waiting"] == 0 == world.now("f")["events_under_way"]), "none is left")
    expect(all(outcomes(world, "f", each) == ["result"] for each in ids), "none was delivered twice")


def no_accepted_event_is_lost_by_a_kill(world: World) -> None:
    world.start()
    world.must_put("f", SLOW, 'timeout = "60s"\n')
    for _ in range(20 if FULL else 2):
        account_for_a_kill(world)


def account_for_a_kill(world: World) -> None:
    """Four clients send as fast as they can; the daemon is killed after the 60th answer."""
    accepted: list[str] = []
    enough = threading.Event()

    def keep_sending() -> None:
        while True:
            try:
                accepted.append(must_send(world, "f", "0.02"))
            except (OSError, http.client.HTTPException):
                return
            if len(accepted) >= 60:
                enough.set()

    senders = [threading.Thread(target=keep_sending) for _ in range(4)]
    for sender in senders:
        sender.start()
    expect(enough.wait(60), f"only {len(accepted)} were accepted")
    world.stop(signal.SIGKILL)
    for sender in senders:
        sender.join()
    world.start()

    def delivered() -> Counter:
        reply = world.request("GET", "/api/functions/f/logs?lines=10000", control=True)
        lines = [json.loads(line) for line in reply.body.decode().splitlines()]
        return Counter(line["request_id"] for line in lines if line["outcome"] == "result")

    expect(wait_until(lambda: all(delivered()[each] for each in accepted), 60),
           f"lost: {[each for each in accepted if not delivered()[each]]}")
    expect(sum(count - 1 for count in delivered().values()) <= 8 * 20, "only what was under way is delivered twice")


def a_full_disk_refuses_events_and_nothing_else(world: World) -> None:
    with small_disk(world):
        world.start()
        world.must_put("f", ECHO)
        identity = must_send(world, "f")
        expect(wait_until(lambda: outcomes(world, "f", identity) == ["result"]), str(world.logs("f")))
        with open(world.state / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass
        replies = [send(world, "f", '"' + "x" * 100_000 + '"') for _ in range(3)]
        expect(all(reply.status == 429 and "Retry-After" in reply.headers for reply in replies), str(replies))
        expect(world.result("f", "5") == 5, "calls are answered")
        (world.state / "filler").unlink()
        identity = must_send(world, "f", '"' + "x" * 100_000 + '"')
        expect(wait_until(lambda: outcomes(world, "f", identity) == ["result"]), "and it goes on")


TESTS = [an_event_is_delivered_and_logged, what_cannot_be_accepted_is_refused,
         a_failing_function_is_called_again_and_its_events_kept, events_of_a_removed_function_are_kept, events_of_a_removal_that_a_kill_has_cut_short_are_kept,
         events_wait_for_calls_that_run, many_events_of_one_function_keep_no_other_waiting,
         events_under_way_end_with_the_daemon_or_run_again, no_accepted_event_is_lost_by_a_kill,
         a_full_disk_refuses_events_and_nothing_else]
