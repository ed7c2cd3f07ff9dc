"""A Redis that hangs, goes, refuses, is full, or lies: the calls that need it fail in time, and nothing else does."""

import re
import signal
import subprocess
import threading
import time

from cases import PROJECT, SOCKCTL, expect
from redis_server import Liar, Redis
from shared_data import configured, refusal, start_together, two_nodes
from world import SOCKD, World, wait_until

PLAIN = "def handler(event):\n    return event\n"


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
        for words in (("add", "n"), ("put", "x", "x", 60), ("put", "x", "x", 60, 2_000_000), ("get", "x")):
            expect(refusal(node, *words) == "denied", f"and without one: {words}")
        node.stop()
        password.write_text("the right one\n")
        node = configured(world, redis, setting)
        expect(node.result("f", ["add", "n"]) == 1, "and with the right one it serves")


# What docs/cluster.md gives the nodes' user.
ALLOWED = "+ping +eval +evalsha +time +exists +get +set +getrange +strlen +unlink +incrby +decrby +pexpire +zadd +zrem +zcard +zcount " \
          "+zrangebyscore +zremrangebyscore"


def a_user_may_do_what_is_needed_alone(world: World) -> None:
    expect(f" resetchannels ~sock:* {ALLOWED}\n" in (PROJECT / "docs/cluster.md").read_text(), "it is written down")
    (world.path / "password").write_text("secret\n")
    with Redis(world.path, "--user", *f"sock on >secret resetchannels ~sock:* {ALLOWED}".split()) as redis:
        redis.start()
        node = configured(world, redis, f'redis_user = "sock"\nredis_password_file = "{world.path}/password"\nobjects = 1\n')
        expect(node.result("f", ["put", "x", "x", 60, 300_000]) is None and node.result("f", ["get", "x"])[1] == 300_000, "objects")
        expect(node.result("f", ["remove", "x"]) is True and node.result("f", ["put", "x", "x", 0.001]) is None, "and their end")
        expect(wait_until(lambda: refusal(node, "get", "x") == "not_found"), "which comes")
        expect(node.result("f", ["put", "y", "y", 60]) is None, "and makes room")
        expect(node.result("f", ["add", "n", 2]) == 2 and node.log() == "", "counters")
        redis.ask("ACL SETUSER sock -incrby")
        result = node.result("f", ["add", "n"])
        expect(result[1] == "denied", f"what is not allowed is denied: {result}")


def one_that_is_full_says_so(world: World) -> None:
    with Redis(world.path, "--maxmemory-policy", "noeviction") as redis:
        redis.start()
        node = configured(world, redis)
        expect(node.result("f", ["put", "here", "x", 60]) is None and node.result("f", ["add", "n"]) == 1, "it has room")
        expect(node.result("f", ["put", "short", "x", 0.001]) is None and node.result("f", ["add", "short", 1, 0.001]) == 1, "some end")
        redis.ask("CONFIG SET maxmemory 1")
        result = node.result("f", ["put", "x", "x", 60])
        expect(result[1] == "exhausted" and "; OOM command not allowed" in result[2], f"and then none: {result}")
        expect(refusal(node, "add", "n") == "exhausted", "not even for a counter")
        expect(node.result("f", ["get", "here"])[2] == "x" and node.result("f", ["remove", "here"]) is True, "what is there is of use")
        redis.ask("CONFIG SET maxmemory 0")
        expect(node.result("f", ["put", "x", "x", 60]) is None and node.result("f", ["add", "n"]) == 2, "and again")


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
        expect(refusal(node, "get", "n") == "exhausted", "more than was asked for is not taken")
        version = b"0" * 36
        for size, kind in ((b"18446744073709551615", "exhausted"), (b"1048577", "exhausted"), (b"10000", "corrupt")):
            liar.bytes, liar.ends = b"$%d\r\n%b %b\r\n" % (37 + len(size), version, size), True
            found, seconds = timed(node, "get", "n")
            expect(found == kind and seconds < 2, f"an object of {size}: {found} after {seconds}")
        for answer, kind in ((b"-NOAUTH no\r\n", "denied"), (b"-LOADING it\r\n", "io"), (b"+OK\r\n", "corrupt")):
            liar.greeting = answer
            expect(refusal(node, "get", "n") == kind, f"{answer} instead of a greeting")


def settings_are_checked(world: World) -> None:
    settings = world.path / "node.toml"
    (world.path / "empty").write_text("\n")
    for text, words in (('redis = "redis"', "unix:/PATH or HOST:PORT"), ('redis = "host:0"', "1 to 65535"),
                        ("redis = 6379", "a text like"), ('redis = "unix:redis.sock"', "absolute path"),
                        ('redis_password_file = "/dev/null"', "with redis alone"),
                        ('redis = "host:1"\nredis_user = "sock"', "with redis_password_file alone"),
                        (f'redis = "host:1"\nredis_password_file = "{world.path}/empty"', "no password"),
                        (f'redis = "host:1"\nredis_password_file = "{world.path}/none"', "No such file")):
        settings.write_text(text + "\n")
        for command in ([SOCKCTL, "config", "validate", str(settings)], [SOCKD, "--config", str(settings), "--show-config"]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            expect(done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, f"{text}: {done}")
    settings.write_text('redis = "[::1]:6379"\n')
    shown = subprocess.run([SOCKCTL, "config", "show", str(settings)], capture_output=True, text=True, timeout=60, check=True)
    expect("redis = '[::1]:6379'" in shown.stdout or 'redis = "[::1]:6379"' in shown.stdout, shown.stdout)


TESTS = [nobody_waits_for_one_that_hangs, it_may_go_and_come_back, a_wrong_password_is_an_error,
         a_user_may_do_what_is_needed_alone, one_that_is_full_says_so, one_that_lies_is_not_believed, settings_are_checked]
