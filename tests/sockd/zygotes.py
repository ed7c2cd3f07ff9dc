"""The zygotes of applications: what they import, what they leave on the disk, and when they go."""

import signal

from cases import expect
from world import FORKED, World, wait_until


def packages_are_imported_in_zygotes(world: World) -> None:
    """A function with packages that another one did not have; the zygotes that there are stay of use."""
    world.add_package("one", "import two_more\nx = 1\n", "two-more")
    world.add_package("two-more", "x = 2\n")
    world.start()
    code = "import sys\nhad = sorted({'one', 'two_more'} & set(sys.modules))\ndef handler(event):\n    return had\n"
    world.must_put("bare", code, 'instances = "fresh"\n')
    expect(world.result("bare") == [], "it declares nothing")
    made = world.must_put("needs", code, 'packages = ["one"]\ninstances = "fresh"\n')
    expect(made["packages"] == ["one==1.0", "two-more==1.0"], str(made))
    expect(wait_until(lambda: world.result("needs") == ["one", "two_more"]), world.request("GET", "/status").body.decode())
    expect(world.invoke("needs").headers["X-Sock-Zygote"] == "node-1", "from the zygote that has them")
    expect(world.result("bare") == [], "nobody else sees them")
    # Another realm, which knows what the one before has learnt.
    [before] = world.request("GET", "/status").json()["import_caches"]
    world.must_put("other", code, 'packages = ["two-more"]\nimports = ["two_more.x"]\n')
    expect(wait_until(lambda: world.result("needs") == ["one", "two_more"]), world.request("GET", "/status").body.decode())
    [cache] = world.request("GET", "/status").json()["import_caches"]
    expect(cache["name"] != before["name"], f"{cache} {before}")
    # It ends with the last instance that was forked from it.
    expect(wait_until(lambda: world.domains() == 1), f"the realm before is gone: {world.domains()} domains")


def zygotes_are_there_after_a_restart(world: World) -> None:
    # Nobody keeps what is imported at once.
    world.add_package("one", "x = sum(range(3_000_000))\n")
    world.add_package("two", "x = sum(range(3_000_000))\n")
    world.start()
    code = "import sys\nhad = sorted({'one', 'two'} & set(sys.modules))\ndef handler(event):\n    return had\n"
    # Not in the order of their names, in which they are served after a restart.
    functions = (("b", "two"), ("a", "one"))
    for name, package in functions:
        world.must_put(name, code, f'packages = ["{package}"]\ninstances = "fresh"\napplication = "kept"\n')
    for name, package in functions:
        expect(wait_until(lambda n=name, p=package: world.result(n) == [p]), "imported in a zygote")

    def stored() -> bool:
        for name, _ in functions:  # What nobody uses is not looked at.
            world.result(name)
        [cache] = world.request("GET", "/status").json()["import_caches"]
        return sum(zygote["stored"] > 0 for zygote in cache["zygotes"]) >= 2

    expect(wait_until(stored), world.log() + world.request("GET", "/status").body.decode())
    world.stop(signal.SIGKILL)
    world.start()
    for name, package in functions:
        expect(wait_until(lambda n=name: world.invoke(n).headers["X-Sock-Path"] in ("snapshot", *FORKED)), name)
        reply = world.invoke(name)
        expect(reply.json() == [package], f"{name}: {reply} {reply.headers}")
    earlier = snapshots_of(world)
    text = world.request("GET", "/metrics").body.decode()
    expect('function="a",outcome="result",path="snapshot"' in text, text)
    # With other packages none of them is of use.
    world.add_package("three", "x = 1\n")
    def is_without_them() -> bool:  # Some are in use at first.
        for name in ("a", "b"):
            world.must_put(name, code, 'packages = ["three"]\napplication = "kept"\n')
        return not earlier & snapshots_of(world)

    expect(earlier and wait_until(is_without_them), f"{earlier} {snapshots_of(world)}")


def snapshots_of(world: World) -> set[str]:
    return {path.name for path in (world.state / "zygotes/kept/snapshots/snapshots").iterdir()}


def zygotes_go_with_the_last_function_of_their_application(world: World) -> None:
    kept = world.state / "zygotes"
    (kept / "gone/snapshots").mkdir(parents=True)

    def applications() -> set[str]:
        return {cache["application"] for cache in world.request("GET", "/status").json()["import_caches"]}

    def remove(name: str) -> None:
        expect(world.request("DELETE", f"/api/functions/{name}", control=True).status == 200, name)

    world.start()
    expect(not (kept / "gone").exists(), "those of one that nobody has any more")
    for name, application in (("a", "shop"), ("b", "shop"), ("c", "")):
        world.must_put(name, "def handler(event):\n    return event\n", f'application = "{application}"\n' if application else "")
        expect(world.result(name, "1") == 1, name)
    expect(applications() == {"shop", ""} and (kept / "shop").is_dir() and world.domains() == 2, f"{applications()} {world.domains()}")
    remove("a")
    expect(applications() == {"shop", ""} and world.result("b", "2") == 2, "another function has it")
    remove("b")
    expect(applications() == {""} and not (kept / "shop").exists(), f"nobody has it: {list(kept.iterdir())}")
    expect(wait_until(lambda: world.domains() == 1), f"its zygotes end: {world.domains()}")
    world.must_put("b", "def handler(event):\n    return event\n", 'application = "shop"\n')
    expect(world.result("b", "3") == 3 and world.result("c", "4") == 4, "it may come back")
    world.must_put("b", "def handler(event):\n    return event\n", 'application = "other"\n')
    expect(world.result("b", "5") == 5 and wait_until(lambda: not (kept / "shop").exists()), "a function may leave it")


TESTS = [zygotes_go_with_the_last_function_of_their_application, zygotes_are_there_after_a_restart, packages_are_imported_in_zygotes]
