"""Objects and counters of an application that several daemons share by a Redis."""

import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cases import SOCKCTL, expect
from redis_server import Liar, Redis
from world import SOCKD, World, wait_until

SHOP = 'application = "shop"\nmemory = "48m"\ntimeout = "60s"\n'
# Does what its event says: [VERB, ARGUMENTS...]; an error of the bus is a result.
CODE = """
import sock
def handler(event):
    verb, *rest = event
    try:
        if verb == "put":
            return sock.put(rest[0], rest[1].encode() * (rest[3] if len(rest) > 3 else 1), rest[2])
        if verb == "get":
            with sock.get(rest[0]) as view:
                return [view.readonly, len(view), bytes(view[:10]).decode()]
        return getattr(sock, verb)(*rest)
    except sock.Error as error:
        return ["refused", error.type, str(error)]
"""
PLAIN = "def handler(event):\n    return event\n"


def configured(node: World, redis: Redis, settings: str = "") -> World:
    """Started, with one function of the application."""
    (node.path / "node.toml").write_text(f'redis = "unix:{redis.socket}"\n{settings}')
    node.start("--config", str(node.path / "node.toml"))
    node.must_put("f", CODE, SHOP)
    return node


@contextmanager
def two_nodes(world: World, settings: str = "") -> Iterator[tuple[Redis, World, World]]:
    other = World()
    try:
        with Redis(world.path) as redis:
            redis.start()
            yield redis, configured(world, redis, settings), configured(other, redis, settings)
            for node in (world, other):
                expect(node.stop() == 0 and "redis" not in node.log(), node.log())
    finally:
        other.close()


def refusal(node: World, *words: object) -> str:
    """The type of the error."""
    result = node.result("f", list(words))
    return result[1] if isinstance(result, list) and result[0] == "refused" else f"none: {result}"


def objects_are_there_on_every_node(world: World) -> None:
    with two_nodes(world) as (redis, one, two):
        one.must_put("stranger", CODE, SHOP.replace("shop", "other"))
        expect(one.result("f", ["put", "text", "0123456789", 60, 2_000_000]) is None, "put on one")
        expect(two.result("f", ["get", "text"]) == [True, 20_000_000, "0123456789"], "and there on the other")
        expect(refusal(two, "put", "text", "x", 60) == "exists", "written once")
        expect(one.result("stranger", ["get", "text"])[1] == "not_found", "strangers do not see it")
        expect(one.result("stranger", ["put", "text", "theirs", 60]) is None, "and have names of their own")
        for name in ("", "x" * 257):
            expect(refusal(one, "put", name, "x", 60) == "invalid_spec", "a name")
            expect(refusal(one, "get", name) == "not_found" and one.result("f", ["remove", name]) is False, "that is nobody's")
        for name in ("x" * 256, "a b", "o:x\n*1\r\n", "\0", "}:o:text", "ü"):
            expect(one.result("f", ["put", name, name, 60]) is None, f"{name!r} is a name")
            expect(two.result("f", ["get", name])[2] == name[:10], f"of {name!r}")
            expect(two.result("f", ["remove", name]) is True and one.result("f", ["remove", name]) is False, f"{name!r} is gone")
        expect(one.result("f", ["put", "empty", "", 60]) is None and two.result("f", ["get", "empty"])[1] == 0, "an empty one")
        expect(two.result("f", ["remove", "text"]) is True and refusal(one, "get", "text") == "not_found", "removed")
        expect(one.result("stranger", ["get", "text"])[2] == "theirs", "and not theirs")
        expect(one.result("f", ["put", "text", "again", 60]) is None, "it may be written anew then")
        for key in ("sock:{shop}:o:text", "sock:{shop}:ends", "sock:{shop}:bytes", "sock:{other}:o:text"):
            expect(int(redis.ask(f"PTTL {key}")[1:]) > 0, f"{key} ends by itself")


