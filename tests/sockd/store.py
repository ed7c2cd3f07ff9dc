"""Functions on the disk: edited by hand, put and removed at once, on a full disk."""

import threading

from cases import expect
from events import dead_letters, must_send
from world import FUNCTIONS, World, small_disk, wait_until

ONE = "def handler(event):\n    return 1\n"
SLOW_AND_FAILING = (FUNCTIONS / "slow_and_failing.py").read_text()


def what_was_edited_by_hand_is_read_or_named(world: World) -> None:
    world.start()
    for name in ("a", "b", "c"):
        world.must_put(name, ONE)
    world.stop()
    functions = world.state / "functions"
    (functions / "a/current").write_text("1\n")
    (functions / "b/current").write_text("one")
    (functions / "c/1/function.toml").write_text("handler = ")
    world.start()
    expect(world.result("a") == 1, "as an editor leaves it")
    expect(all(world.invoke(name).status == 404 for name in "bc"), "what cannot be read is not served")
    expect(all(f"sockd: {name} is not served" in world.log() for name in "bc"), world.log())
    expect(world.put("c", ONE).status == 200 and world.result("c") == 1, "it can be put again")
    world.stop()
    (functions / "b/current").write_text("1")
    world.start()
    expect(all(world.result(name) == 1 for name in "abc"), "nothing was lost")


def one_that_is_put_while_it_is_removed_is_served(world: World) -> None:
    world.start()
    for _ in range(20):
        world.must_put("f", ONE)
        remover = threading.Thread(target=lambda: world.request("DELETE", "/api/functions/f", control=True))
        remover.start()
        world.must_put("f", ONE)
        remover.join()
        found = world.request("GET", "/api/functions/f", control=True).status
        expect(world.invoke("f").status == found, f"{found}, but {world.invoke('f')}")


def events_under_way_are_not_for_the_next_of_that_name(world: World) -> None:
    world.start()
    world.must_put("f", SLOW_AND_FAILING, "retries = 5\nretry_delay = \"1ms\"\n")
    must_send(world, "f", "0.5")
    expect(wait_until(lambda: world.now("f")["events_under_way"] == 1), "it is under way")
    expect(world.request("DELETE", "/api/functions/f", control=True).status == 200, "removed")
    world.must_put("f", ONE)
    expect(wait_until(lambda: dead_letters(world, "f")), f"{world.now('f')} {world.logs('f')}")
    expect(dead_letters(world, "f")[0]["outcome"] == "unknown_function", f"{dead_letters(world, 'f')}")


def a_full_disk_refuses_functions_and_keeps_those_that_are_there(world: World) -> None:
    with small_disk(world):
        world.start()
        world.must_put("f", ONE)
        # More than there is room for, and far less than an archive may have.
        reply = world.put("f", ONE, more={"data": "x" * (10 << 20)})
        expect(reply.status == 503 and "Retry-After" in reply.headers, f"{reply} {reply.headers}")
        expect(world.result("f") == 1, "the version before goes on")
        world.must_put("g", ONE)
        world.stop()
        world.start()
        expect(world.result("f") == 1 and world.result("g") == 1, "and is there after a restart")


def logs_of_what_is_not_there_are_not_found(world: World) -> None:
    world.start()
    for query in ("", "?lines=5", "?after=x"):
        expect(world.request("GET", f"/api/functions/none/logs{query}", control=True).status == 404, f"with {query!r}")
    world.must_put("f", ONE)
    reply = world.request("GET", "/api/functions/f/logs", control=True)
    expect(reply.status == 200 and reply.body == b"", f"not called yet: {reply}")


TESTS = [what_was_edited_by_hand_is_read_or_named, one_that_is_put_while_it_is_removed_is_served,
         events_under_way_are_not_for_the_next_of_that_name, a_full_disk_refuses_functions_and_keeps_those_that_are_there,
         logs_of_what_is_not_there_are_not_found]
