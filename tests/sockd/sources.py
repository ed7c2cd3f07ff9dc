"""Events that nobody sends: files that come into a directory, and schedules."""

import os
from pathlib import Path

from cases import expect
from events import FULL, outcomes_of_all
from world import SLOW, World, wait_until

READER = "def handler(event):\n    print(event['name'], open(event['path']).read(), event['size'])\n"


def watching(world: World, settings: bool = True) -> Path:
    """A daemon whose functions may watch the directories below this one."""
    allowed = world.path / "allowed"
    (allowed / "in").mkdir(parents=True, exist_ok=True)
    os.chmod(world.path, 0o755)
    if settings:
        (world.path / "watch.toml").write_text(f'watch = ["{allowed}"]\n')
    world.start("--config", str(world.path / "watch.toml"))
    return allowed / "in"


def directory(path: Path) -> str:
    return f'[[directory]]\npath = "{path}"\n'


def printed(world: World) -> list[str]:
    return [line["printed"] for line in world.logs("f")]


def move_in(world: World, place: Path, name: str, text: str) -> None:
    (world.path / "fresh").write_text(text)
    (world.path / "fresh").rename(place / name)


def files_that_come_are_events(world: World) -> None:
    place = watching(world)
    (place / "before").write_text("x")
    made = world.must_put("f", READER, directory(place))
    expect(made["directories"] == [{"path": str(place), "at": "/watched"}], str(made))
    move_in(world, place, "moved", "one")
    expect(wait_until(lambda: printed(world) == ["moved one 3\n"]), str(printed(world)))
    (place / "written").write_text("two")
    expect(wait_until(lambda: printed(world)[1:] == ["written two 3\n"]), str(printed(world)))
    (place / ".hidden").write_text("no")
    (place / "directory").mkdir()
    (place / "link").symlink_to("/etc/passwd")
    move_in(world, place, "last", "three")
    expect(wait_until(lambda: printed(world)[2:] == ["last three 5\n"]), str(printed(world)))
    expect([line["source"] for line in world.logs("f")] == ["directory"] * 3, str(world.logs("f")))


def files_that_come_meanwhile_are_events_later(world: World) -> None:
    place = watching(world)
    world.must_put("f", READER, directory(place))
    move_in(world, place, "a", "1")
    expect(wait_until(lambda: printed(world) == ["a 1 1\n"]), str(printed(world)))
    world.stop()
    move_in(world, place, "b", "2")
    move_in(world, place, "c", "3")
    watching(world)
    expect(wait_until(lambda: sorted(printed(world)[1:]) == ["b 2 1\n", "c 3 1\n"]), str(printed(world)))
    world.must_put("f", READER, directory(place))
    move_in(world, place, "d", "4")
    expect(wait_until(lambda: printed(world)[3:] == ["d 4 1\n"]), f"by the next version: {printed(world)}")
    world.request("DELETE", "/api/functions/f", control=True)
    expect(list((world.state / "sources").iterdir()) == [], "nothing is kept of a function that is gone")


def directories_are_allowed_by_name(world: World) -> None:
    place = watching(world)
    (place.parent / "out").symlink_to("/etc")
    for path in ("/etc", str(place.parent) + "-not", str(place.parent / "out"), str(place / "none")):
        reply = world.put("f", READER, directory(Path(path)))
        expect(reply.status == 403 and path in reply.json()["error"]["message"], f"{path}: {reply}")
    world.stop()
    world.start()
    expect(world.put("f", READER, directory(place)).status == 403, "none is, unless the settings say so")


def a_full_queue_is_waited_for(world: World) -> None:
    place = watching(world)
    world.stop()
    with open(world.path / "watch.toml", "a") as settings:
        settings.write("events = 1\n")
    watching(world, settings=False)
    world.must_put("slow", SLOW)
    world.must_put("f", READER, directory(place))
    expect(world.invoke("slow", "2", X_Amz_Invocation_Type="Event").status == 202, "the queue is full")
    move_in(world, place, "a", "1")
    expect(wait_until(lambda: "f: an event of a directory is not accepted" in world.log()), world.log())
    expect(wait_until(lambda: printed(world) == ["a 1 1\n"]), f"it comes later: {printed(world)}")
    expect(world.log().count("not accepted") == 1, world.log())


def a_schedule_is_kept(world: World) -> None:
    world.start()
    code = "def handler(event):\n    print(event)\n"
    made = world.must_put("f", code, '[[schedule]]\ncron = "* * * * *"\nevent = "[7]"\n[[schedule]]\ncron = "* * * * *"\n')
    expect(len(made["schedules"]) == 2, str(made))
    if not FULL:
        return  # A minute is too long; tests/unit/sockd/cron_test.cpp knows the times.
    expect(wait_until(lambda: len(outcomes_of_all(world, "f")) == 2, 70), str(world.logs("f")))
    texts = sorted(printed(world))
    expect(texts[0] == "[7]\n" and "'time': '20" in texts[1] and ":00Z" in texts[1], str(texts))
    expect({line["source"] for line in world.logs("f")} == {"schedule"}, str(world.logs("f")))


TESTS = [files_that_come_are_events, files_that_come_meanwhile_are_events_later, directories_are_allowed_by_name,
         a_full_queue_is_waited_for, a_schedule_is_kept]