def objects_have_a_quota_and_an_end(world: World) -> None:
    with two_nodes(world, 'object_memory = "1m"\nobjects = 3\n') as (redis, one, two):
        expect(refusal(one, "put", "x", "x", 60, 1_048_577) == "exhausted", "more than there ever is")
        expect(one.result("f", ["put", "large", "x", 60, 1_000_000]) is None, "most of it")
        expect(refusal(two, "put", "x", "x", 60, 48_577) == "exhausted", "one byte too many")
        expect(two.result("f", ["put", "rest", "x", 4, 48_576]) is None, "all of it, for some seconds")
        expect(refusal(one, "put", "x", "x", 60) == "exhausted", "it is full")
        expect(wait_until(lambda: refusal(one, "get", "rest") == "not_found"), "until one ends")
        expect(wait_until(lambda: one.result("f", ["put", "x", "x", 60, 48_576]) is None), "which makes room")
        expect(two.result("f", ["remove", "large"]) is True, "and so does one that is removed")
        for name in ("2", "3"):
            expect(two.result("f", ["put", name, name, 60]) is None, name)
        expect(refusal(one, "put", "4", "", 60) == "exhausted", "too many")
        expect(redis.ask("GET sock:{shop}:bytes").split()[1] == b"48578", "they are counted")
        expect(one.result("f", ["put", "4", "", -5])[1] == "exhausted", "whatever their time")
        for name in ("a", "b", "c"):
            expect(one.result("f", ["add", name]) == 1, "counters have a quota of their own")
        expect(refusal(two, "add", "d") == "exhausted" and two.result("f", ["add", "a"]) == 2, "and the same one")
        redis.ask("FLUSHALL")
        expect(one.result("f", ["put", "4", "", 60]) is None and one.result("f", ["add", "d"]) == 1, "all is counted anew")


def counters_gather_what_is_spread_over_nodes(world: World) -> None:
    with two_nodes(world) as (redis, one, two):
        values: list[int] = []

        def call(node: World) -> None:
            for _ in range(10):
                values.append(node.result("f", ["add", "arrived"]))

        callers = [threading.Thread(target=call, args=(node,)) for node in (one, two) * 2]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        expect(sorted(values) == list(range(1, 41)), f"each value once: {sorted(values)}")
        most = 2**63 - 1
        expect(one.result("f", ["add", "arrived", most - 40]) == most, "to the last one, exactly")
        expect(refusal(two, "add", "arrived") == "invalid_spec", "and no further")
        expect(two.result("f", ["add", "arrived", -1]) == most - 1, "it is as before")
        expect(one.result("f", ["add", "arrived", 1 - most]) == 0, "and back")
        expect(one.result("f", ["add", "short", 7, 0.2]) == 7, "with a short life")
        # Whoever adds to it keeps it alive.
        expect(wait_until(lambda: redis.ask("EXISTS sock:{shop}:c:short").startswith(b":0")), "it ends")
        expect(two.result("f", ["add", "short", 0, 0.2]) == 0, "and begins anew")


def timed(node: World, *words: object) -> tuple[str, float]:
    begin = time.monotonic()
    return refusal(node, *words), time.monotonic() - begin


def nobody_waits_for_one_that_hangs(world: World) -> None:
    with two_nodes(world) as (redis, one, _):
        one.must_put("plain", PLAIN, 'memory = "32m"\n')
        one.result("plain", 1)
        expect(one.result("f", ["add", "n"]) == 1, "it serves")
        redis.process.send_signal(signal.SIGSTOP)
        try:
            found: list[tuple[str, float]] = []
            callers = [threading.Thread(target=lambda: found.append(timed(one, "get", "x"))) for _ in range(12)]
            begin = time.monotonic()
            for caller in callers:
                caller.start()
            while any(caller.is_alive() for caller in callers):
                expect(one.result("plain", 2) == 2, "the rest is served")
            expect([kind for kind, _ in found] == ["timed_out"] * 12, str(found))
            expect(time.monotonic() - begin < 6, f"all of them in time, although only some have threads: {found}")
            expect(all(seconds > 1.9 for _, seconds in found), f"and none before: {found}")
        finally:
            redis.process.send_signal(signal.SIGCONT)
        expect(wait_until(lambda: one.result("f", ["add", "n"]) == 2), "it is of use again")
        clients = int(re.search(rb"connected_clients:(\d+)", redis.ask("INFO clients"))[1])
        expect(clients <= 2 * 4 + 1, f"{clients} connections: no node has more than four")


