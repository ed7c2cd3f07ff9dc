"""API: the command line and the library as what is attacked."""

import json
import os
import stat
import subprocess

import api_misuse
from model import USER, Scenario, check
from world import World

BAD_NAMES = ("../x", "/", "", ".", "..", "a/b", "x" * 10240, "a\nb", "-rf", "a b", "\x1b[31mred", "a\x07",
             "a\u009b2J", "\u202eb", "a\u2028b",
             "\u00e9", "%s", "$(id)")

# What no terminal and no log should get: bell, escape, CSI, right-to-left override, line separator.
RAW = {"\x07", "\x1b", "\u009b", "\u202e", "\u2028"}


def names(world, starter) -> str:
    taken = []
    for name in BAD_NAMES:
        result = starter.sockctl("run", f"--name={name}", "-u", "1000", "--", "/bin/true")
        if result.returncode == 0:
            taken.append(repr(name[:20]))
        # API-04: what is refused is not sent raw to a terminal.
        check(not RAW & set(result.stderr), f"raw control bytes: {result.stderr!r}")
        for verb in ("inspect", "rm", "kill", "logs"):
            answer = starter.sockctl(verb, "--", name)
            check(answer.returncode not in (0, 134, 139), f"{verb} {name[:20]!r}: {answer}")
            check(not RAW & set(answer.stderr), f"{verb}: raw control bytes: {answer.stderr!r}")
    check(not taken, f"accepted: {', '.join(taken)}")
    good = starter.sockctl("run", "--name=good-1", "--", "/bin/true")
    check(good.returncode == 0, f"a good name is refused: {good}")
    return f"{len(BAD_NAMES)} names refused"


def spoofed_results(world: World, starter) -> str:
    meta = world.state.parent / "meta.json"
    lie = ('echo \'{"event":"exited","exit_code":0,"status":0}\'; echo "sockctl: all is well" >&2; '
           "echo 0 > /tmp/status; for fd in 3 4 5 6 7 8 9; do "
           "(eval \"echo 0 >&$fd\") 2>/dev/null; done; exit 3")
    honest = starter.run(USER, ("--meta", str(meta)), "/bin/sh", "-c", "exit 3")
    truth = json.loads(meta.read_text())
    liar = starter.run(USER, ("--meta", str(meta)), "/bin/sh", "-c", lie)
    said = json.loads(meta.read_text())
    check(honest.returncode == liar.returncode == 3, f"exit statuses {honest.returncode} {liar.returncode}")
    check(set(truth) == set(said), f"{truth} and {said} have other fields")
    return "exit status 3 both times"


def permissions(world: World, starter) -> str:
    starter.sockctl("run", "-d", "--name", "owned", "-u", "1000", "--", "sleep", "30")
    try:
        open_to_others = [str(path) for path in [world.state, *world.state.rglob("*")]
                          if path.is_dir() and stat.S_IMODE(path.stat().st_mode) & 0o077]
        check(not open_to_others, f"open to others: {open_to_others}")
        other = starter.sockctl("kill", "owned", user=1000, group=1000, extra_groups=[], pass_fds=())
        check(other.returncode != 0, "another user killed the container")
    finally:
        starter.sockctl("kill", "owned")
        starter.sockctl("wait", "owned")
        starter.sockctl("rm", "owned")
    return f"{stat.S_IMODE(world.state.stat().st_mode):o}"


def linked_state(world: World, starter) -> str:
    """A directory for state that others can write or that is a link is refused, or is not shared."""
    other = world.root / "everyone"
    other.mkdir()
    other.chmod(0o777)
    link = other / "state"
    victim = world.root / "victim"
    victim.mkdir(mode=0o755)
    link.symlink_to(victim)
    os.chown(link, 1000, 1000, follow_symlinks=False)
    result = subprocess.run([str(world.sockctl), "run", "--state-dir", str(link), "--", "/bin/true"],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    check(result.returncode == 125 and not any(victim.iterdir()),
          f"it followed another user's link: {result}, made {list(victim.iterdir())}")
    return result.stderr.strip()


TESTS = [
    Scenario("API-01", "names that are paths, options or control bytes are refused (also API-04)", names),
    Scenario("API-03", "a payload cannot speak for its container", spoofed_results),
    Scenario("API-06", "state is closed to other users", permissions),
    Scenario("API-06b", "a state directory that is another user's link is refused", linked_state),
    *api_misuse.TESTS,
]
