"""Objects and counters of an application that several daemons share by a Redis."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cases import expect
from redis_server import Redis
from world import World, wait_until

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
# Keeps all that it gets: the number of each file, and how it begins.
KEEPING = """
import os, sock
kept = []
real = os.fstat
def handler(event):
    numbers = []
    os.fstat = lambda file: numbers.append(real(file).st_ino) or real(file)
    try:
        kept.append(sock.get(event[0]))
    except sock.Error as error:
        return error.type
    return [numbers[-1], bytes(kept[-1][:10]).decode()]
"""
# Puts a file that is one hole, and says how much memory that has after it was sent.
SPARSE = """
import fcntl, os, sock
def handler(event):
    size = event[0]
    file = os.memfd_create("hole", os.MFD_ALLOW_SEALING)
    os.ftruncate(file, size)
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, sock._SEALS)
    sock._ask({"call": "put", "name": "hole", "ttl_ms": 60000}, file)
    blocks = os.fstat(file).st_blocks
    with sock.get("hole") as view:
        return [blocks, len(view), any(view)]
"""


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


def start_together(count: int, call) -> None:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


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


def an_object_is_in_memory_once_on_each_node(world: World) -> None:
    with two_nodes(world) as (_, one, two):
        for node in (one, two):
            for name in ("a", "b"):
                node.must_put(name, KEEPING, SHOP)
        expect(one.result("f", ["put", "x", "0123456789", 60, 300_000]) is None, "more than is fetched at once")
        for node in (one, two):
            first = node.result("a", ["x"])
            expect(first[1] == "0123456789", f"{first}")
            expect(all(node.result(name, ["x"]) == first for name in ("a", "b", "b")), "everybody has the same file")
        expect(one.result("f", ["remove", "x"]) is True, "removed on one")
        expect(two.result("a", ["x"]) == "not_found" == one.result("b", ["x"]), "and there for nobody, whoever has a copy")
        expect(one.result("f", ["put", "x", "another", 60]) is None, "written anew")
        expect(two.result("a", ["x"])[1] == "another" == one.result("b", ["x"])[1], "is what everybody gets then")


def what_is_kept_of_objects_has_the_quota(world: World) -> None:
    with two_nodes(world, 'object_memory = "1m"\n') as (_, one, two):
        two.must_put("keeper", KEEPING, SHOP)
        two.must_put("stranger", KEEPING, SHOP.replace("shop", "other"))
        two.must_put("theirs", CODE, SHOP.replace("shop", "other"))
        for content in ("a", "b"):
            expect(one.result("f", ["put", "x", content, 60, 500_000]) is None, content)
            expect(two.result("keeper", ["x"])[1] == content * 10, "it keeps what was removed since")
            expect(one.result("f", ["remove", "x"]) is True, "so all that there is now has room")
        expect(one.result("f", ["put", "x", "c", 60, 500_000]) is None, "on the whole")
        expect(two.result("keeper", ["x"]) == "exhausted" == refusal(two, "get", "x"), "but not in the memory of this node")
        expect(one.result("f", ["get", "x"])[2] == "c" * 10, "the other one has some")
        expect(two.result("theirs", ["put", "x", "d", 60, 500_000]) is None, "another application")
        expect(two.result("stranger", ["x"])[1] == "d" * 10, "has a quota of its own")
        two.must_put("keeper", PLAIN, SHOP)
        expect(wait_until(lambda: two.result("f", ["get", "x"]) == [True, 500_000, "c" * 10]), "what nobody maps any more makes room")


def many_get_one_object_at_a_time(world: World) -> None:
    with two_nodes(world, 'object_memory = "12m"\n') as (_, one, two):
        expect(one.result("f", ["put", "x", "x", 60, 8 << 20]) is None, "it takes most of the quota")
        got: list[object] = []
        start_together(6, lambda: got.append(two.result("f", ["get", "x"])))
        expect(got == [[True, 8 << 20, "x" * 10]] * 6, f"and is there for all: {got}")


# "put": one object after another under a name, for a longer time each, until it is told to stop. "get": whatever is there,
# until there were many.
CHANGING = """
import sock, time
def put():
    turn = 0
    while sock.add("stop", 0) == 0:
        sock.put("x", b"ab"[turn % 2:][:1] * 3_000_000)
        for _ in range(turn % 50):
            sock.add("stop", 0)
        sock.remove("x")
        turn += 1
    return turn
def get():
    end, seen = time.monotonic() + 30, {}
    while seen.get("(3000000, 1)", 0) < 30 and time.monotonic() < end:
        try:
            with sock.get("x") as view:
                found = str((len(view), len(set(bytes(view)))))
        except sock.Error as error:
            found = error.type
        seen[found] = seen.get(found, 0) + 1
    sock.add("stop", 1)
    return seen
def handler(event):
    return {"put": put, "get": get}[event[0]]()
"""


def what_is_got_is_one_object(world: World) -> None:
    with two_nodes(world) as (_, one, two):
        for node in (one, two):
            node.must_put("g", CHANGING, SHOP)
        turns: list[int] = []
        writer = threading.Thread(target=lambda: turns.append(one.result("g", ["put"])))
        writer.start()
        seen = two.result("g", ["get"])
        writer.join()
        expect(turns and turns[0] > 1 and seen.pop("(3000000, 1)", 0) == 30, f"it changed {turns} times, and is whole: {seen}")
        expect(set(seen) <= {"not_found"}, f"always: {seen}")


def a_hole_stays_one(world: World) -> None:
    with two_nodes(world) as (_, one, __):
        one.must_put("sparse", SPARSE, SHOP)
        found = one.result("sparse", [5_000_000])
        expect(found == [0, 5_000_000, False], f"memory that nobody has written is not made by reading it: {found}")


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


TESTS = [objects_are_there_on_every_node, an_object_is_in_memory_once_on_each_node, what_is_kept_of_objects_has_the_quota,
         many_get_one_object_at_a_time, what_is_got_is_one_object, a_hole_stays_one,
         objects_have_a_quota_and_an_end, counters_gather_what_is_spread_over_nodes]