def start_together(count: int, call) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def it_may_go_and_come_back(world: World) -> None:
    with Redis(world.path) as redis:
        node = configured(world, redis)
        expect(wait_until(lambda: "cannot be used yet: none: redis: " in node.log()), "it starts without one, and says so")
        kind, seconds = timed(node, "get", "x")
        expect(kind == "closed" and seconds < 2, f"{kind} after {seconds}")
        redis.start()
        expect(node.result("f", ["put", "x", "one", 60]) is None and node.result("f", ["add", "n"]) == 1, "it has come")
        redis.kill()
        expect({refusal(node, "get", "x"), refusal(node, "add", "n")} == {"closed"}, "it is gone")
        redis.start()
        expect(node.result("f", ["add", "n"]) == 1 and refusal(node, "get", "x") == "not_found", "it has come back, empty")
        start_together(4, lambda: node.result("f", ["add", "n"]))
        redis.kill()
        redis.start()
        expect(node.result("f", ["add", "n"]) == 1, "connections that were lost meanwhile are made anew")
        expect(node.log().count("\n") == 1, f"one line: {node.log()}")


def a_wrong_password_is_an_error(world: World) -> None:
    password = world.path / "password"
    setting = f'redis_password_file = "{password}"\n'
    with Redis(world.path, "--requirepass", "the right one") as redis:
        redis.start()
        password.write_text("the wrong one\n")
        node = configured(world, redis, setting)
        expect(refusal(node, "add", "n") == "denied", "it starts, and cannot use it")
        expect(wait_until(lambda: "WRONGPASS" in node.log()), "it says why")
        node.stop()
        expect("the wrong one" not in node.log(), "and not what it has tried")
        node = configured(world, redis)
        expect(refusal(node, "add", "n") == "denied", "and without one")
        node.stop()
        password.write_text("the right one\n")
        node = configured(world, redis, setting)
        expect(node.result("f", ["add", "n"]) == 1, "and with the right one it serves")


def one_that_lies_is_not_believed(world: World) -> None:
    (world.path / "other").mkdir()
    redis = Redis(world.path / "other")
    with Liar(redis.socket) as liar:
        node = configured(world, redis, 'object_memory = "1m"\n')
        for answer, ends, kind in ((b"*2\r\n:1\r\n:2\r\n", False, "corrupt"), (b"HTTP/1.1 400 Bad Request\r\n", False, "corrupt"),
                                   (b"$2\r\n1x\r\n", True, "corrupt"), (b"$5\r\n1", True, "closed"), (b"", True, "closed"),
                                   (b"-OOM no\r\n", True, "exhausted"), (b"$3\r\n1", False, "timed_out")):
            liar.bytes, liar.ends = answer, ends
            found, seconds = timed(node, "add", "n")
            expect(found == kind and seconds < 6, f"{answer!r}: {found} after {seconds}")
        liar.bytes, liar.ends = b"$9000000000000000000\r\n" + b"x" * 1_100_000, False
        expect(refusal(node, "get", "n") == "exhausted", "more than the quota is not taken")


def settings_are_checked(world: World) -> None:
    settings = world.path / "node.toml"
    (world.path / "empty").write_text("\n")
    for text, words in (('redis = "redis"', "unix:/PATH or HOST:PORT"), ('redis = "host:0"', "1 to 65535"),
                        ("redis = 6379", "a text like"), ('redis = "unix:redis.sock"', "absolute path"),
                        ('redis_password_file = "/dev/null"', "with redis alone"),
                        (f'redis = "host:1"\nredis_password_file = "{world.path}/empty"', "no password"),
                        (f'redis = "host:1"\nredis_password_file = "{world.path}/none"', "No such file")):
        settings.write_text(text + "\n")
        for command in ([SOCKCTL, "config", "validate", str(settings)], [SOCKD, "--config", str(settings), "--show-config"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            expect(done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, f"{text}: {done}")
    settings.write_text('redis = "[::1]:6379"\n')
    shown = subprocess.run([SOCKCTL, "config", "show", str(settings)], capture_output=True, text=True, timeout=60, check=True)
    expect("redis = '[::1]:6379'" in shown.stdout or 'redis = "[::1]:6379"' in shown.stdout, shown.stdout)


TESTS = [objects_are_there_on_every_node, objects_have_a_quota_and_an_end, counters_gather_what_is_spread_over_nodes,
         nobody_waits_for_one_that_hangs, it_may_go_and_come_back, a_wrong_password_is_an_error,
         one_that_lies_is_not_believed, settings_are_checked]
